"""How much of the content picture a result keeps."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nst.errors import InputError
from nst.types import Array, Image, Scalar

#: Red, green and blue in luminance (ITU-R BT.709), here of sRGB-encoded values, as pictures are seen.
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_WINDOW = 11  # pixels

# A block of similarities of 16 MiB; a few of them are alive at once.
_BLOCK = 2**22


def cosine(features: Float[Array, "h w n"], target: Float[Array, "h w n"]) -> float:
    """The mean over positions of f·p / (‖f‖ ‖p‖); 1 where both are zero, 0 where one is."""
    f, p = (np.asarray(x, np.float64).reshape(-1, x.shape[-1]) for x in (features, target))
    lengths = np.linalg.norm(f, axis=1) * np.linalg.norm(p, axis=1)
    same = np.all(f == p, axis=1)
    return float(np.mean(np.where(same, 1, np.sum(f * p, axis=1) / np.where(lengths > 0, lengths, 1))))


def ssim(image: Image, target: Image) -> float:
    """The mean structural similarity of luminance, in windows that lie whole in the picture.

    Wang, Bovik, Sheikh and Simoncelli, Image Quality Assessment, 2004, equation 13: an 11×11 Gaussian window of
    σ = 1.5, K₁ = 0.01, K₂ = 0.03, L = 1.

    Raises:
      InputError: A side is shorter than the window.
    """
    from skimage.metrics import structural_similarity  # half a second to import

    if min(image.shape[:2]) < _WINDOW:
        raise InputError(
            f"a picture of {image.shape[1]}×{image.shape[0]} pixels has no window of SSIM: "
            f"give sides of at least {_WINDOW} pixels"
        )
    x, y = (np.asarray(picture, np.float64) @ LUMINANCE for picture in (image, target))
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    return float(structural_similarity(x, y, **settings))  # type: ignore[arg-type]


def cfsd(features: Float[Array, "h w n"], target: Float[Array, "h w n"]) -> float:
    """Content feature structural distance: mean over i of KL(Sᶜᵢ ‖ Sᵢ), with Sᵢ = softmaxⱼ cos(fᵢ, fⱼ).

    Chung, Hyun and Heo, Style Injection in Diffusion, CVPR 2024: how alike the places of a picture are to
    each other, whatever its colours. A deviation: there similarities are products of features, whose size depends on
    the weights (with those of the original authors the softmax would be all but one-hot); here they are cosines, so
    that 0 ≤ CFSD ≤ ½. Figures of that paper's program are no scale for these.

    Similarities of all pairs are never held at once: time grows with the square of the pixels, memory in proportion.
    """
    f, p = (jnp.asarray(x).reshape(-1, x.shape[-1]) for x in (features, target))
    return max(float(_divergence(f, p)), 0.0)  # rounding may go below 0


def border(image: Image, target: Image) -> float:
    """How much further the mean colour steps from the outermost strip to the next one than it does in the content.

    The root mean square over the four sides and the channels, in sRGB values; a strip is a 32nd of the shorter side
    wide. Ours: what a network takes to lie beyond the border shows as a frame (`configs/padding.py`).
    """
    apart = [x - y for x, y in zip(_steps(np.asarray(image)), _steps(np.asarray(target)), strict=True)]
    return float(np.sqrt(np.mean(np.square(apart))))


def _steps(image: np.ndarray) -> list[np.ndarray]:
    """For each side, the mean colour of the outermost strip less that of the next."""
    width = max(1, min(image.shape[:2]) // 32)
    turned = [np.rot90(image, quarter) for quarter in range(4)]
    return [np.mean(x[:width], axis=(0, 1)) - np.mean(x[width : 2 * width], axis=(0, 1)) for x in turned]


@jax.jit
def _divergence(features: Float[Array, "m n"], target: Float[Array, "m n"]) -> Scalar:
    F, P = _unit(features), _unit(target)

    def row(pair: tuple[jax.Array, jax.Array]) -> jax.Array:
        f, p = pair
        similar = jax.nn.log_softmax(jnp.matmul(F, f, precision="highest"))
        wanted = jax.nn.log_softmax(jnp.matmul(P, p, precision="highest"))
        return jnp.sum(jnp.exp(wanted) * (wanted - similar))

    return jnp.mean(jax.lax.map(row, (F, P), batch_size=max(1, _BLOCK // len(F))))


def _unit(x: Array) -> jax.Array:
    """Each position's features at length 1; zeros stay zeros."""
    length = jnp.linalg.norm(x, axis=1, keepdims=True)
    return jnp.asarray(x) / jnp.where(length > 0, length, 1)
