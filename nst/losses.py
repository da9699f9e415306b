"""The losses of Gatys, Ecker and Bethge, in the paper's symbols, as pure functions on dicts of layers.

Source: Image Style Transfer Using Convolutional Neural Networks, CVPR 2016, equations 1 to 5. Features come
as `[h, w, N]` here where the paper writes a matrix F of N filters by M = h·w positions. Whatever the
precision of the features, sums are accumulated in float32: a Gram matrix overflows float16.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

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


def _product(A: Array, B: Array) -> jax.Array:
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


class Positions(NamedTuple):
    """A layer's features themselves, in place of its Gram matrix where positions are fewer than filters.

    `p` is what each position counts for, of a sum of 1; `K` are the products of any two positions.
    """

    F: Float[Array, "m n"]
    p: Float[Array, " m"]
    K: Float[Array, "m m"]


def positions(features: Float[Array, "h w n"], weight: Weight | None = None) -> Positions:
    """What `gram_matrix` would be made of. The arguments are its."""
    F = _float32(features).reshape(-1, features.shape[-1])
    w = jnp.ones(F.shape[0]) if weight is None else _float32(weight).reshape(-1)
    return Positions(F, w / jnp.sum(w), _second_moments(F.T))


def gram_distance(statistics: Statistics, target: Statistics, layer_weights: dict[str, Scalar]) -> Scalar:
    """Σ_l w_l / (4 N_l²) · Σ (G/M − A/M′)² (equations 4 and 5).

    The paper's E_l = Σ (G − A)² / (4 N² M²) where both pictures have M positions. Where they differ in size
    each Gram matrix is divided by its own M, which the paper leaves open. A layer's statistics are a `Gram` each or
    `Positions` each: the distance is the same.
    """
    return sum(
        (layer_weights[layer] * _gram_distance(statistics[layer], A) for layer, A in target.items()),
        jnp.zeros(()),
    )


def _gram_distance(statistics: Gram | Positions, target: Gram | Positions) -> Scalar:
    if isinstance(statistics, Positions) and isinstance(target, Positions):
        return _distance_of_positions(statistics, target) / (4 * target.F.shape[1] ** 2)
    assert isinstance(statistics, Gram)
    assert isinstance(target, Gram)
    N = target.G.shape[0]
    difference = statistics.G / statistics.M - target.G / target.M
    return jnp.sum(jnp.square(difference)) / (4 * N**2)


def _distance_of_positions(x: Positions, y: Positions) -> Scalar:
    """Σ (G/M − A/M′)² without either: Σᵢⱼ pᵢ pⱼ (fᵢᵀfⱼ)² − 2 pᵢ qⱼ (fᵢᵀaⱼ)² + qᵢ qⱼ (aᵢᵀaⱼ)², with weights p and q.

    That is a small difference of large numbers. As p and −q add up to 0, a constant c off all products takes
    2c ‖Fᵀp − Aᵀq‖² off the sum; with their mean for c, some 1e-8 of Σ (A/M′)² is rounded where it would be 1e-7. Where
    the distance is 1e-4 of that, the gradient is 2e-5 to 5e-5 off (by Gram matrices 4e-6), as one over its root.
    """
    mean = _product(y.p, y.F)
    c = jnp.sum(jnp.square(mean))

    def squares(p: Array, products: Array, q: Array) -> Array:
        return jnp.sum(jnp.square(products - c) * p[:, None] * q)

    across = squares(x.p, _product(x.F.T, y.F.T), y.p)
    means = jnp.sum(jnp.square(_product(x.p, x.F) - mean))
    value = squares(x.p, x.K, x.p) - 2 * across + squares(y.p, y.K, y.p) + 2 * c * means
    # Not below zero, and with a gradient even where rounding would have put it there.
    return value + jax.lax.stop_gradient(jnp.maximum(-value, 0))


class StatisticsOf(Protocol):
    """What a style loss keeps of the features of some layers."""

    def __call__(self, features: Features, weight: dict[str, Weight] | None = None) -> Statistics:
        """Statistics of each layer, positions weighted by `weight[layer]`."""
        ...


class StyleLoss(NamedTuple):
    """A style loss: what is kept of the features, and how far two of those are from each other.

    `few`, if there is one, is what is kept of a layer that has few positions instead, for the same distance.
    """

    statistics: StatisticsOf
    distance: Callable[[Statistics, Statistics, dict[str, Scalar]], Scalar]
    few: Callable[[Array, Weight | None], Any] | None = None


#: Style losses by name. A new one is one line here and two functions above.
STYLE_LOSSES: dict[str, StyleLoss] = {"gram": StyleLoss(gram_statistics, gram_distance, positions)}


@functools.cache
def where_few(style_loss: StyleLoss, layers: frozenset[str]) -> StyleLoss:
    """The same loss in less time, if there is a way, where the layers named have few positions.

    A Gram matrix takes M N² products for N filters, its gradient as many; `Positions` take M N (M + M′) each.
    """
    few = style_loss.few
    if few is None or not layers:
        return style_loss

    def statistics(features: Features, weight: dict[str, Weight] | None = None) -> Statistics:
        rest = {layer: F for layer, F in features.items() if layer not in layers}
        found = style_loss.statistics(rest, weight)
        found |= {
            layer: few(F, None if weight is None else weight[layer])
            for layer, F in features.items()
            if layer in layers
        }
        return found

    return style_loss._replace(statistics=statistics)


def _float32(x: Array) -> jax.Array:
    return jnp.asarray(x, jnp.float32)
