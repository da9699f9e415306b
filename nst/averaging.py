"""A box that parameters stay in, and the average of iterates, as optax transformations."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from nst.types import Array, Pytree


def keep_in_box(low: float, high: float) -> optax.GradientTransformation:
    """Cut updates so that no parameter leaves [low, high]: the last transformation before an average."""

    def init(params: optax.Params) -> optax.OptState:
        return optax.EmptyState()

    def update(
        updates: optax.Updates, state: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        cut = jax.tree.map(lambda u, x: jnp.clip(x + u, low, high) - x, updates, params)
        return cut, state

    return optax.GradientTransformation(init, update)


class AverageState(NamedTuple):
    """The average of the iterates so far.

    Attributes:
      steps: The number of iterates.
      average: Their weighted mean; the parameters to begin with.
    """

    steps: Array
    average: Pytree


def average_iterates(decay: float) -> optax.GradientTransformation:
    """Keep an exponential moving average of the parameters, which `averaged` finds; the updates pass through.

    Each iterate weighs `decay` times as much as the next, and the weights sum to 1 from the first iterate on (Kingma
    and Ba, Adam, ICLR 2015, section 7.2). It has to be the last transformation of a chain.
    """

    def init(params: optax.Params) -> AverageState:
        return AverageState(jnp.zeros((), jnp.int32), params)

    def update(
        updates: optax.Updates, state: Any, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        steps = state.steps + 1
        rate = (1 - decay) / (1 - decay**steps)
        average = jax.tree.map(lambda a, x, u: a + rate * (x + u - a), state.average, params, updates)
        return updates, AverageState(steps, average)

    return optax.GradientTransformation(init, update)


def averaged(state: optax.OptState, params: Pytree) -> Pytree:
    """Return the average that the optimizer keeps, or the parameters if it keeps none."""
    return optax.tree.get(state, "average", params)
