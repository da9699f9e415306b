"""Masks of images, brought to the layers of a network.

Source: Gatys, Ecker, Bethge, Hertzmann and Shechtman, Controlling Perceptual Factors in Neural Style Transfer, CVPR
2017, section 4 (guidance channels).
"""

from collections.abc import Sequence

import numpy as np

from nst.errors import unknown
from nst.types import Mask, Network

#: How a mask of pixels becomes one of positions:
#:
#: * `simple`: the mean over the pixels that a position stands for.
#: * `inside`: positions whose receptive field lies within the region, so that no style crosses its border.
#: * `all`: positions whose receptive field reaches into the region.
GUIDANCE = ("simple", "inside", "all")


def to_layers(
    mask: Mask, network: Network, layers: Sequence[str], guidance: str = "simple"
) -> dict[str, np.ndarray]:
    """Return the mask of each layer, float32 `[h', w']`.

    A region may have no position in a deep layer: all weights of that layer are then 0.

    Args:
      mask: `[h, w]` in [0, 1], in the size of the image.
      network: The network, whose strides and receptive fields decide.
      layers: Names of layers.
      guidance: One of `GUIDANCE`.

    Raises:
      InputError: The guidance is unknown.
    """
    if guidance not in GUIDANCE:
        raise unknown("guidance", guidance, GUIDANCE)
    height, width = mask.shape
    pixels = np.asarray(mask, np.float32)
    result = {}
    for layer, (rows, columns, _) in network.shapes((height, width), layers).items():
        stride, halo = network.stride(layer), network.halo([layer])
        if guidance == "simple":
            cells = pixels[: rows * stride, : columns * stride].reshape(rows, stride, columns, stride)
            result[layer] = cells.mean((1, 3))
        else:
            result[layer] = _extreme(pixels, rows, columns, stride, halo, guidance == "inside")
    return result


def _extreme(pixels: Mask, rows: int, columns: int, stride: int, halo: int, least: bool) -> np.ndarray:
    """Return the least or the greatest value in the receptive field of each position; the border adds nothing."""
    reduce, outside = (np.min, 1.0) if least else (np.max, 0.0)
    result = np.pad(pixels, halo, constant_values=outside)
    for axis, count in enumerate((rows, columns)):
        windows = np.lib.stride_tricks.sliding_window_view(result, stride + 2 * halo, axis)
        chosen = windows.take(np.arange(count) * stride, axis)
        result = reduce(chosen, -1)
    return np.asarray(result, np.float32)
