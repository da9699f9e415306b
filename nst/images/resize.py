"""Resizing with antialiasing in both directions."""

from collections.abc import Sequence

import numpy as np
import PIL.Image

from nst.types import Image, Mask

#: Left, top, right and bottom in pixels, fractions allowed.
Box = tuple[float, float, float, float]


def resize(image: Image, height: int, width: int) -> np.ndarray:
    """Resample to exactly `[height, width, 3]` float32, in sRGB values; the image itself if it has that size.

    The kernel is bicubic (a = −½, Keys 1981), widened by the factor of reduction so that nothing aliases. It
    keeps constants and linear gradients, rings less than Lanczos's, and is the kernel of
    `jax.image.resize(..., "cubic")`, so that host and device agree. It overshoots a little at sharp edges;
    the result is not clipped.
    """
    if image.shape[:2] == (height, width):
        return np.asarray(image, np.float32)
    return _resample(image, height, width)


def resize_mask(mask: Mask, size: Sequence[int]) -> np.ndarray:
    """Resize a mask `[h, w]` to `size` (height, width); its values stay within [0, 1]."""
    return np.clip(resize(np.asarray(mask, np.float32)[..., None], *size)[..., 0], 0, 1)


def fit(image: Image, longest: int) -> np.ndarray:
    """Resize so that the longest side has `longest` pixels, keeping the aspect."""
    height, width = fit_size(image.shape[0], image.shape[1], longest)
    return resize(image, height, width)


def fit_size(height: int | float, width: int | float, longest: int) -> tuple[int, int]:
    """Return height and width with the longest side `longest` and the other one rounded, at least 1."""
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def cover(image: Image, height: int, width: int) -> np.ndarray:
    """Resize to fill `[height, width, 3]`, keeping the aspect and cropping both ends of the side that is too long."""
    old_height, old_width = image.shape[:2]
    if (old_height, old_width) == (height, width):
        return np.asarray(image, np.float32)
    scale = max(height / old_height, width / old_width)
    crop_height, crop_width = min(height / scale, old_height), min(width / scale, old_width)
    top, left = (old_height - crop_height) / 2, (old_width - crop_width) / 2
    return _resample(image, height, width, (left, top, left + crop_width, top + crop_height))


def _resample(image: Image, height: int, width: int, box: Box | None = None) -> np.ndarray:
    """Resample the box, each channel by itself: Pillow has no mode for three channels of floats."""
    channels = np.moveaxis(np.asarray(image, np.float32), 2, 0)
    resized = [
        PIL.Image.fromarray(np.ascontiguousarray(channel)).resize(
            (width, height), resample=PIL.Image.Resampling.BICUBIC, box=box
        )
        for channel in channels
    ]
    return np.stack([np.asarray(channel) for channel in resized], axis=-1)
