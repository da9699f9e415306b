"""Hypercolumns: the features of several layers at each position of one grid."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nst.types import Extractor, Features, Image

#: The layers of a hypercolumn. With more weight on relu5_1, a wide band around objects becomes a region of its own.
LAYERS = ("relu3_1", "relu4_1", "relu5_1")

Columns = Float[np.ndarray, "_ _ c"]

_GRID = "relu4_1"  # its positions are 8 pixels apart in VGG
_POSITION = (
    0.1  # mean squared length of the position; with 0.3, a plain table falls into a left and a right half
)
_BLUR = 0.75  # standard deviation of the smoothing, in positions of the grid
_CONSTANT = 1e-3  # a layer that varies less, relative to its size, counts as constant: this is rounding


def hypercolumns(extractor: Extractor, image: Image) -> Columns:
    """Return the features of `LAYERS` and the position, at each position of the grid of `relu4_1`.

    The root of each feature is taken: a few large ones would decide the clusters alone. Each layer is smoothed, its
    mean is subtracted, and it is scaled to a mean squared length of 1.

    Source: Hariharan et al., Hypercolumns for Object Segmentation and Fine-grained Localization, CVPR 2015.

    Args:
      extractor: A network that has `LAYERS`.
      image: `[h, w, 3]`.

    Returns:
      `[h', w', c]`, float32.

    Raises:
      InputError: The image is too small for a layer.
    """
    F = jax.jit(_features)(extractor, jnp.asarray(image))
    height, width = F[_GRID].shape[:2]
    parts = [_scaled(_on_grid(F[layer], height, width)) for layer in LAYERS]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    parts.append(np.float32(_POSITION**0.5) * _scaled(np.stack([y, x], axis=-1)))
    return np.concatenate(parts, axis=-1)


def aligned(columns: Sequence[Columns]) -> list[Columns]:
    """Return hypercolumns of several images in which each channel has the same variance in all of them: the least one.

    A photograph and a painting differ in many channels, whatever they show. Without this step many clusters lie in one
    image alone. A single image is returned as it is.

    Args:
      columns: `[h, w, c]` of each image, of mean 0 in each channel.
    """
    variances = [np.mean(np.square(each), axis=(0, 1)) for each in columns]
    least, tiny = np.min(variances, axis=0), np.finfo(np.float32).tiny
    return [
        each * np.sqrt(least / np.maximum(variance, tiny))
        for each, variance in zip(columns, variances, strict=True)
    ]


def _features(extractor: Extractor, image: Image) -> Features:
    return extractor(image, LAYERS)


def _on_grid(F: Float[jax.Array, "_ _ c"], height: int, width: int) -> Columns:
    """Return the roots of features at another resolution, smoothed."""
    from scipy.ndimage import gaussian_filter  # a tenth of a second to import

    resized = jax.image.resize(jnp.sqrt(F), (height, width, F.shape[2]), "linear")
    return gaussian_filter(np.asarray(resized), (_BLUR, _BLUR, 0), mode="nearest")


def _scaled(F: Columns) -> Columns:
    """Return features of mean 0 and mean squared length 1; zeros if they are constant."""
    centered = F - np.mean(F, axis=(0, 1))
    length, size = (np.sqrt(np.mean(np.sum(np.square(each), axis=-1))) for each in (centered, F))
    return centered / length if length > _CONSTANT * size else np.zeros_like(F)
