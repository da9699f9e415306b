"""Transparent images: the colors below transparency, and composition on white."""

import numpy as np

from nst.errors import InputError, unknown
from nst.images.resize import resize, resize_mask
from nst.types import Image, Mask

#: What is done with the alpha channel of an image that has one:
#:
#: * `keep`: it stays, and transparent pixels get the colors of the visible ones around them.
#: * `flatten`: the image is composed on white.
ALPHA = ("keep", "flatten")


def with_alpha(name: str, image: Image, alpha: str) -> np.ndarray:
    """Return an image after its alpha channel, if it has one, is kept or flattened.

    Args:
      name: What messages call the image.
      image: `[h, w, 3]`, or `[h, w, 4]` with alpha in the last channel, not multiplied into the colors.
      alpha: One of `ALPHA`.

    Returns:
      `[h, w, 4]` if there is an alpha channel and it is kept, else `[h, w, 3]`.

    Raises:
      InputError: `alpha` is unknown, or the image is transparent everywhere and alpha is kept.
    """
    if alpha not in ALPHA:
        raise unknown("alpha", alpha, ALPHA)
    if image.shape[2] == 3:
        return np.asarray(image)
    return flatten(image) if alpha == "flatten" else _filled(name, np.asarray(image))


def flatten(image: Image) -> np.ndarray:
    """Return an image composed on white, in sRGB values as browsers do; one without alpha as it is, `[h, w, 3]`."""
    if image.shape[2] == 3:
        return np.asarray(image)
    opacity = np.asarray(image[..., 3:])
    return np.asarray(image[..., :3]) * opacity + (1 - opacity)


def split(image: Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the colors `[h, w, 3]` and the alpha `[h, w]` in [0, 1] of an image; None if it has no alpha channel."""
    if image.shape[2] == 3:
        return np.asarray(image), None
    return np.asarray(image[..., :3]), np.clip(image[..., 3], 0, 1)  # resampling overshoots


def product(mask: Mask | None, alpha: Mask | None) -> np.ndarray | None:
    """Return a mask of an image without its transparent part; None if all of the image counts.

    Args:
      mask: The mask, of any size with the aspect of the image; None if there is none.
      alpha: The alpha of the image, `[h, w]`; None if there is none.
    """
    if alpha is None or alpha.min() == 1:
        return None if mask is None else np.asarray(mask)
    if mask is None:
        return np.asarray(alpha)
    return resize_mask(mask, alpha.shape) * np.asarray(alpha)


def _filled(name: str, image: np.ndarray) -> np.ndarray:
    """Return an image `[h, w, 4]` whose transparent pixels have the mean colors of the visible ones around them.

    The colors in a file below alpha 0 are arbitrary, often black or white. A network sees across the border of what is
    visible, and resampling mixes colors across it: both would find an edge there.
    """
    color, weights = image[..., :3], image[..., 3:]
    if not weights.any():
        raise InputError(f"{name} is transparent everywhere: give an image with something to see")
    if weights.min() > 0:
        return image
    spread = np.clip(_spread(np.concatenate([color * weights, weights], axis=-1)), 0, 1)
    return np.concatenate([np.where(weights > 0, color, spread), weights], axis=-1)


def _spread(sums: np.ndarray) -> np.ndarray:
    """Return mean colors, and where there are none those of the next coarser level of a pyramid, `[h, w, 3]`.

    Args:
      sums: `[h, w, 4]`, sums of weighted colors and of their weights.
    """
    color, weight = sums[..., :3], sums[..., 3:]
    mean = color / np.where(weight > 0, weight, 1)
    if weight.all():
        return mean
    height, width = sums.shape[:2]
    coarse = _spread(_halved(_halved(sums).swapaxes(0, 1)).swapaxes(0, 1))
    larger = resize(coarse, 2 * coarse.shape[0], 2 * coarse.shape[1])[:height, :width]
    return np.where(weight > 0, mean, larger)


def _halved(sums: np.ndarray) -> np.ndarray:
    """Return every second row after a binomial filter, which reaches across blocks: colors come from near by."""
    x = np.pad(sums, ((1, 1 + len(sums) % 2), (0, 0), (0, 0)))
    return (x[:-3:2] + 3 * x[1:-2:2] + 3 * x[2:-1:2] + x[3::2]) / 8
