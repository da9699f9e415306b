"""Metrics of how much of the content image a result keeps; with a mask, the mean is over the positions that count."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nst.errors import InputError
from nst.types import Array, Image, Mask, Scalar

#: Weights of red, green and blue in luminance (ITU-R BT.709), here applied to sRGB-encoded values (luma).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_WINDOW = 11  # pixels

# Similarities in a block, 16 MiB; a few blocks are in memory at once.
_BLOCK = 2**22


def cosine(features: Float[Array, "h w n"], target: Float[Array, "h w n"], mask: Mask | None = None) -> float:
    """Return the mean over positions of f·p / (‖f‖ ‖p‖); 1 where both are zero, 0 where one is."""
    f, p = (np.asarray(x, np.float64).reshape(-1, x.shape[-1]) for x in (features, target))
    lengths = np.linalg.norm(f, axis=1) * np.linalg.norm(p, axis=1)
    same = np.all(f == p, axis=1)
    cosines = np.where(same, 1, np.sum(f * p, axis=1) / np.where(lengths > 0, lengths, 1))
    return float(_mean(cosines, None if mask is None else np.ravel(mask)))


def _mean(values: np.ndarray, weights: np.ndarray | None) -> np.floating:
    """Return the weighted mean, or NaN if all weights are 0; the caller reports that by name."""
    if weights is not None and not np.any(weights):
        return np.float64("nan")
    return np.average(values, weights=weights)


def ssim(image: Image, target: Image, mask: Mask | None = None) -> float:
    """Return the mean structural similarity of luminance, in windows that lie completely in the image.

    A mask weighs each window by its central pixel.

    Source: Wang, Bovik, Sheikh and Simoncelli, Image Quality Assessment, 2004, equation 13: an 11×11 Gaussian window of
    σ = 1.5, K₁ = 0.01, K₂ = 0.03, L = 1.

    Raises:
      InputError: A side is shorter than the window.
    """
    from skimage.metrics import structural_similarity  # half a second to import

    if min(image.shape[:2]) < _WINDOW:
        raise InputError(
            f"an image of {image.shape[1]}×{image.shape[0]} pixels is smaller than the window of SSIM: "
            f"give sides of at least {_WINDOW} pixels"
        )
    x, y = (np.asarray(each, np.float64) @ LUMINANCE for each in (image, target))
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    if mask is None:
        return float(structural_similarity(x, y, **settings))  # type: ignore[arg-type]
    _, similarity = structural_similarity(x, y, full=True, **settings)  # type: ignore[arg-type]
    margin = _WINDOW // 2
    inner = (slice(margin, -margin), slice(margin, -margin))
    return float(_mean(similarity[inner], np.asarray(mask)[inner]))


def cfsd(features: Float[Array, "h w n"], target: Float[Array, "h w n"], mask: Mask | None = None) -> float:
    """Return the content feature structural distance: mean over i of KL(Sᶜᵢ ‖ Sᵢ), with Sᵢ = softmaxⱼ cos(fᵢ, fⱼ).

    Source: Chung, Hyun and Heo, Style Injection in Diffusion, CVPR 2024. It compares how similar the positions of an
    image are to each other, whatever its colors. A deviation: in the paper similarities are products of features, whose
    size depends on the weights (with those of the original authors the softmax would be nearly one-hot). Here they are
    cosines, so that 0 ≤ CFSD ≤ ½, and values are not comparable to those of the paper's program. A mask weighs the
    positions i; j is every position, as what is kept is part of the image.

    Similarities of all pairs are never in memory at once: time grows with the square of the pixels, memory linearly.
    """
    f, p = (jnp.asarray(x).reshape(-1, x.shape[-1]) for x in (features, target))
    weights = None if mask is None else jnp.ravel(jnp.asarray(mask))
    return float(
        np.maximum(_divergence(f, p, weights), 0)
    )  # rounding may go below 0; unlike max, this keeps NaN


def border(image: Image, target: Image) -> float:
    """Return how much the step in mean color from the outermost strip to the next one differs from the content's.

    The root mean square over the four sides and the channels, in sRGB values; a strip is a 32nd of the shorter side
    wide. Our own metric: the padding of a network shows as a frame (`configs/padding.py`).
    """
    apart = [x - y for x, y in zip(_steps(np.asarray(image)), _steps(np.asarray(target)), strict=True)]
    return float(np.sqrt(np.mean(np.square(apart))))


def _steps(image: np.ndarray) -> list[np.ndarray]:
    """Return for each side the mean color of the outermost strip minus that of the next one."""
    width = max(1, min(image.shape[:2]) // 32)
    turned = [np.rot90(image, quarter) for quarter in range(4)]
    return [np.mean(x[:width], axis=(0, 1)) - np.mean(x[width : 2 * width], axis=(0, 1)) for x in turned]


@jax.jit
def _divergence(
    features: Float[Array, "m n"], target: Float[Array, "m n"], weights: Float[Array, " m"] | None
) -> Scalar:
    F, P = _unit(features), _unit(target)

    def row(pair: tuple[jax.Array, jax.Array]) -> jax.Array:
        f, p = pair
        log_s = jax.nn.log_softmax(jnp.matmul(F, f, precision="highest"))
        log_target = jax.nn.log_softmax(jnp.matmul(P, p, precision="highest"))
        return jnp.sum(jnp.exp(log_target) * (log_target - log_s))

    divergences = jax.lax.map(row, (F, P), batch_size=max(1, _BLOCK // len(F)))
    return jnp.mean(divergences) if weights is None else jnp.average(divergences, weights=weights)


def _unit(x: Array) -> jax.Array:
    """Return the features of each position, scaled to length 1; zeros stay zeros."""
    length = jnp.linalg.norm(x, axis=1, keepdims=True)
    return jnp.asarray(x) / jnp.where(length > 0, length, 1)
