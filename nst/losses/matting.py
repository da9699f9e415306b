"""The matting Laplacian: colors of the result are a locally affine function of those of the photograph.

Sources: Luan, Paris, Shechtman and Bala, Deep Photo Style Transfer, CVPR 2017, equation 2; its matrix M_I is that of
Levin, Lischinski and Weiss, A Closed-Form Solution to Natural Image Matting, PAMI 2008, equation 12. I is the content
and V the result.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

from nst.losses.reduction import Total, mean_of, sum_of
from nst.losses.term import Input, Recipe, Term, View
from nst.types import Array, Image, Mask, Scalar

#: ε for colors in [0, 1]. Levin's program and Luan's have 1e-7, with which steep slopes are nearly free: the noise of
#: flat regions is amplified into texture, and Luan's program smooths its result afterwards. With 1e-5 skies stay clean.
EPSILON = 1e-5

_PIXELS = 9  # of a window

# Offsets of the pixels around the center of a window, row by row, as `sliding_window_view` has them.
_NEIGHBORS = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))


def regressors(content: np.ndarray, epsilon: float = EPSILON) -> Float[np.ndarray, "h w 8 3"]:
    """Return the whitened colors U of each 3×3 window, without its center: UUᵀ = D (DᵀD/9 + ε/9)⁻¹ Dᵀ / 9.

    The rows of D are the colors of the window less their mean. UUᵀ + 1/9 is the matrix of a ridge regression on the
    colors. In float64, because the covariance at strong edges has a condition number of 10⁵; U itself is at most 1.

    Args:
      content: `[h, w, 3]` in [0, 1].
      epsilon: ε, the weight of the squared slopes in the regression.

    Returns:
      U by the center of the window; 0 at the border, which is the center of no window.
    """
    height, width, colors = content.shape
    U = np.zeros((height, width, len(_NEIGHBORS), colors), np.float32)
    if min(height, width) >= 3:
        windows = sliding_window_view(content.astype(np.float64), (3, 3), axis=(0, 1))  # type: ignore[call-overload]
        D = windows.reshape(height - 2, width - 2, colors, _PIXELS)
        D = D - D.mean(axis=-1, keepdims=True)
        covariance = (D @ np.swapaxes(D, -1, -2) + epsilon * np.eye(colors)) / _PIXELS
        whitened = np.linalg.solve(np.linalg.cholesky(covariance), D) / np.sqrt(_PIXELS)
        U[1:-1, 1:-1] = np.swapaxes(np.delete(whitened, _PIXELS // 2, axis=-1), -1, -2)
    return U


def matting_energy(V: Image, U: Float[Array, "h w 8 3"], mask: Mask | None = None) -> Scalar:
    """Return Σ_c V_cᵀ M_I V_c, the sum over windows and channels of min_{a, b} Σ_i (V_i − a·I_i − b)² + ε |a|².

    The minimum is Σ v_i² − (Σ v_i)²/9 − |Uᵀv|², where v are the differences to the center of the window. No sparse
    matrix is built: M_I would have 25 numbers for each pixel, U has 24.

    Args:
      V: The result, `[h, w, 3]`.
      U: `regressors` of the content.
      mask: `[h, w]`, the weight of the window around each pixel.
    """
    height, width, _ = V.shape
    center = V[1:-1, 1:-1]
    differences = [V[1 + i : height - 1 + i, 1 + j : width - 1 + j] - center for i, j in _NEIGHBORS]
    v = jnp.stack(differences, axis=2)
    explained = jnp.einsum("hwik,hwic->hwkc", U[1:-1, 1:-1], v, precision="highest")
    by_window = (
        jnp.sum(jnp.square(v), axis=(2, 3))
        - jnp.sum(jnp.square(jnp.sum(v, axis=2)), axis=2) / _PIXELS
        - jnp.sum(jnp.square(explained), axis=(2, 3))
    )
    return jnp.sum(by_window if mask is None else mask[1:-1, 1:-1] * by_window)


def _statistics(view: View, U: Float[Array, "h w 8 3"]) -> dict[str, Total]:
    mask, image = view.mask("image"), view.image
    pixels = image.shape[0] * image.shape[1] if mask is None else jnp.sum(mask)
    n = jnp.asarray(pixels * image.shape[2], jnp.float32)
    return {"image": Total(matting_energy(image, U, mask), n)}


def _build(inputs: Mapping[str, Input], *, reduction: str = "mean", **_: Any) -> Term:
    U = jax.device_put(regressors(np.asarray(inputs["content"].image)))
    return Term(_statistics, sum_of if reduction == "sum" else mean_of, local=U)


MATTING = Recipe(_build, source="content")
