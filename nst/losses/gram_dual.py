"""The Gram loss for layers with fewer positions than filters, by inner products of positions instead of filters.

A Gram matrix takes M N² multiplications for N filters and M positions, and its gradient as many. The dual form takes
M N (M + M′), with M′ the positions of the target. Audio has such layers: few frames and thousands of filters.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from nst.losses.gram import product, second_moments
from nst.types import Array, Mask, Scalar


class DualGram(NamedTuple):
    """The features of a layer and the inner products of every two positions, in place of its Gram matrix. Not additive.

    Attributes:
      F: Features, one row for each position.
      p: The normalized weight of each position; the sum is 1, or 0 if a mask leaves no position.
      K: F Fᵀ, the inner products of every two positions.
    """

    F: Float[Array, "m n"]
    p: Float[Array, " m"]
    K: Float[Array, "m m"]


def dual_gram(features: Float[Array, "h w n"], mask: Mask | None = None) -> DualGram:
    """Return the statistics of a layer in dual form; same arguments as `gram_matrix`."""
    F = jnp.asarray(features, jnp.float32).reshape(-1, features.shape[-1])
    w = jnp.ones(F.shape[0]) if mask is None else jnp.asarray(mask, jnp.float32).reshape(-1)
    total = jnp.sum(w)
    return DualGram(F, w / jnp.where(total > 0, total, 1), second_moments(F.T))


def dual_gram_distance(x: DualGram, y: DualGram) -> Scalar:
    """Return the `gram_distance` of the same features, Σ (G/M − A/M′)² / 4N², without either Gram matrix.

    With weights p and q the sum equals Σᵢⱼ pᵢ pⱼ (fᵢᵀfⱼ)² − 2 pᵢ qⱼ (fᵢᵀaⱼ)² + qᵢ qⱼ (aᵢᵀaⱼ)², a small difference of
    large numbers. As p and −q add up to 0, subtracting a constant c from all inner products takes 2c ‖Fᵀp − Aᵀq‖² off
    the sum; it is added back. With the target's mean inner product for c, the rounding error is 1e-8 of Σ (A/M′)²
    instead of 1e-7. Where the distance is 1e-4 of Σ (A/M′)², the gradient is 2e-5 to 5e-5 off (by Gram matrices 4e-6).
    The error grows as one over the root of the distance.
    """
    mean = product(y.p, y.F)
    c = jnp.sum(jnp.square(mean))

    def squares(p: Array, products: Array, q: Array) -> Array:
        return jnp.sum(jnp.square(products - c) * p[:, None] * q)

    across = squares(x.p, product(x.F.T, y.F.T), y.p)
    means = jnp.sum(jnp.square(product(x.p, x.F) - mean))
    value = squares(x.p, x.K, x.p) - 2 * across + squares(y.p, y.K, y.p) + 2 * c * means
    # Not negative, but with a gradient even where rounding makes the value negative.
    distance = value + jax.lax.stop_gradient(jnp.maximum(-value, 0))
    present = (jnp.sum(x.p) > 0) & (jnp.sum(y.p) > 0)
    return jnp.where(present, distance, 0) / (4 * y.F.shape[1] ** 2)
