"""The driver of every descent: stages in a row, each with its own objective, from the first step or a checkpoint."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from optax import GradientTransformation

from nst.averaging import averaged
from nst.optimize import BatchAt, Evaluate, State, chunks, compile_step, reached, start
from nst.types import Pytree

#: Steps between two references. With twice as many the loss ends 0.6 % higher; a reference takes as long as a third of
#: a step (docs/archive/precision.md).
REFRESH_EVERY = 25

#: Called where much memory has just become free; see `nst.process.release_free_memory`.
Release = Callable[[], None]


def keep_memory() -> None:
    """Release nothing."""


class Stage(NamedTuple):
    """One descent of a run, such as a scale of a pyramid.

    Attributes:
      steps: Steps of the stage.
      like: Shapes and types of the parameters, a pytree of `jax.ShapeDtypeStruct`.
      objective: Builds what is minimized.
      begin: Given the image at which the stage before ended, or None in the first stage, returns the parameters to
        begin with. A resumed stage does not call it.
    """

    steps: int
    like: Pytree
    objective: Callable[[], Pytree]
    begin: Callable[[Pytree], Pytree]


class Snapshot(NamedTuple):
    """The state of a run.

    Attributes:
      stage: The index of the stage.
      step: Steps taken over all stages.
      evaluations: Losses and gradients computed over all stages.
      state: The state of the stage's optimization; its `step` counts from the beginning of the stage.
      reference: The parameters that rounded features are computed near; None where nothing is rounded.
      image: The image that the parameters stand for, as terms see it, or their average where the optimizer keeps one;
        for audio a spectrogram or samples.
      stochastic: Whether the loss is random at each step.
    """

    stage: int
    step: int
    evaluations: int
    state: State
    reference: Pytree
    image: Pytree
    stochastic: bool = False

    @property
    def tree(self) -> Pytree:
        """All that the next step depends on, as a pytree of arrays: `Resume.restore` returns it."""
        return self.state, self.reference


class Resume(NamedTuple):
    """The checkpoint to resume from.

    Attributes:
      stage: The index of the stage.
      restore: Given the shapes and types of `Snapshot.tree`, returns its arrays.
    """

    stage: int
    restore: Callable[[Pytree], Pytree]


def _params(objective: Pytree, params: Pytree) -> Pytree:
    return params


class Method(NamedTuple):
    """The optimization method of all stages.

    Attributes:
      evaluate: Gives the loss, its terms and the gradient; its `args` are the objective.
      optimizer: An optax transformation.
      learning_rate: The optimizer's own by default; one for each of several trials.
      refresh: `refresh(objective, params)` gives the objective with features computed near `params`, for extractors
        that round; None for others.
      batch_at: `batch_at(step)` gives what step number `step` of the whole run is evaluated on.
      image: `image(objective, params)` gives the image that terms see.
    """

    evaluate: Evaluate
    optimizer: GradientTransformation
    learning_rate: float | Sequence[float] | None = None
    refresh: Callable[[Pytree, Pytree], Pytree] | None = None
    batch_at: BatchAt | None = None
    image: Callable[[Pytree, Pytree], Pytree] = _params


def run(
    stages: Sequence[Stage],
    method: Method,
    *,
    every: Sequence[int] = (),
    resume: Resume | None = None,
    release: Release = keep_memory,
) -> Iterator[Snapshot]:
    """Minimize stage after stage.

    Args:
      stages: In order.
      method: How each is minimized.
      every: A snapshot is yielded at least at the multiples of these step numbers.
      resume: Where an earlier run stood; it goes on to the same bytes that the whole run would have reached.
      release: Called where much memory has just become free.

    Yields:
      A snapshot where a stage begins, about every two seconds, and at the end of each stage. Its arrays can be read
      until the next one is asked for.

    Raises:
      RunError: A value is not finite; the last good snapshot was yielded before.
    """
    previous, done = None, 0
    for index, stage in enumerate(stages):
        if resume is None or index >= resume.stage:
            objective, stops = stage.objective(), _stops(done, stage.steps, every)
            if resume is not None and index == resume.stage:
                begin = resume.restore(_shapes(method, objective, stage.like))
            else:
                begin = _Parameters(jax.device_put(stage.begin(previous)))
            for state, reference in _descend(_offset(method, done), objective, begin, stops, release):
                step = done + reached(state)
                image = method.image(objective, averaged(state.optimizer, state.params))
                random = method.batch_at is not None
                yield Snapshot(index, step, step + index + 1, state, reference, image, random)
                previous = image
            previous = jax.tree.map(np.asarray, previous)
            objective = begin = state = reference = image = None  # free them before the next stage's are made
        done += stage.steps


class _Parameters(NamedTuple):
    """Parameters that a stage begins with, where no state is resumed."""

    params: Pytree


def _offset(method: Method, done: int) -> Method:
    """Count steps from the beginning of the run."""
    batch_at = method.batch_at
    return method if batch_at is None else method._replace(batch_at=lambda step: batch_at(done + step))


def _stops(done: int, steps: int, every: Sequence[int]) -> list[int]:
    """The steps of a stage after which to return to the host: multiples over the whole run, and the last."""
    multiples = {step for n in every for step in range(n - done % n, steps, n)}
    return sorted(multiples | {steps})


def _begin(method: Method, objective: Pytree, params: Pytree) -> State:
    """Evaluate the parameters that a stage begins with."""
    batch = None if method.batch_at is None else method.batch_at(0)
    return start(
        method.evaluate, params, method.optimizer, objective, learning_rate=method.learning_rate, batch=batch
    )


def _shapes(method: Method, objective: Pytree, like: Pytree) -> Pytree:
    """The shapes and types of `Snapshot.tree`."""

    def begin(params: Pytree) -> tuple[State, Pytree]:
        refreshed = objective if method.refresh is None else method.refresh(objective, params)
        reference = None if method.refresh is None else params
        return _begin(method, refreshed, params), reference

    return jax.eval_shape(begin, like)


def _descend(
    method: Method,
    objective: Pytree,
    begin: _Parameters | tuple[State, Pytree],
    stops: list[int],
    release: Release,
) -> Iterator[tuple[State, Pytree]]:
    """Minimize one stage from parameters, or from a state and its reference; yield both."""

    def with_reference(reference: Pytree) -> Pytree:
        release()  # computing targets or a reference takes hundreds of MiB for a moment, which then lie in pieces
        if method.refresh is None:
            return objective
        refreshed = jax.block_until_ready(method.refresh(objective, reference))
        release()
        return refreshed

    if isinstance(begin, _Parameters):
        reference = None if method.refresh is None else begin.params
        args = with_reference(reference)
        state = _begin(method, args, begin.params)
    else:
        state, reference = begin
        args = with_reference(reference)
    compile_step(state, method.optimizer)
    jax.block_until_ready(state)
    release()  # compiling takes as much
    yield state, reference
    while (step := reached(state)) < stops[-1]:
        piece = stops
        if method.refresh is not None:
            if step and step % REFRESH_EVERY == 0:
                reference = jax.tree.map(jnp.array, state.params)  # the state's own will be written over
                args = objective  # free the former reference first
                args = with_reference(reference)
            end = min(step - step % REFRESH_EVERY + REFRESH_EVERY, stops[-1])
            piece = [stop for stop in stops if step < stop < end] + [end]
        for current in chunks(
            method.evaluate, state, method.optimizer, args, piece, batch_at=method.batch_at
        ):
            state = current
            yield state, reference
