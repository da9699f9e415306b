"""Metrics of how much of a result is painted like the style: its colors, and its parts."""

import functools

import numpy as np
from jaxtyping import Float

from nst.metrics.style import line_distance, ordered
from nst.types import Array, Image, Mask

#: Side in pixels of the blocks that are painted or not; neighboring blocks overlap by half.
BLOCK = 32

_LESS = 0.5  # a painted block has less than this share of the content's distance
_OWN = 1.0  # mean distance of the style's own blocks


def palette(image: Image, style: Image, mask: Mask | None = None, style_mask: Mask | None = None) -> float:
    """Return the root of 3 · mean over directions θ of W₂²(θᵀx, θᵀx′) of colors x in CIELAB, in ΔE*ab.

    A sliced Wasserstein distance (Bonneel et al. 2015) in the unit of the color difference of CIE 1976: if all colors
    of an image are shifted by a vector, it is the length of the vector. 2.3 is just noticeable (Mahy et al. 1994). The
    positions of colors do not count. θ are the 16 axes of the icosahedron and the dodecahedron, whose mean θθᵀ is I/3.

    Args:
      image: `[h, w, 3]`.
      style: `[h', w', 3]`.
      mask: `[h, w]`, the weight of each pixel of the image; None counts every pixel once.
      style_mask: The same for the style, `[h', w']`.
    """
    x, target = _lab(image), _lab(style)
    weights, style_weights = (None if each is None else np.ravel(each) for each in (mask, style_mask))
    apart = []
    for theta in _axes():
        (a, p), (b, q) = ordered(x @ theta, weights), ordered(target @ theta, style_weights)
        apart.append(line_distance(a, b, p, q))
    return float(np.sqrt(3 * np.mean(apart)))


def _lab(image: Image) -> Float[np.ndarray, "m 3"]:
    from skimage.color import rgb2lab  # half a second to import

    return rgb2lab(np.asarray(image, np.float64)).reshape(-1, 3)


@functools.cache
def _axes() -> Float[np.ndarray, "16 3"]:
    golden = (1 + 5**0.5) / 2
    icosahedron = [(0, 1, golden), (0, 1, -golden)]
    # Its corners lie over the faces of the icosahedron.
    dodecahedron = [(0, golden, 1 / golden), (0, golden, -1 / golden)]
    corners = [np.roll(axis, turn) for axis in icosahedron + dodecahedron for turn in range(3)]
    corners += [(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)]
    axes = np.array(corners)
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def coverage(
    features: Float[Array, "h w n"],
    content: Float[Array, "h w n"],
    style: Float[Array, "k l n"],
    *,
    stride: int,
) -> float:
    """Return the share of blocks of 32 pixels that are not painted: 0 if all are, near 1 for the content.

    A block is not painted if its distance to the style is above half that of the same block of the content, and above
    1, which is the mean distance of the style's own blocks. The distance is the mean over the channels' means and
    deviations s within the block of (s − E s′)² / (Var s′ + ε), with expectation and variance over the style's blocks;
    ε limits the influence of channels that hardly vary there.

    Our own metric. That a block is just nearer to the style than the content's block tells little: a faint texture over
    an unpainted sky is enough for that.

    Args:
      features: Features of the result, at a layer from the middle of the network.
      content: Features of the content, at the same positions.
      style: Features of the style, of any size.
      stride: Pixels from one position to the next. Blocks are smaller if an image is smaller than a block.
    """
    sides = [side for x in (features, style) for side in x.shape[:2]]
    block = min(BLOCK // stride, *sides)
    blocks = _statistics(style, block)
    mean, variance = np.mean(blocks, axis=0), np.var(blocks, axis=0)
    variance += 0.01 * np.mean(variance) + 1e-4 * np.mean(np.square(mean)) + np.finfo(float).tiny
    x, p = (
        np.mean(np.square(_statistics(each, block) - mean) / variance, axis=1) for each in (features, content)
    )
    return float(np.mean((x > _LESS * p) & (x > _OWN)))


def _statistics(F: Float[Array, "h w n"], block: int) -> Float[np.ndarray, "blocks s"]:
    """Return means and deviations of all channels in each block; blocks begin half a block apart."""
    step = max(1, block // 2)
    rows = np.lib.stride_tricks.sliding_window_view(F, (block, block), axis=(0, 1))[::step, ::step]
    # One row at a time: blocks overlap, and all of them in float64 take 8 times the memory of the features.
    statistics = []
    for row in (np.asarray(row, np.float64) for row in rows):
        statistics.append(np.concatenate([np.mean(row, axis=(-2, -1)), np.std(row, axis=(-2, -1))], axis=-1))
    return np.concatenate(statistics)
