"""The optimization loop: state in, state out, many steps without a word to the host.

It knows neither images nor networks: `params` may be any pytree, `evaluate` any value with a gradient. Because the
state is complete, the same property gives resuming to the byte, warm starts and the training of networks.

Several trials go in one compiled call as parameters with a leading axis, a loss that gives a vector, and a `batched`
optimizer. Each trial's steps are accepted or rejected on their own.
"""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from nst.errors import RunError
from nst.types import Array, Pytree, Scalars

#: `loss(params, args, batch)` gives the loss and its named terms.
Loss = Callable[[Pytree, Pytree, Pytree], tuple[Scalars, dict[str, Scalars]]]

#: `evaluate(params, args, batch)` gives the loss, its named terms and the gradient with respect to `params`.
Evaluate = Callable[[Pytree, Pytree, Pytree], tuple[Scalars, dict[str, Scalars], Pytree]]

#: `batch_at(step)` gives what step number `step` is evaluated on, such as a random key or a batch of a data set.
BatchAt = Callable[[int], Pytree]


def keys(seed: int) -> BatchAt:
    """Return the random key of each step."""
    key = jax.random.key(seed)
    return lambda step: jax.random.fold_in(key, step)


@functools.cache
def by_vjp(loss: Loss) -> Evaluate:
    """Return the evaluation of a loss by reverse-mode differentiation; the same function for the same loss."""

    def evaluate(params: Pytree, args: Pytree, batch: Pytree) -> tuple[Scalars, dict[str, Scalars], Pytree]:
        value, pull, terms = jax.vjp(lambda params: loss(params, args, batch), params, has_aux=True)
        (gradient,) = pull(jnp.ones_like(value))  # each trial's loss depends on its own parameters only
        return value, terms, gradient

    return evaluate


class State(NamedTuple):
    """The state of an optimization: all that the next step depends on, evaluated.

    `value`, `terms` and `gradient` are those of `params`. `attempt` has the magnitudes of the last evaluation, which
    differ from those of `params` only if one of them was not finite: then the step was not taken.
    With several trials each leaf has a leading axis.
    """

    params: Pytree
    optimizer: Pytree
    value: Scalars
    terms: dict[str, Scalars]
    gradient: Pytree
    step: Array
    attempt: dict[str, Scalars]


def start(
    evaluate: Evaluate,
    params: Pytree,
    optimizer: optax.GradientTransformation,
    args: Pytree,
    *,
    learning_rate: float | Sequence[float] | None = None,
    batch: Pytree = None,
) -> State:
    """Return the state at step 0, at the cost of one evaluation.

    Args:
      evaluate: Gives the loss, its terms and the gradient.
      params: What will be optimized.
      optimizer: An optax transformation; with `learning_rate` given, one made by `optax.inject_hyperparams`.
      args: Handed to `evaluate`: everything numeric that it depends on.
      learning_rate: Replaces the optimizer's own, or one for each trial. Numbers in the state: others never recompile.
      batch: Handed to `evaluate`.
    """
    # These will be donated: none may be shared, nor be the caller's.
    evaluated = jax.tree.map(jnp.array, (params, *_evaluate(evaluate, params, args, batch)))
    params, value, terms, gradient, attempt = evaluated
    state = _initial(optimizer, params)
    if learning_rate is not None:
        rates = jnp.broadcast_to(jnp.asarray(learning_rate, jnp.float32), value.shape)
        state = optax.tree.set(state, learning_rate=rates)
    return State(params, state, value, terms, gradient, jnp.zeros(value.shape, jnp.int32), attempt)


def minimize(
    evaluate: Evaluate,
    state: State,
    optimizer: optax.GradientTransformation,
    steps: int,
    args: Pytree,
    batch_at: BatchAt | None = None,
) -> State:
    """Take `steps` steps without a round trip to the host, or fewer: none is taken to where the loss is not finite.

    Args:
      evaluate: Gives the loss, its terms and the gradient.
      state: Where to begin; its buffers are reused, so it can't be read afterwards.
      optimizer: The transformation that the state was made with.
      steps: How many; another number never recompiles.
      args: Handed to `evaluate`.
      batch_at: What the parameters after step number `step` of the state are evaluated on. As it depends on
        the number alone, how steps are cut into calls changes no byte.

    Returns:
      The state after the last step taken: `steps` further than `state` unless `finite` says otherwise.
    """
    first = reached(state) + 1 if batch_at is not None else 0
    # Queued one by one, and none is awaited. XLA may leave the body of a loop to one thread on a CPU. On a GPU a loop
    # is no faster but for the smallest images, and compiles the network a second time (docs/archive/loop.md).
    for i in range(steps):
        batch = None if batch_at is None else batch_at(first + i)
        state = _step(evaluate, state, optimizer, args, batch)
    return state


def compile_step(state: State, optimizer: optax.GradientTransformation) -> None:
    """Compile what a step takes beside the loss, so that its memory can be released before the first one."""
    evaluated = state.value, state.terms, state.gradient, state.attempt
    _propose.lower(optimizer, state.gradient, state.optimizer, state.params).compile()
    _commit.lower(state._replace(optimizer=None), state.params, evaluated).compile()


