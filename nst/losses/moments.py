"""The distance between means and deviations of features.

Source: Li, Wang, Liu and Hou, Demystifying Neural Style Transfer, IJCAI 2017, section 4.2 (batch normalization
statistics).
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from nst.types import Array, Mask, Scalar

# Relative to a filter's mean square in the style. This is added to variances, as the root has no finite gradient at 0.
_LEAST_VARIANCE = 1e-5


class Moments(NamedTuple):
    """Sums over positions of a layer's features; all are additive.

    Attributes:
      s: Σ f.
      S: Σ f² of each filter, `[n]`, or Σ f fᵀ, `[n, n]`, where covariances are compared.
      M: The number of positions.
    """

    s: Float[Array, " n"]
    S: Float[Array, "*n n"]
    M: Scalar

    @property
    def positions(self) -> Array:
        """M, or 1 where a mask leaves no position."""
        return jnp.where(self.M > 0, self.M, 1)

    @property
    def mean(self) -> Array:
        """μ = Σ f / M."""
        return self.s / self.positions


class Deviations(NamedTuple):
    """The target of `moments_distance`: mean and deviation of each filter.

    Attributes:
      mean: μ.
      deviation: σ.
      floor: Added to a variance before its root is taken.
      M: The number of positions.
    """

    mean: Float[Array, " n"]
    deviation: Float[Array, " n"]
    floor: Float[Array, " n"]
    M: Scalar


def flat(
    features: Float[Array, "h w n"], mask: Mask | None
) -> tuple[Float[Array, "m n"], Float[Array, "m 1"]]:
    """Return the features in float32, one row for each position, and the weight of each position."""
    F = jnp.asarray(features, jnp.float32).reshape(-1, features.shape[-1])
    w = jnp.ones((F.shape[0], 1)) if mask is None else jnp.asarray(mask, jnp.float32).reshape(-1, 1)
    return F, w


def moments(features: Float[Array, "h w n"], mask: Mask | None = None) -> Moments:
    """Return Σ f, Σ f² of each filter, and M."""
    F, w = flat(features, mask)
    return Moments(jnp.sum(w * F, 0), jnp.sum(w * jnp.square(F), 0), jnp.sum(w))


def deviations(features: Float[Array, "h w n"], mask: Mask | None = None) -> Deviations:
    """Return the target of `moments_distance`."""
    statistics = moments(features, mask)
    mean_square = statistics.S / statistics.positions
    # At least the mean over all filters, for filters that are silent in the style.
    floor = _LEAST_VARIANCE * jnp.maximum(mean_square, jnp.mean(mean_square)) + jnp.finfo(jnp.float32).tiny
    return Deviations(statistics.mean, _deviation(statistics, floor), floor, statistics.M)


def moments_distance(statistics: Moments, target: Deviations) -> Scalar:
    """Return (‖μ − μ′‖² + ‖σ − σ′‖²) / N, 0 if either has no position."""
    means = jnp.mean(jnp.square(statistics.mean - target.mean))
    spreads = jnp.mean(jnp.square(_deviation(statistics, target.floor) - target.deviation))
    return jnp.where((statistics.M > 0) & (target.M > 0), means + spreads, 0)


def _deviation(statistics: Moments, floor: Array) -> Array:
    variance = statistics.S / statistics.positions - jnp.square(statistics.mean)
    return jnp.sqrt(jnp.maximum(variance, 0) + floor)
