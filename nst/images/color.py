"""Colors of images: lightness with the colors of another image, and the mean and covariance of another's colors."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from nst.types import Array, Image, Mask

# OKLab (Björn Ottosson, A perceptual color space for image processing, 2020).
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

# YIQ (NTSC, 1953), of encoded values, as in Gatys et al. 2017.
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])

# Variances of colors below this share of the largest are 0: a gray image has no colors to be stretched.
_LEAST = 1e-5


def to_oklab(image: Image) -> Float[np.ndarray, "h w 3"]:
    """Return lightness, green–red and blue–yellow of an sRGB-encoded image."""
    x = np.asarray(image, np.float64)
    linear = np.where(x <= 0.04045, x / 12.92, ((np.maximum(x, 0) + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_LMS.T) @ _TO_OKLAB.T


def from_oklab(lab: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
    """Return the sRGB-encoded image; values outside [0, 1] have no color on a screen."""
    linear = (lab @ np.linalg.inv(_TO_OKLAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    encoded = 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, encoded)


def to_yiq(image: Image) -> Float[np.ndarray, "h w 3"]:
    """Return Y, I and Q of an sRGB-encoded image."""
    return np.asarray(image, np.float64) @ _TO_YIQ.T


def from_yiq(yiq: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
    """Return the sRGB-encoded image of Y, I and Q."""
    return yiq @ np.linalg.inv(_TO_YIQ).T


#: Pairs of functions to and from a space whose first coordinate is the lightness.
SPACES: dict[str, tuple[Callable, Callable]] = {"oklab": (to_oklab, from_oklab), "yiq": (to_yiq, from_yiq)}


def gray(image: Image, space: str) -> np.ndarray:
    """Return an image with its lightness and no color, float32 `[h, w, 3]`; `space` is one of `SPACES`."""
    to, back = SPACES[space]
    return np.asarray(back(to(image) * [1, 0, 0]), np.float32)


def recolored(image: Image, colors: Image, space: str) -> np.ndarray:
    """Return the lightness of an image with the colors of another one, in [0, 1].

    Source: Gatys et al. 2017 (see `nst.masks`), section 5.1, luminance-only transfer.

    Args:
      image: `[h, w, 3]`.
      colors: The same shape.
      space: One of `SPACES`.
    """
    to, back = SPACES[space]
    lightness, ab = to(image)[..., :1], to(colors)[..., 1:]
    return np.asarray(np.clip(back(np.concatenate([lightness, ab], -1)), 0, 1), np.float32)


def with_lightness(
    style: Image, content: Image, space: str, style_mask: Mask | None = None, content_mask: Mask | None = None
) -> np.ndarray:
    """Return a gray style with the mean and the deviation of the content's lightness.

    Source: as `recolored`: L′ = σ_C / σ_S (L − μ_S) + μ_C.

    Args:
      style: `[h, w, 3]`.
      content: `[h', w', 3]`.
      space: One of `SPACES`.
      style_mask: `[h, w]`, the part of the style that counts.
      content_mask: `[h', w']`, the part of the content that counts.
    """
    to, back = SPACES[space]
    own, target = to(style)[..., 0], to(content)[..., 0]
    (mean, spread), (to_mean, to_spread) = _moments(own, style_mask), _moments(target, content_mask)
    lightness = (own - mean) * (to_spread / max(spread, 1e-6)) + to_mean
    result = back(np.stack([lightness, 0 * lightness, 0 * lightness], -1))
    return np.asarray(np.clip(result, 0, 1), np.float32)


def _moments(values: Array, mask: Mask | None) -> tuple[float, float]:
    mean = float(np.average(values, weights=mask))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=mask)))


def matched(
    style: Image,
    content: Image,
    method: str = "symmetric",
    style_mask: Mask | None = None,
    content_mask: Mask | None = None,
) -> np.ndarray:
    """Return the style with the mean and the covariance of the content's colors, clipped to [0, 1].

    Source: Gatys et al. 2017 (see `nst.masks`), section 5.2: x ↦ A (x − μ_S) + μ_C with A Σ_S Aᵀ = Σ_C.

    Args:
      style: `[h, w, 3]`.
      content: `[h', w', 3]`.
      method: The choice of A, one of `METHODS`.
      style_mask: `[h, w]`, the part of the style that counts.
      content_mask: `[h', w']`, the part of the content that counts.
    """
    pixels = np.asarray(style, np.float64).reshape(-1, 3)
    mean, covariance = _statistics(pixels, style_mask)
    target_mean, target = _statistics(np.asarray(content, np.float64).reshape(-1, 3), content_mask)
    moved = (pixels - mean) @ METHODS[method](covariance, target).T + target_mean
    return np.asarray(np.clip(moved, 0, 1), np.float32).reshape(style.shape)


def _statistics(pixels: np.ndarray, mask: Mask | None) -> tuple[np.ndarray, np.ndarray]:
    weights = None if mask is None else np.asarray(mask).reshape(-1)
    mean = np.average(pixels, axis=0, weights=weights)
    return mean, np.cov(pixels.T, aweights=weights, ddof=0)


def _root(covariance: np.ndarray, power: float = 0.5) -> np.ndarray:
    """Return a power of a covariance; the inverse of a variance that is nearly 0 is 0."""
    values, vectors = np.linalg.eigh(covariance)
    nonzero = values > _LEAST * max(values.max(), 1e-12)
    return (vectors * np.where(nonzero, np.maximum(values, 1e-30) ** power, 0)) @ vectors.T


def _symmetric(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Return the symmetric A: colors move as little as possible (optimal transport)."""
    root, inverse = _root(style), _root(style, -0.5)
    return inverse @ _root(root @ content @ root) @ inverse


def _pca(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Return Σ_C^½ Σ_S^−½."""
    return _root(content) @ _root(style, -0.5)


def _cholesky(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Return L_C L_S⁻¹ of Cholesky factors, with a small multiple of I added so that they exist."""

    def factor(covariance: np.ndarray) -> np.ndarray:
        return np.linalg.cholesky(covariance + (_LEAST * np.trace(covariance) + 1e-12) * np.eye(3))

    return factor(content) @ np.linalg.inv(factor(style))


#: Choices of A by name.
METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "symmetric": _symmetric,
    "pca": _pca,
    "cholesky": _cholesky,
}
