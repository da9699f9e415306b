"""The sliced 2-Wasserstein distance of features.

Source: Heitz, Vanhoey, Chambon and Belcour, A Sliced Wasserstein Loss for Neural Texture Synthesis, CVPR 2021,
equations 5 and 6. Features are projected on random directions; along each direction the optimal transport matches
sorted values.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nst.losses.gram import product
from nst.losses.moments import flat
from nst.types import Array, Mask, Scalar

#: Number of directions of each layer; in the article it is the number of filters. Sorting takes most of the time.
DIRECTIONS = 64
_SEED = 0


class Sorted(NamedTuple):
    """Projections of a layer's features, ascending in each direction. Not additive.

    Attributes:
      x: θᵀf.
      p: The normalized weight of each position, in the order of `x`; the sum along a direction is 1, or 0 if a mask
        leaves no position. None if all positions count the same.
      theta: The directions, of length 1.
    """

    x: Float[Array, "d m"]
    p: Float[Array, "d m"] | None
    theta: Float[Array, "n d"]


class Quantiles(NamedTuple):
    """The target of `sliced_distance`: projections of the style at equal steps of probability.

    Attributes:
      x: θᵀf, ascending in each direction.
      present: Whether the style has a position.
    """

    x: Float[Array, "d m"]
    present: Array


class Positions(NamedTuple):
    """The target of `fresh_distance`: features of the style, to be projected on new directions at each step."""

    features: Float[Array, "h w n"]
    mask: Mask | None


def projections(features: Float[Array, "h w n"], mask: Mask | None = None) -> Sorted:
    """Return the projections on fixed directions, which depend only on the number of filters."""
    n = features.shape[-1]
    directions = np.random.default_rng([_SEED, n]).standard_normal((n, DIRECTIONS)).astype(np.float32)
    return _project(features, mask, _unit(jnp.asarray(directions)))


def fresh_projections(features: Float[Array, "h w n"], mask: Mask | None, key: jax.Array) -> Sorted:
    """Return the projections on directions drawn by `key`."""
    return _project(features, mask, _unit(jax.random.normal(key, (features.shape[-1], DIRECTIONS))))


def _unit(directions: Array) -> Array:
    return directions / jnp.linalg.norm(directions, axis=0)


def _project(features: Array, mask: Mask | None, theta: Array) -> Sorted:
    F, w = flat(features, mask)
    x = product(theta, F.T)
    if mask is None:
        return Sorted(jnp.sort(x), None, theta)
    total = jnp.sum(w)
    p = jnp.broadcast_to((w / jnp.where(total > 0, total, 1)).T, x.shape)
    x, p = jax.lax.sort((x, p), num_keys=1)
    return Sorted(x, p, theta)


def quantiles(features: Float[Array, "h w n"], mask: Mask | None = None) -> Quantiles:
    """Return the target of `sliced_distance`."""
    return _quantiles(projections(features, mask))


def _quantiles(style: Sorted) -> Quantiles:
    if style.p is None:
        return Quantiles(style.x, jnp.asarray(True))
    m = style.x.shape[1]
    levels = (jnp.arange(m) + 0.5) / m
    x = jax.vmap(lambda p, x: jnp.interp(levels, _levels(p), x))(style.p, style.x)
    return Quantiles(x, jnp.sum(style.p) > 0)


def sliced_distance(statistics: Sorted, target: Quantiles) -> Scalar:
    """Return the mean over directions of the squared distance along each, 0 if either has no position.

    The mean of (θᵀv)² over all directions is ‖v‖²/N, so the distance is comparable to that of `wasserstein`.
    """
    d, m = statistics.x.shape
    k = target.x.shape[1]
    levels = (
        (np.arange(m, dtype=np.float32) + 0.5)[None] / m if statistics.p is None else _levels(statistics.p)
    )
    # Interpolate between neighboring quantiles of the style, which may have another number of positions.
    place = jnp.clip(levels * k - 0.5, 0, k - 1)
    below = jnp.floor(place).astype(jnp.int32)
    share = place - below
    above = jnp.minimum(below + 1, k - 1)
    if statistics.p is None:
        low, high = target.x[:, below[0]], target.x[:, above[0]]
    else:
        low, high = (jnp.take_along_axis(target.x, index, axis=1) for index in (below, above))
    apart = jnp.square(statistics.x - (1 - share) * low - share * high)
    mean = jnp.sum(apart / m if statistics.p is None else statistics.p * apart) / d
    return jnp.where(target.present, mean, 0)


def fresh_distance(statistics: Sorted, target: Positions) -> Scalar:
    """Return `sliced_distance`, with the style projected on the directions of the statistics."""
    return sliced_distance(statistics, _quantiles(_project(target.features, target.mask, statistics.theta)))


def _levels(p: Float[Array, "d m"]) -> Float[Array, "d m"]:
    """Return the probability level of each sorted value: the sum of `p` below it, plus half of its own."""
    return jnp.cumsum(p, axis=1) - p / 2
