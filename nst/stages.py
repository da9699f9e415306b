"""The driver of all optimizations: stages in sequence, each with an objective, from the start or a checkpoint."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import numpy as np

from nst.descent import COMPARE_EVERY, Initial, Method, Release, descend, keep_memory, shapes
from nst.optim.averaging import averaged
from nst.optimize import State, reached
from nst.types import Pytree

__all__ = ["Method", "Release", "Resume", "Snapshot", "Stage", "keep_memory", "run"]


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
            begin = resume.restore(shapes(method, objective, stage.like, stage.tolerance))
            if resume.evaluations is not None:
                evaluations = resume.evaluations - reached(begin[0]) - 1
        else:
            begin = Initial(jax.device_put(stage.begin(previous)))
        stops, taken = _stops(done, stage, every), 0
        offset = _offset(method, done)
        compiles = stage.like != compiled
        for point in descend(offset, objective, begin, stops, stage.tolerance, release, compiles):
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