def _step(
    evaluate: Evaluate, state: State, optimizer: optax.GradientTransformation, args: Pytree, batch: Pytree
) -> State:
    """Three compiled calls: `_evaluate`, the largest by far, is the one that `start` has compiled already."""
    params, optimizer_state = _propose(optimizer, state.gradient, state.optimizer, state.params)
    evaluated = _evaluate(evaluate, params, args, batch)
    # The optimizer's state is not selected: it saw finite values only, and its history may be 100 images large.
    return _commit(state._replace(optimizer=None), params, evaluated)._replace(optimizer=optimizer_state)


@functools.partial(jax.jit, static_argnames="optimizer")
def _initial(optimizer: optax.GradientTransformation, params: Pytree) -> Pytree:
    return optimizer.init(params)


@functools.partial(jax.jit, static_argnames="optimizer", donate_argnames="state")
def _propose(
    optimizer: optax.GradientTransformation, gradient: Pytree, state: Pytree, params: Pytree
) -> tuple[Pytree, Pytree]:
    updates, state = optimizer.update(gradient, state, params)
    return optax.apply_updates(params, updates), state


@jax.jit
def _commit(state: State, params: Pytree, evaluated: tuple[Scalars, dict, Pytree, dict]) -> State:
    """Take the step, unless what was evaluated is not finite."""
    value, terms, gradient, attempt = evaluated
    # After a rejected step, steps already queued are rejected too; the magnitudes of the first one are reported.
    going = finite(state)
    good = going & _all_finite(attempt)
    attempt = _select(going, attempt, state.attempt)
    taken = State(params, None, value, terms, gradient, state.step + 1, attempt)
    return _select(good, taken, state._replace(attempt=attempt))


def _select(condition: jax.Array, yes: Pytree, no: Pytree) -> Pytree:
    def select(a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.where(condition.reshape(condition.shape + (1,) * (a.ndim - condition.ndim)), a, b)

    return jax.tree.map(select, yes, no)


@functools.partial(jax.jit, static_argnames="evaluate")
def _evaluate(
    evaluate: Evaluate, params: Pytree, args: Pytree, batch: Pytree
) -> tuple[Scalars, dict, Pytree, dict]:
    value, terms, gradient = evaluate(params, args, batch)

    def magnitude(tree: Pytree) -> Scalars:
        each = jax.tree.map(lambda x: jnp.max(jnp.abs(x), axis=tuple(range(value.ndim, x.ndim))), tree)
        return jax.tree.reduce(jnp.maximum, each)

    attempt = terms | {"loss": value, "gradient": magnitude(gradient), "params": magnitude(params)}
    return value, terms, gradient, attempt


@jax.jit
def _all_finite(attempt: dict[str, Scalars]) -> jax.Array:
    return jnp.isfinite(jnp.stack(list(attempt.values()))).all(axis=0)


def finite(state: State) -> jax.Array:
    """Return whether the last evaluation was finite, of each trial."""
    return _all_finite(state.attempt)


def reached(state: State) -> int:
    """Return the steps taken, by the trial that got furthest."""
    return int(np.max(state.step))


@jax.jit
def trial(state: State, i: Array | int) -> State:
    """Return the state of one trial, as if it had gone alone."""
    return jax.tree.map(lambda x: x[i], state)


def chunks(
    evaluate: Evaluate,
    state: State,
    optimizer: optax.GradientTransformation,
    args: Pytree,
    stops: list[int],
    *,
    batch_at: BatchAt | None = None,
    seconds: float = 2.0,
) -> Iterator[State]:
    """Go on to the last of `stops`, returning to the host about every `seconds` and at each stop.

    Args:
      evaluate: Gives the loss, its terms and the gradient.
      state: Where to begin.
      optimizer: The transformation that the state was made with.
      args: Handed to `evaluate`.
      stops: Step numbers, ascending, at which to yield in any case.
      batch_at: As in `minimize`.
      seconds: The time between two yields; how the steps are cut up does not change the result.

    Yields:
      The state after each chunk. It can be read until the next one is asked for.

    Raises:
      RunError: The loss is not finite, of several trials that of every one. The last finite state was yielded.
    """
    pace = float("inf")
    for stop in stops:
        while (step := reached(state)) < stop:
            size = int(np.clip(seconds / pace, 1, stop - step))
            began = time.monotonic()
            state = jax.block_until_ready(minimize(evaluate, state, optimizer, size, args, batch_at))
            # The first call may have compiled: its time says nothing about the next.
            pace = (time.monotonic() - began) / size
            yield state
            if not np.any(finite(state)):
                raise diverged(state)


def diverged(state: State) -> RunError:
    """Return the error for a state, or for that of one trial, whose last evaluation was not finite."""
    bad = [name for name, value in state.attempt.items() if not np.all(np.isfinite(value))]
    step = reached(state)
    return RunError(
        f"step {step + 1}: {', '.join(bad)} not finite; the state after step {step} is kept: "
        "lower optimizer.learning_rate or the loss weights"
    )
