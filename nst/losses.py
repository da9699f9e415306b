"""The losses of Gatys, Ecker and Bethge, in the paper's symbols, as pure functions on dicts of layers.

Source: Image Style Transfer Using Convolutional Neural Networks, CVPR 2016, equations 1 to 5. Features come
as `[h, w, N]` here where the paper writes a matrix F of N filters by M = h·w positions. Whatever the
precision of the features, sums are accumulated in float32: a Gram matrix overflows float16.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Float

from nst.types import Array, Features, Image, Scalar, Statistics, Weight


def content_loss(features: Features, target: Features) -> Scalar:
    """½ Σ (F − P)², summed over the layers (equation 1)."""
    return sum(
        (0.5 * jnp.sum(jnp.square(_float32(features[layer]) - _float32(P))) for layer, P in target.items()),
        jnp.zeros(()),
    )


def total_variation(image: Image) -> Scalar:
    """Σ (x[i, j+1] − x[i, j])² + (x[i+1, j] − x[i, j])², in [0, 1] units.

    Source: Mahendran and Vedaldi, Understanding Deep Image Representations by Inverting Them, CVPR 2015,
    the regulariser R_V^β with β = 2; here without wrapping around the border, channel by channel.
    """
    return jnp.sum(jnp.square(jnp.diff(image, axis=0))) + jnp.sum(jnp.square(jnp.diff(image, axis=1)))


class Gram(NamedTuple):
    """The second moments of a layer's features and their number of positions; both are additive."""

    G: Float[Array, "n n"]
    M: Scalar


def gram_matrix(features: Float[Array, "h w n"], weight: Weight | None = None) -> Gram:
    """G = F Fᵀ and its count M (equation 3).

    Args:
      features: `[h, w, N]`.
      weight: `[h, w]`, what each position counts for: G = Σ w f fᵀ and M = Σ w. None counts every one once.

    Returns:
      G `[N, N]` and M, both float32: the statistics of two parts of a picture add up to those of the whole.
    """
    F = _float32(features).reshape(-1, features.shape[-1])
    if weight is None:
        return Gram(_second_moments(F), jnp.asarray(F.shape[0], jnp.float32))
    w = _float32(weight).reshape(-1, 1)
    return Gram(_product(w * F, F), jnp.sum(w))


def _product(A: jax.Array, B: jax.Array) -> jax.Array:
    return jnp.matmul(A.T, B, precision=jax.lax.Precision.HIGHEST)


@jax.custom_jvp
def _second_moments(F: jax.Array) -> jax.Array:
    return _product(F, F)


@_second_moments.defjvp
def _(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """By symmetry one product where differentiating FᵀF takes two: a third of the gradient's time."""
    (F,), (dF,) = primals, tangents
    half = _product(dF, F)
    return _second_moments(F), half + half.T


def gram_statistics(features: Features, weight: dict[str, Weight] | None = None) -> Statistics:
    """The Gram matrix of each layer."""
    return {layer: gram_matrix(F, None if weight is None else weight[layer]) for layer, F in features.items()}


def gram_distance(statistics: Statistics, target: Statistics, layer_weights: dict[str, Scalar]) -> Scalar:
    """Σ_l w_l / (4 N_l²) · Σ (G/M − A/M′)² (equations 4 and 5).

    The paper's E_l = Σ (G − A)² / (4 N² M²) where both pictures have M positions. Where they differ in size
    each Gram matrix is divided by its own M, which the paper leaves open.
    """
    return sum(
        (layer_weights[layer] * _gram_distance(statistics[layer], A) for layer, A in target.items()),
        jnp.zeros(()),
    )


def _gram_distance(statistics: Gram, target: Gram) -> Scalar:
    N = target.G.shape[0]
    difference = statistics.G / statistics.M - target.G / target.M
    return jnp.sum(jnp.square(difference)) / (4 * N**2)


class StatisticsOf(Protocol):
    """What a style loss keeps of the features of some layers."""

    def __call__(self, features: Features, weight: dict[str, Weight] | None = None) -> Statistics:
        """Statistics of each layer, positions weighted by `weight[layer]`."""
        ...


class StyleLoss(NamedTuple):
    """A style loss: what is kept of the features, and how far two of those are from each other."""

    statistics: StatisticsOf
    distance: Callable[[Statistics, Statistics, dict[str, Scalar]], Scalar]


#: Style losses by name. A new one is one line here and two functions above.
STYLE_LOSSES: dict[str, StyleLoss] = {"gram": StyleLoss(gram_statistics, gram_distance)}


def _float32(x: Array) -> jax.Array:
    return jnp.asarray(x, jnp.float32)
