"""The optimisation loop: state in, state out, whole chunks of steps without a word to the host.

It knows neither pictures nor networks: `fn(params, args, batch)` is any loss, `params` any pytree. Because the state is
complete, the same property gives resuming to the byte, warm starts and the training of networks.

Several problems go in lock-step as lanes: parameters with a leading axis, a loss that gives a vector, and `lanes` of
the optimiser. Each lane is accepted or refused on its own.
"""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from nst.errors import RunError, unknown
from nst.lbfgs import scale_by_lbfgs
from nst.pyramid import smooth
from nst.types import Array, Scalars

#: `fn(params, args, batch)` gives the loss and its named terms.
Loss = Callable[[Any, Any, Any], tuple[Scalars, dict[str, Scalars]]]

_MEMORY_SIZE = 50
_STRETCH = 3.0  # 2 takes a few steps more, 4 too; from 6 on the first steps diverge (docs/performance.md)


@functools.cache
def adam() -> optax.GradientTransformation:
    """Adam (Kingma and Ba, ICLR 2015) as optax has it."""
    return optax.inject_hyperparams(optax.adam)(learning_rate=0.02)


@functools.cache
def lbfgs() -> optax.GradientTransformation:
    """L-BFGS without a line search: one loss and gradient a step. Its learning rate, 1, is the length of a step."""
    return _with_learning_rate(scale_by_lbfgs(_MEMORY_SIZE))


@functools.cache
def lbfgs_pyramid() -> optax.GradientTransformation:
    """The same in a pyramid's coordinates: a quarter to a third fewer steps to a loss (docs/performance.md)."""
    return _with_learning_rate(scale_by_lbfgs(_MEMORY_SIZE, initial=smooth, stretch=_STRETCH))


def _with_learning_rate(direction: optax.GradientTransformation) -> optax.GradientTransformation:
    def descend(learning_rate: float | jax.Array) -> optax.GradientTransformation:
        return optax.chain(direction, optax.scale_by_learning_rate(learning_rate))

    return optax.inject_hyperparams(descend)(learning_rate=1.0)


#: Optimisers by name. Each is made once, so that what was compiled with it is found; the learning rate is in its state.
OPTIMIZERS: dict[str, Callable[[], optax.GradientTransformation]] = {
    "adam": adam,
    "lbfgs": lbfgs,
    "lbfgs_pyramid": lbfgs_pyramid,
}


def optimiser(name: str) -> optax.GradientTransformation:
    """The optimiser of that name, or InputError."""
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]()


@functools.cache
def lanes(optimiser: optax.GradientTransformation) -> optax.GradientTransformation:
    """The same for parameters with a leading axis, each lane with a state of its own."""
    return optax.GradientTransformation(jax.vmap(optimiser.init), jax.vmap(optimiser.update))


class State(NamedTuple):
    """Where an optimisation stands: all that the next step depends on, evaluated.

    `value`, `terms` and `gradient` are those of `params`. `attempt` has the magnitudes of the last evaluation, which
    differ from those of `params` only if one of them was not finite: then the step was not taken.
    In lock-step each leaf has a leading axis.
    """

    params: Any
    optimiser: Any
    value: Scalars
    terms: dict[str, Scalars]
    gradient: Any
    step: Array
    attempt: dict[str, Scalars]


def start(
    fn: Loss,
    params: Any,
    optimiser: optax.GradientTransformation,
    args: Any,
    *,
    learning_rate: float | Sequence[float] | None = None,
    batch: Any = None,
) -> State:
    """Evaluate the loss at `params`: the state at step 0, at the cost of one loss and gradient.

    Args:
      fn: The loss.
      params: What will be optimised.
      optimiser: An optax transformation; with `learning_rate` given, one made by `optax.inject_hyperparams`.
      args: Handed to `fn`: everything numeric that it depends on.
      learning_rate: Replaces the optimiser's own, or one for each lane. Numbers in the state: others never recompile.
      batch: Handed to `fn`.
    """
    # These will be donated: none may be shared, nor be the caller's.
    evaluated = jax.tree.map(jnp.array, (params, *_evaluate(fn, params, args, batch)))
    params, value, terms, gradient, attempt = evaluated
    state = _initial(optimiser, params)
    if learning_rate is not None:
        rates = jnp.broadcast_to(jnp.asarray(learning_rate, jnp.float32), value.shape)
        state = optax.tree.set(state, learning_rate=rates)
    return State(params, state, value, terms, gradient, jnp.zeros(value.shape, jnp.int32), attempt)


def minimise(
    fn: Loss,
    state: State,
    optimiser: optax.GradientTransformation,
    steps: int,
    args: Any,
    batches: Any = None,
) -> State:
    """Take `steps` steps without a round trip to the host, or fewer: none is taken to where the loss is not finite.

    Args:
      fn: The loss.
      state: Where to begin; its buffers are reused, so it can't be read afterwards.
      optimiser: The transformation that the state was made with.
      steps: How many; another number never recompiles.
      args: Handed to `fn`.
      batches: A pytree with a leading axis of at least `steps`: step i is evaluated on batch i.

    Returns:
      The state after the last step taken: `steps` further than `state` unless `finite` says otherwise.
    """
    # Queued one by one, and none is awaited. XLA may leave the body of a loop to one thread on a CPU. On a GPU a loop
    # is no faster but for the smallest pictures, and compiles the network a second time (docs/performance.md).
    for i in range(steps):
        state = _step(fn, state, optimiser, i, args, batches)
    return state


