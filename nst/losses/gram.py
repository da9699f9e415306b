"""The style loss of Gatys, Ecker and Bethge (CVPR 2016, equations 3 and 4), in the paper's symbols.

Features are `[h, w, N]`, where the paper has a matrix F of N filters by M = h·w positions. Sums are accumulated in
float32, whatever the precision of the features: a Gram matrix overflows float16.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from nst.types import Array, Mask, Scalar


class Gram(NamedTuple):
    """The second moments of a layer's features and their number of positions; both are additive."""

    G: Float[Array, "n n"]
    M: Scalar


def gram_matrix(features: Float[Array, "h w n"], mask: Mask | None = None) -> Gram:
    """Return G = F Fᵀ and its count M (equation 3).

    Args:
      features: `[h, w, N]`.
      mask: `[h, w]`, the weight of each position: G = Σ w f fᵀ and M = Σ w. None counts every position once.

    Returns:
      G `[N, N]` and M, both float32: the statistics of two parts of an image add up to those of the whole.
    """
    F = jnp.asarray(features, jnp.float32).reshape(-1, features.shape[-1])
    if mask is None:
        return Gram(second_moments(F), jnp.asarray(F.shape[0], jnp.float32))
    w = jnp.asarray(mask, jnp.float32).reshape(-1, 1)
    return Gram(second_moments(jnp.sqrt(w) * F), jnp.sum(w))


def product(A: Array, B: Array) -> jax.Array:
    """Return AᵀB in full float32."""
    return jnp.matmul(A.T, B, precision=jax.lax.Precision.HIGHEST)


@jax.custom_jvp
def second_moments(F: jax.Array) -> jax.Array:
    """Return FᵀF."""
    return product(F, F)


@second_moments.defjvp
def _(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Use symmetry: one product, where differentiating FᵀF takes two. This saves a third of the gradient's time."""
    (F,), (dF,) = primals, tangents
    half = product(dF, F)
    return second_moments(F), half + half.T


def gram_distance(statistics: Gram, target: Gram) -> Scalar:
    """Return E_l = Σ (G/M − A/M′)² / (4 N²), 0 if either has no position (equation 4).

    The paper has Σ (G − A)² / (4 N² M²), for two images of M positions, and leaves images of different size open. Here
    each Gram matrix is divided by its own M.
    """
    N = target.G.shape[0]
    difference = _mean(statistics) - _mean(target)
    distance = jnp.sum(jnp.square(difference)) / (4 * N**2)
    return jnp.where((statistics.M > 0) & (target.M > 0), distance, 0)


def _mean(statistics: Gram) -> Array:
    """Return G/M. M may be 0, if a mask leaves no position."""
    return statistics.G / jnp.where(statistics.M > 0, statistics.M, 1)
