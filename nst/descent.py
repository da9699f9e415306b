"""The descent of one stage: steps of an optimizer, references of reduced precision, an early end."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from optax import GradientTransformation

from nst.optimize import BatchAt, Evaluate, State, chunks, compile_step, reached, start
from nst.types import Pytree

#: Steps between two references (`Extractor.reference`). With twice as many steps the final loss is 0.6 % higher;
#: computing a reference takes a third of the time of a step (docs/archive/precision.md).
REFRESH_EVERY = 25

#: Steps between two losses that are compared for `nst.stages.Stage.tolerance`.
COMPARE_EVERY = 5

#: A function that is called when much memory has just become free; see `nst.process.release_free_memory`.
Release = Callable[[], None]


def keep_memory() -> None:
    """Release nothing."""


def _params(objective: Pytree, params: Pytree) -> Pytree:
    return params


class Method(NamedTuple):
    """The optimization method of all stages.

    Attributes:
      evaluate: Returns the loss, its terms and the gradient; its `args` are the objective.
      optimizer: An optax transformation.
      learning_rate: The learning rate, or one for each of several trials; by default the optimizer's own.
      refresh: `refresh(objective, params)` returns the objective with the reference of the image of `params`; None for
        an extractor that needs no reference.
      batch_at: `batch_at(step)` returns the random input of step number `step` of the whole run.
      image: `image(objective, params)` returns the image that terms see.
    """

    evaluate: Evaluate
    optimizer: GradientTransformation
    learning_rate: float | Sequence[float] | None = None
    refresh: Callable[[Pytree, Pytree], Pytree] | None = None
    batch_at: BatchAt | None = None
    image: Callable[[Pytree, Pytree], Pytree] = _params


class Initial(NamedTuple):
    """The initial parameters of a stage that is not resumed."""

    params: Pytree


def _begin(method: Method, objective: Pytree, params: Pytree) -> State:
    """Return the state at the initial parameters of a stage."""
    batch = None if method.batch_at is None else method.batch_at(0)
    return start(
        method.evaluate, params, method.optimizer, objective, learning_rate=method.learning_rate, batch=batch
    )


def shapes(method: Method, objective: Pytree, like: Pytree, tolerance: float | None) -> Pytree:
    """Return the shapes and types of state, reference and compared loss; arguments as in `nst.stages.Stage`."""

    def begin(params: Pytree) -> tuple[State, Pytree, Pytree]:
        refreshed = objective if method.refresh is None else method.refresh(objective, params)
        state = _begin(method, refreshed, params)
        return (
            state,
            None if method.refresh is None else params,
            None if tolerance is None else state.value,
        )

    return jax.eval_shape(begin, like)


class Point(NamedTuple):
    """A point of a descent; the attributes are those of `nst.stages.Snapshot`."""

    state: State
    reference: Pytree
    compared: Pytree
    last: bool


def descend(
    method: Method,
    objective: Pytree,
    begin: Initial | tuple[State, Pytree, Pytree],
    stops: list[int],
    tolerance: float | None,
    release: Release,
    compiles: bool,
) -> Iterator[Point]:
    """Minimize one stage from parameters, or from `nst.stages.Snapshot.tree`.

    Args:
      method: The optimization method.
      objective: The objective of the stage.
      begin: The initial parameters, or the state to go on from.
      stops: Ascending steps of the stage at which to yield; it ends at the last.
      tolerance: `nst.stages.Stage.tolerance`.
      release: Called when much memory has just become free.
      compiles: Whether the shapes are new.
    """
    if isinstance(begin, Initial):
        reference = None if method.refresh is None else begin.params
        args = _with_reference(method, objective, reference, release)
        state = _begin(method, args, begin.params)
        compared = None if tolerance is None else np.asarray(state.value)
    else:
        state, reference, compared = begin
        args = _with_reference(method, objective, reference, release)
    if compiles:
        compile_step(state, method.optimizer)
        jax.block_until_ready(state)
        release()  # compiling takes as much memory
    point = _point(state, reference, compared, tolerance, stops[-1])
    yield point
    while not point.last:
        next_stops, step = stops, reached(state)
        if method.refresh is not None:
            if step and step % REFRESH_EVERY == 0:
                reference = jax.tree.map(
                    jnp.array, state.params
                )  # a copy: the buffers of the state are reused
                args = objective  # free the previous reference first
                args = _with_reference(method, objective, reference, release)
            end = min(step - step % REFRESH_EVERY + REFRESH_EVERY, stops[-1])
            next_stops = [stop for stop in stops if step < stop < end] + [end]
        compared = _compared(state, point.compared)
        for current in chunks(
            method.evaluate, state, method.optimizer, args, next_stops, batch_at=method.batch_at
        ):
            state = current
            point = _point(state, reference, compared, tolerance, stops[-1])
            yield point
            if point.last:
                break
            compared = _compared(state, compared)


def _with_reference(method: Method, objective: Pytree, reference: Pytree, release: Release) -> Pytree:
    """Return the objective with a new reference, for extractors that need one."""
    release()  # computing targets or a reference takes hundreds of MiB for a moment and leaves them in fragments
    if method.refresh is None:
        return objective
    refreshed = jax.block_until_ready(method.refresh(objective, reference))
    release()
    return refreshed


def _point(state: State, reference: Pytree, compared: Pytree, tolerance: float | None, steps: int) -> Point:
    """Return the point of a state; it is the last if all steps are taken, or the loss falls too slowly."""
    step = reached(state)
    slow = False
    if tolerance is not None and _compares(step):
        slow = float(compared) - float(state.value) < tolerance * float(compared)
    return Point(state, reference, compared, step >= steps or slow)


def _compared(state: State, compared: Pytree) -> Pytree:
    """Return the loss that the next one is compared with."""
    return np.asarray(state.value) if compared is not None and _compares(reached(state)) else compared


def _compares(step: int) -> bool:
    return step > 0 and step % COMPARE_EVERY == 0
