"""The driver of all optimizations: stages in sequence, each with an objective, from the start or a checkpoint."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from optax import GradientTransformation

from nst.optim.averaging import averaged
from nst.optimize import BatchAt, Evaluate, State, chunks, compile_step, reached, start
from nst.types import Pytree

#: Steps between two references (`Extractor.reference`). With twice as many steps the final loss is 0.6 % higher;
#: computing a reference takes a third of the time of a step (docs/archive/precision.md).
REFRESH_EVERY = 25

#: Steps between two losses that are compared for `Stage.tolerance`.
COMPARE_EVERY = 5

#: A function that is called when much memory has just become free; see `nst.process.release_free_memory`.
Release = Callable[[], None]


def keep_memory() -> None:
    """Release nothing."""


class Stage(NamedTuple):
    """One optimization of a run, such as a scale of a pyramid.

    Attributes:
      steps: Steps of the stage.
      like: Shapes and types of the parameters, a pytree of `jax.ShapeDtypeStruct`.
      objective: Builds the objective to minimize.
      begin: Returns the initial parameters, given the final image of the previous stage, or None in the first stage.
        It is not called for a resumed stage.
      tolerance: The stage ends early when the loss has fallen by less than this share in `COMPARE_EVERY` steps; None to
        take all steps. The steps that are left out still count, so that the number of a step tells its stage.
    """

    steps: int
    like: Pytree
    objective: Callable[[], Pytree]
    begin: Callable[[Pytree], Pytree]
    tolerance: float | None = None


class Snapshot(NamedTuple):
    """The state of a run.

    Attributes:
      stage: The index of the stage.
      step: Steps taken over all stages.
      evaluations: Losses and gradients computed over all stages.
      state: The state of the stage's optimization; its `step` counts from the beginning of the stage.
      reference: The parameters of the image whose `Extractor.reference` is in use; None if the extractor needs none.
      image: The image of the parameters, as terms see it, or of their average if the optimizer keeps one; for audio a
        spectrogram or samples.
      stochastic: Whether the loss is random at each step.
      compared: The loss that the next one is compared with for `Stage.tolerance`; None without a tolerance.
      last: Whether the stage ends here.
      final: Whether the run ends here.
    """

    stage: int
    step: int
    evaluations: int
    state: State
    reference: Pytree
    image: Pytree
    stochastic: bool = False
    compared: Pytree = None
    last: bool = False
    final: bool = False

    @property
    def tree(self) -> Pytree:
        """The pytree of arrays to checkpoint: the complete state of the stage. `Resume.restore` returns it."""
        return self.state, self.reference, self.compared


class Resume(NamedTuple):
    """The checkpoint to resume from.

    Attributes:
      stage: The index of the stage.
      restore: Returns the arrays of `Snapshot.tree`, given their shapes and types.
      evaluations: `Snapshot.evaluations` of the checkpoint; by default every stage before took all its steps.
    """

    stage: int
    restore: Callable[[Pytree], Pytree]
    evaluations: int | None = None


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


def run(
    stages: Sequence[Stage],
    method: Method,
    *,
    every: Sequence[int] = (),
    resume: Resume | None = None,
    release: Release = keep_memory,
) -> Iterator[Snapshot]:
    """Minimize the objectives of stages, one after the other.

    Args:
      stages: The stages in order.
      method: The optimization method of all stages.
      every: Intervals in steps; a snapshot is yielded at least at every multiple of each interval.
      resume: The checkpoint of an earlier run to continue, to the same bytes as without an interruption.
      release: Called when much memory has just become free.

    Yields:
      A snapshot at the beginning of each stage, about every two seconds, and at the end of each stage. Its arrays can
      be read until the next one is requested.

    Raises:
      RunError: A value is not finite; the last good snapshot was yielded before.
    """
    previous, compiled, done, evaluations = None, None, 0, 0  # the last two count before the stage
    for index, stage in enumerate(stages):
        if resume is not None and index < resume.stage:
            done, evaluations = done + stage.steps, evaluations + stage.steps + 1
            continue
        objective = stage.objective()
        if resume is not None and index == resume.stage:
            begin = resume.restore(_shapes(method, objective, stage))
            if resume.evaluations is not None:
                evaluations = resume.evaluations - reached(begin[0]) - 1
        else:
            begin = _Parameters(jax.device_put(stage.begin(previous)))
        stops, taken = _stops(done, stage, every), 0
        offset = _offset(method, done)
        for point in _descend(
            offset, objective, begin, stops, stage.tolerance, release, stage.like != compiled
        ):
            taken = reached(point.state)
            image = method.image(objective, averaged(point.state.optimizer, point.state.params))
            final = point.last and index == len(stages) - 1
            yield Snapshot(
                index,
                done + taken,
                evaluations + taken + 1,
                point.state,
                point.reference,
                image,
                method.batch_at is not None,
                point.compared,
                point.last,
                final,
            )
            previous = image
        previous, compiled = jax.tree.map(np.asarray, previous), stage.like
        done, evaluations = done + stage.steps, evaluations + taken + 1
        objective = begin = point = image = None  # free them before those of the next stage are made


class _Parameters(NamedTuple):
    """The initial parameters of a stage that is not resumed."""

    params: Pytree


def _offset(method: Method, done: int) -> Method:
    """Return the method with `batch_at` counting from the beginning of the stage, after `done` steps of the run."""
    batch_at = method.batch_at
    return method if batch_at is None else method._replace(batch_at=lambda step: batch_at(done + step))


def _stops(done: int, stage: Stage, every: Sequence[int]) -> list[int]:
    """Return the steps of a stage after which to return to the host: multiples over the whole run, and the last."""
    multiples = {step for n in every for step in range(n - done % n, stage.steps, n)}
    if stage.tolerance is not None:
        multiples |= {*range(COMPARE_EVERY, stage.steps, COMPARE_EVERY)}
    return sorted(multiples | {stage.steps})


def _begin(method: Method, objective: Pytree, params: Pytree) -> State:
    """Return the state at the initial parameters of a stage."""
    batch = None if method.batch_at is None else method.batch_at(0)
    return start(
        method.evaluate, params, method.optimizer, objective, learning_rate=method.learning_rate, batch=batch
    )


def _shapes(method: Method, objective: Pytree, stage: Stage) -> Pytree:
    """Return the shapes and types of `Snapshot.tree`."""

    def begin(params: Pytree) -> tuple[State, Pytree, Pytree]:
        refreshed = objective if method.refresh is None else method.refresh(objective, params)
        state = _begin(method, refreshed, params)
        return (
            state,
            None if method.refresh is None else params,
            None if stage.tolerance is None else state.value,
        )

    return jax.eval_shape(begin, stage.like)


class _Point(NamedTuple):
    """A point of a descent; the attributes are those of `Snapshot`."""

    state: State
    reference: Pytree
    compared: Pytree
    last: bool


def _descend(
    method: Method,
    objective: Pytree,
    begin: _Parameters | tuple[State, Pytree, Pytree],
    stops: list[int],
    tolerance: float | None,
    release: Release,
    compiles: bool,
) -> Iterator[_Point]:
    """Minimize one stage from parameters, or from `Snapshot.tree`.

    Args:
      method: The optimization method.
      objective: The objective of the stage.
      begin: The initial parameters, or the state to go on from.
      stops: Ascending steps of the stage at which to yield; it ends at the last.
      tolerance: `Stage.tolerance`.
      release: Called when much memory has just become free.
      compiles: Whether the shapes are new.
    """

    def with_reference(reference: Pytree) -> Pytree:
        release()  # computing targets or a reference takes hundreds of MiB for a moment and leaves them in fragments
        if method.refresh is None:
            return objective
        refreshed = jax.block_until_ready(method.refresh(objective, reference))
        release()
        return refreshed

    if isinstance(begin, _Parameters):
        reference = None if method.refresh is None else begin.params
        args = with_reference(reference)
        state = _begin(method, args, begin.params)
        compared = None if tolerance is None else np.asarray(state.value)
    else:
        state, reference, compared = begin
        args = with_reference(reference)
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
                args = with_reference(reference)
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


def _point(state: State, reference: Pytree, compared: Pytree, tolerance: float | None, steps: int) -> _Point:
    """Return the point of a state; it is the last if all steps are taken, or the loss falls too slowly."""
    step = reached(state)
    slow = False
    if tolerance is not None and _compares(step):
        slow = float(compared) - float(state.value) < tolerance * float(compared)
    return _Point(state, reference, compared, step >= steps or slow)


def _compared(state: State, compared: Pytree) -> Pytree:
    """Return the loss that the next one is compared with."""
    return np.asarray(state.value) if compared is not None and _compares(reached(state)) else compared


def _compares(step: int) -> bool:
    return step > 0 and step % COMPARE_EVERY == 0
