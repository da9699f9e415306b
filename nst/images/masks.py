"""Masks as people have them: gray images, arrays, and label images whose colors name regions."""

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
import PIL.Image
import PIL.ImageColor

from nst.errors import InputError
from nst.images.arrays import ImageLike, as_image, eight_bits
from nst.images.profiles import ImageWarning
from nst.types import Image

# Channels of a gray image differ by less than this, of 255: JPEG and color profiles leave small differences.
_GRAY = 12

# The color of a region is at least this far from that of another one, by Euclidean distance of bytes.
_APART = 60

# The smallest share of an image that counts as a region of its own.
_LEAST = 0.002

# The share of pixels that may be far from all colors, as along antialiased borders.
_BETWEEN = 0.1


def as_mask(name: str, mask: ImageLike) -> np.ndarray:
    """Return a mask as float32 `[h, w]` in [0, 1].

    Args:
      name: What messages call it.
      mask: A gray image in the forms of `as_image`, or an array `[h, w]` of booleans, bytes, or floats in [0, 1].

    Raises:
      InputError: It can't be read, has colors, has other values, or is 0 everywhere.
    """
    array = None if isinstance(mask, PIL.Image.Image) or not hasattr(mask, "shape") else np.asarray(mask)
    if array is not None and array.ndim == 2:
        if array.dtype == bool:
            array = array.astype(np.float32)
        mask = np.stack([array] * 3, axis=-1)
    image = as_image(name, mask)
    if not is_gray(image):
        raise InputError(
            f"{name} has colors: give a gray mask, white where it counts, or name its regions by color"
        )
    result = np.clip(image.mean(-1, dtype=np.float32), 0, 1)
    if result.max() == 0:
        raise InputError(f"{name} is black everywhere: nothing is left of the region")
    return result


def is_gray(image: Image) -> bool:
    """Return whether an image has no colors, except for what compression leaves."""
    spread = np.ptp(np.asarray(image), axis=-1)
    return bool(np.mean(spread > _GRAY / 255) < _LEAST)


def color_name(text: str) -> str:
    """Return a color as `#rrggbb`.

    Args:
      text: A name such as `red`, or `#f00`, `#ff0000`, `rgb(255, 0, 0)`.

    Raises:
      InputError: It is no color.
    """
    try:
        return _hex(PIL.ImageColor.getrgb(text)[:3])
    except ValueError as error:
        raise InputError(f"{text}: no color: give a name such as red, or #ff0000") from error


def _hex(color: Iterable[float | int]) -> str:
    return "#" + "".join(f"{int(value):02x}" for value in color)


def labels(name: str, image: Image) -> dict[str, np.ndarray]:
    """Return the regions of a label image: masks, float32 `[h, w]`, by color, from the largest region.

    Pixels whose color is slightly off, as after JPEG or along smoothed borders, belong to the region of the nearest
    color, with a warning.

    Args:
      name: What messages call the image.
      image: `[h, w, 3]` in [0, 1].

    Raises:
      InputError: The image has no flat colors.
    """
    pixels = eight_bits(image)
    colors, inverse, counts = np.unique(
        pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True
    )
    inverse = inverse.reshape(pixels.shape[:2])
    centers = _centers(colors, np.bincount(inverse[_is_flat(pixels)], minlength=len(colors)))
    distance = np.linalg.norm(colors[:, None].astype(float) - centers[None], axis=2)
    nearest, least = distance.argmin(1), distance.min(1)
    if counts[least > _APART / 2].sum() > _BETWEEN * counts.sum():
        raise InputError(f"{name} has no flat colors: paint each region in one color, and save it as PNG")
    off = counts[least > 0].sum() / counts.sum()
    if off > 0:
        warnings.warn(
            f"{name}: {100 * off:.1f} % of its pixels are off the {len(centers)} colors of its regions, and belong to "
            "the nearest one",
            ImageWarning,
            stacklevel=3,
        )
    region = nearest[inverse]
    return {_hex(color): (region == i).astype(np.float32) for i, color in enumerate(centers)}


def _is_flat(pixels: np.ndarray) -> np.ndarray:
    """Return which pixels have neighbors of nearly their color, unlike those along a smoothed border."""
    padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))
    return (np.ptp(windows, axis=(-2, -1)) < _APART / 4).all(-1)


def _centers(colors: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the colors of regions: the most frequent ones, each apart from the others before it."""
    total = max(1, counts.sum())
    centers: list[np.ndarray] = []
    for i in np.argsort(-counts, kind="stable"):
        color = colors[i].astype(float)
        if all(np.linalg.norm(color - center) >= _APART for center in centers):
            near = np.linalg.norm(colors.astype(float) - color, axis=1) < _APART / 2
            if counts[near].sum() >= _LEAST * total:
                centers.append(color)
        if counts[i] < 1e-5 * total:
            break
    return np.array(centers or [colors[counts.argmax()].astype(float)])


def check_aspect(name: str, mask: Sequence[int], image: Sequence[int]) -> None:
    """Raise InputError unless a mask has the aspect of its image, up to a pixel of rounding.

    Args:
      name: What the message calls the mask.
      mask: Shape of the mask, height and width first.
      image: Shape of the image.
    """
    (h, w), (H, W) = mask[:2], image[:2]
    if min(abs(h * W - w * H) / side for side in (H, W, h, w)) > 1:
        raise InputError(f"{name} has {w}×{h} pixels and its image {W}×{H}: give a mask of the same shape")
