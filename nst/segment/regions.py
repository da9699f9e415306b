"""Label images: which region each pixel belongs to, without small islands and with smooth borders."""

import jax
import numpy as np
import PIL.Image
from jaxtyping import Float, Int

from nst.types import Image

#: A label for each pixel `[h, w]`.
Labels = Int[np.ndarray, "_ _"]

#: The smallest connected part of a region, as a share of the image.
LEAST_SHARE = 0.005

_RADIUS = 16  # pixels, about what a position of relu5_1 stands for
_FLAT = 1e-3  # variance of gray values, in [0, 1], below which the guided filter smooths
_SMOOTHING = 2.0  # standard deviation in pixels


def nearest(distances: Float[np.ndarray, "_ _ k"], image: Image) -> Labels:
    """Return the cluster of the least distance for each pixel; borders follow edges of the image nearby.

    Args:
      distances: The distance to each cluster at each position of a grid.
      image: `[h, w, 3]`.

    Returns:
      `[h, w]`, from 0 to k - 1.
    """
    height, width, number = *image.shape[:2], distances.shape[2]
    resized = jax.image.resize(distances, (height, width, number), "linear")
    labels = np.argmin(np.asarray(resized), axis=2)
    gray = np.mean(image, axis=2)
    return np.argmax([_guided(_mask(labels, k), gray) for k in range(number)], axis=0)


def cleaned(labels: Labels) -> Labels:
    """Return labels with smooth borders; connected parts smaller than `LEAST_SHARE` go to their nearest neighbors."""
    from skimage.measure import label  # half a second to import
    from skimage.segmentation import expand_labels

    smooth = _smoothed(labels)
    parts = np.asarray(label(smooth, background=-1, connectivity=1))
    large = np.bincount(parts.ravel()) >= LEAST_SHARE * labels.size
    if not large.any():
        return smooth
    return expand_labels(np.where(large[parts], smooth + 1, 0), distance=sum(labels.shape)) - 1


def enlarged(labels: Labels, height: int, width: int) -> Labels:
    """Resize labels to `[height, width]` with smooth borders.

    One label at a time is resized: all of them at once take gigabytes for large photographs.
    """
    best, result = np.zeros((height, width), np.float32), np.zeros((height, width), labels.dtype)
    for k in np.unique(labels):
        mask = PIL.Image.fromarray(_mask(labels, k))
        share = np.asarray(mask.resize((width, height), PIL.Image.Resampling.BILINEAR))
        result[share > best] = k
        np.maximum(best, share, out=best)
    return result


def _mask(labels: Labels, k: int | np.integer) -> Float[np.ndarray, "h w"]:
    return (labels == k).astype(np.float32)


def _guided(mask: Float[np.ndarray, "h w"], gray: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Return a mask that is linear in the gray values of each window: its borders move to edges of the image.

    Source: He, Sun and Tang, Guided Image Filtering, ECCV 2010, equations 5, 6 and 8.
    """
    from scipy.ndimage import uniform_filter  # a tenth of a second to import

    def mean(x: np.ndarray) -> np.ndarray:
        return uniform_filter(x, 2 * _RADIUS + 1, mode="nearest")

    variance = mean(gray * gray) - mean(gray) ** 2
    a = (mean(gray * mask) - mean(gray) * mean(mask)) / (variance + _FLAT)
    b = mean(mask) - a * mean(gray)
    return mean(a) * gray + mean(b)


def _smoothed(labels: Labels) -> Labels:
    """Return the label that prevails around each pixel."""
    from scipy.ndimage import gaussian_filter

    shares = [gaussian_filter(_mask(labels, k), _SMOOTHING, mode="nearest") for k in range(labels.max() + 1)]
    return np.argmax(shares, axis=0)
