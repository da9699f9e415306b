"""The optimization loop: state in, state out, many steps without a round trip to the host.

It depends neither on images nor on networks: `params` may be any pytree, `evaluate` any value with a gradient. As the
state is complete, runs can be resumed with the same bytes, started warm, or train networks.

Several trials run in one compiled call with parameters that have a leading axis, a loss that returns a vector, and a
`batched` optimizer. The steps of each trial are accepted or rejected independently.
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

#: `loss(params, args, batch)` returns the loss and its named terms.
Loss = Callable[[Pytree, Pytree, Pytree], tuple[Scalars, dict[str, Scalars]]]

#: `evaluate(params, args, batch)` returns the loss, its named terms and the gradient with respect to `params`.
Evaluate = Callable[[Pytree, Pytree, Pytree], tuple[Scalars, dict[str, Scalars], Pytree]]

#: `batch_at(step)` returns the random input of step number `step`, such as a key or a batch of a data set.
BatchAt = Callable[[int], Pytree]


def keys(seed: int) -> BatchAt:
    """Return a function from the step number to its random key."""
    key = jax.random.key(seed)
    return lambda step: jax.random.fold_in(key, step)


@functools.cache
def by_vjp(loss: Loss) -> Evaluate:
    """Return the evaluation of a loss by reverse-mode differentiation, the same function for the same loss."""

    def evaluate(params: Pytree, args: Pytree, batch: Pytree) -> tuple[Scalars, dict[str, Scalars], Pytree]:
        value, pull, terms = jax.vjp(lambda params: loss(params, args, batch), params, has_aux=True)
        (gradient,) = pull(jnp.ones_like(value))  # each trial's loss depends on its own parameters only
        return value, terms, gradient

    return evaluate


class State(NamedTuple):
    """The complete state of an optimization. With several trials each leaf has a leading axis.

    Attributes:
      params: The parameters after the last accepted step.
      optimizer: The state of the optimizer.
      value: The loss at `params`.
      terms: The terms of the loss at `params`, by name.
      gradient: The gradient of the loss at `params`.
      step: The number of accepted steps.
      attempt: The loss, its terms, and the largest absolute values of gradient and parameters, by name, of the last
        evaluation. It is that of `params`, unless one of these numbers was not finite and the step was rejected.
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
      evaluate: Returns the loss, its terms and the gradient.
      params: The initial parameters.
      optimizer: An optax transformation, made by `optax.inject_hyperparams` if a `learning_rate` is given.
      args: Passed to `evaluate`: all its numeric inputs.
      learning_rate: Replaces the optimizer's own; a sequence has one for each trial. It is part of the state, so that
        another value does not recompile.
      batch: The random input of this evaluation, passed to `evaluate`.
    """
    # Copies, because the buffers are donated later: none may be shared or belong to the caller.
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
    """Take `steps` steps without a round trip to the host; stop before a step whose loss is not finite.

    Args:
      evaluate: Returns the loss, its terms and the gradient.
      state: The state to start from; its buffers are reused, so it can't be read afterwards.
      optimizer: The transformation that the state was made with.
      steps: The number of steps; another number does not recompile.
      args: Passed to `evaluate`.
      batch_at: Returns the random input for the evaluation after step number `step` of the state. As it depends on
        the number only, cutting the steps into other calls gives the same bytes.

    Returns:
      The state after the last accepted step: `steps` after `state` if it is `finite`.
    """
    first = reached(state) + 1 if batch_at is not None else 0
    # Steps are queued one by one without waiting, not put into a loop of XLA: on a CPU it may run the body of a loop in
    # one thread; on a GPU a loop is faster for the smallest images only, and compiles the network a second time
    # (docs/archive/loop.md).
    for i in range(steps):
        batch = None if batch_at is None else batch_at(first + i)
        state = _step(evaluate, state, optimizer, args, batch)
    return state


def compile_step(state: State, optimizer: optax.GradientTransformation) -> None:
    """Compile the functions of a step except the loss, so that memory for compiling is free before the first step."""
    evaluated = state.value, state.terms, state.gradient, state.attempt
    _propose.lower(optimizer, state.gradient, state.optimizer, state.params).compile()
    _commit.lower(state._replace(optimizer=None), state.params, evaluated).compile()


def _step(
    evaluate: Evaluate, state: State, optimizer: optax.GradientTransformation, args: Pytree, batch: Pytree
) -> State:
    """Take a step in three compiled calls; `start` has already compiled the largest, `_evaluate`."""
    params, optimizer_state = _propose(optimizer, state.gradient, state.optimizer, state.params)
    evaluated = _evaluate(evaluate, params, args, batch)
    # `_commit` leaves out the optimizer's state: it was computed from finite values only, and the history of L-BFGS may
    # take as much memory as 100 images.
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
    """Accept the step if all evaluated values are finite."""
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


def gradient(evaluate: Evaluate, params: Pytree, args: Pytree, batch: Pytree = None) -> Pytree:
    """Return the gradient, by the program that `start` and each step use."""
    return _evaluate(evaluate, params, args, batch)[2]


@jax.jit
def _all_finite(attempt: dict[str, Scalars]) -> jax.Array:
    return jnp.isfinite(jnp.stack(list(attempt.values()))).all(axis=0)


def finite(state: State) -> jax.Array:
    """Return whether the last evaluation was finite: a boolean scalar, or `[n]` with `n` trials."""
    return _all_finite(state.attempt)


def reached(state: State) -> int:
    """Return the number of accepted steps; with several trials, the largest."""
    return int(np.max(state.step))


@jax.jit
def trial(state: State, i: Array | int) -> State:
    """Return the state of one trial, as if it had run alone."""
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
    """Take steps up to the last of `stops`, returning to the host about every `seconds` and at each stop.

    Args:
      evaluate: Returns the loss, its terms and the gradient.
      state: The state to start from.
      optimizer: The transformation that the state was made with.
      args: Passed to `evaluate`.
      stops: Ascending step numbers at which to yield in any case.
      batch_at: As in `minimize`.
      seconds: The time between two yields, which does not change the result.

    Yields:
      The state after each chunk. It can be read until the next one is requested.

    Raises:
      RunError: An evaluation was not finite; with several trials, in all of them. The last finite state was yielded.
    """
    pace = float("inf")
    for stop in stops:
        while (step := reached(state)) < stop:
            size = int(np.clip(seconds / pace, 1, stop - step))
            began = time.monotonic()
            state = jax.block_until_ready(minimize(evaluate, state, optimizer, size, args, batch_at))
            # The pace is that of the last call only, as the first may have compiled.
            pace = (time.monotonic() - began) / size
            yield state
            if not np.any(finite(state)):
                raise diverged(state)


def diverged(state: State) -> RunError:
    """Return the error for a state, or the state of one trial, whose last evaluation was not finite."""
    bad = [name for name, value in state.attempt.items() if not np.all(np.isfinite(value))]
    step = reached(state)
    return RunError(
        f"step {step + 1}: {', '.join(bad)} not finite; the state after step {step} is kept: "
        "lower optimizer.learning_rate or the loss weights"
    )
