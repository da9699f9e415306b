"""Box constraints and averages of iterates, as optax transformations."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from nst.types import Array, Pytree


def keep_in_box(low: float, high: float) -> optax.GradientTransformation:
    """Clip updates so that parameters stay in [low, high]; only `average_iterates` may follow it in a chain."""

    def init(params: optax.Params) -> optax.OptState:
        return optax.EmptyState()

    def update(
        updates: optax.Updates, state: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        clipped = jax.tree.map(lambda u, x: jnp.clip(x + u, low, high) - x, updates, params)
        return clipped, state

    return optax.GradientTransformation(init, update)


class AverageState(NamedTuple):
    """The average of the iterates so far.

    Attributes:
      steps: The number of iterates.
      average: Their weighted mean; at first the initial parameters.
    """

    steps: Array
    average: Pytree


def average_iterates(decay: float) -> optax.GradientTransformation:
    """Keep an exponential moving average of the parameters, for `averaged`; updates are not changed.

    Each iterate has `decay` times the weight of the next, and the weights sum to 1 from the first iterate on (Kingma
    and Ba, Adam, ICLR 2015, section 7.2). It must be the last transformation of a chain.
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