def compile_step(state: State, optimiser: optax.GradientTransformation) -> None:
    """Compile what a step takes beside the loss: memory left in pieces can be handed back before the first one."""
    evaluated = state.value, state.terms, state.gradient, state.attempt
    _propose.lower(optimiser, state.gradient, state.optimiser, state.params).compile()
    _commit.lower(state._replace(optimiser=None), state.params, evaluated).compile()


def _step(
    fn: Loss, state: State, optimiser: optax.GradientTransformation, i: int, args: Any, batches: Any
) -> State:
    """Three compiled calls: `_evaluate`, the largest by far, is the one that `start` has compiled already."""
    params, optimiser_state = _propose(optimiser, state.gradient, state.optimiser, state.params)
    evaluated = _evaluate(fn, params, args, jax.tree.map(lambda x: x[i], batches))
    # The optimiser's state is not selected: it saw finite values only, and its history may be 100 pictures large.
    return _commit(state._replace(optimiser=None), params, evaluated)._replace(optimiser=optimiser_state)


@functools.partial(jax.jit, static_argnames="optimiser")
def _initial(optimiser: optax.GradientTransformation, params: Any) -> Any:
    return optimiser.init(params)


@functools.partial(jax.jit, static_argnames="optimiser", donate_argnames="state")
def _propose(
    optimiser: optax.GradientTransformation, gradient: Any, state: Any, params: Any
) -> tuple[Any, Any]:
    updates, state = optimiser.update(gradient, state, params)
    return optax.apply_updates(params, updates), state


@jax.jit
def _commit(state: State, params: Any, evaluated: tuple[Scalars, dict, Any, dict]) -> State:
    """Take the step, unless what was evaluated is not finite."""
    value, terms, gradient, attempt = evaluated
    # Once a step was refused, those queued behind it are refused too, and its magnitudes are what is told.
    going = finite(state)
    good = going & _all_finite(attempt)
    attempt = _select(going, attempt, state.attempt)
    taken = State(params, None, value, terms, gradient, state.step + 1, attempt)
    return _select(good, taken, state._replace(attempt=attempt))


def _select(condition: jax.Array, yes: Any, no: Any) -> Any:
    def select(a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.where(condition.reshape(condition.shape + (1,) * (a.ndim - condition.ndim)), a, b)

    return jax.tree.map(select, yes, no)


@functools.partial(jax.jit, static_argnames="fn")
def _evaluate(fn: Loss, params: Any, args: Any, batch: Any) -> tuple[Scalars, dict, Any, dict]:
    value, pull, terms = jax.vjp(lambda params: fn(params, args, batch), params, has_aux=True)
    (gradient,) = pull(jnp.ones_like(value))  # of lanes each loss depends on its own parameters only

    def magnitude(tree: Any) -> Scalars:
        each = jax.tree.map(lambda x: jnp.max(jnp.abs(x), axis=tuple(range(value.ndim, x.ndim))), tree)
        return jax.tree.reduce(jnp.maximum, each)

    attempt = terms | {"loss": value, "gradient": magnitude(gradient), "params": magnitude(params)}
    return value, terms, gradient, attempt


@jax.jit
def _all_finite(attempt: dict[str, Scalars]) -> jax.Array:
    return jnp.isfinite(jnp.stack(list(attempt.values()))).all(axis=0)


def finite(state: State) -> jax.Array:
    """Whether the last evaluation was finite, of each lane."""
    return _all_finite(state.attempt)


def reached(state: State) -> int:
    """The steps taken, by the lane that got furthest."""
    return int(np.max(state.step))


@jax.jit
def lane(state: State, i: Array | int) -> State:
    """The state of one lane, as if it had gone alone."""
    return jax.tree.map(lambda x: x[i], state)


def chunks(
    fn: Loss,
    state: State,
    optimiser: optax.GradientTransformation,
    args: Any,
    stops: list[int],
    *,
    seconds: float = 2.0,
) -> Iterator[State]:
    """Go on to the last of `stops`, returning to the host about every `seconds` and at each stop.

    Args:
      fn: The loss.
      state: Where to begin.
      optimiser: The transformation that the state was made with.
      args: Handed to `fn`.
      stops: Step numbers, ascending, at which to yield in any case.
      seconds: The time between two yields; how the steps are cut up does not change the result.

    Yields:
      The state after each chunk. It can be read until the next one is asked for.

    Raises:
      RunError: The loss is not finite, in lock-step that of every lane. The last finite state was yielded.
    """
    pace = float("inf")
    for stop in stops:
        while (step := reached(state)) < stop:
            size = int(np.clip(seconds / pace, 1, stop - step))
            began = time.monotonic()
            state = jax.block_until_ready(minimise(fn, state, optimiser, size, args))
            # The first call may have compiled: what it took says nothing about the next.
            pace = (time.monotonic() - began) / size
            yield state
            if not np.any(finite(state)):
                raise diverged(state)


def diverged(state: State) -> RunError:
    """What to tell of a state, or of one of its lanes, whose last evaluation was not finite."""
    bad = [name for name, value in state.attempt.items() if not np.all(np.isfinite(value))]
    step = reached(state)
    return RunError(
        f"step {step + 1}: {', '.join(bad)} not finite; the state after step {step} is kept: "
        "lower optimizer.learning_rate or the loss weights"
    )
