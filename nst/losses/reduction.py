"""Sums and means over positions, from sums that can be added over parts of an image."""

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from nst.types import Array, Mask, Scalar

#: Reductions of values at positions to a loss. With `mean` the same weights give the same balance at any size; `sum` is
#: the form of Gatys, Ecker and Bethge (CVPR 2016).
REDUCTIONS = ("mean", "sum")


class Total(NamedTuple):
    """A sum and its number of values; both are additive over parts of an image."""

    sum: Scalar
    n: Scalar


def total(values: Float[Array, "h w c"], mask: Mask | None = None) -> Total:
    """Return the sum of `values`, weighted by `mask` `[h, w]`, and the sum of the weights of all values."""
    if mask is None:
        return Total(jnp.sum(values), jnp.asarray(values.size, jnp.float32))
    return Total(jnp.sum(mask[..., None] * values), jnp.sum(mask) * values.shape[-1])


def reduced(reduction: str, totals: Mapping[str, Total]) -> Scalar:
    """Return the sum over layers of each layer's `sum` or `mean`; a layer without positions counts as 0."""
    each = (x.sum if reduction == "sum" else x.sum / jnp.where(x.n > 0, x.n, 1) for x in totals.values())
    return sum(each, jnp.zeros(()))


def sum_of(statistics: Mapping[str, Total], target: None) -> Scalar:
    """Return the sum over positions, as the value of a term without a target."""
    return reduced("sum", statistics)


def mean_of(statistics: Mapping[str, Total], target: None) -> Scalar:
    """Return the mean over positions, as the value of a term without a target."""
    return reduced("mean", statistics)
