"""Runs, from the first step or the last checkpoint to the finished directory: one alone, or several in lock-step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from nst import features
from nst.errors import Interrupted, RunError
from nst.lockstep import Problem, stylizations
from nst.optimize import diverged, finite
from nst.runs import image, progress
from nst.runs.image import ImageTask
from nst.runs.interruption import signals
from nst.runs.prepare import Job, Kind
from nst.runs.recorder import Recorder, opened
from nst.scale import Snapshot


def perform(
    kind: Kind,
    config: ConfigDict,
    job: Job,
    extractor: Any,
    *,
    resume: bool,
    output: Path | None,
    limit: int | float,
    show: progress.Show,
    leased: bool,
) -> None:
    """Do a job, or what is left of it."""
    with (
        opened(kind, config, job, extractor, resume=resume, limit=limit, leased=leased) as recorder,
        signals() as received,
    ):
        if recorder is None:
            return
        with show(recorder.total) as told:
            _go(recorder.task.snapshots(recorder.resume), recorder, told, received)
        recorder.finish(output)


def _go(
    snapshots: Iterator[Snapshot], recorder: Recorder, told: Callable[[Snapshot], None], received: list[int]
) -> None:
    try:
        for snapshot in snapshots:
            told(snapshot)
            recorder.take(snapshot)
            if received:
                raise _interrupted(received, snapshot.step)
    except RunError:
        recorder.save()
        raise


def perform_together(
    jobs: Sequence[tuple[ConfigDict, Job]],
    extractor: features.VGG19,
    *,
    limit: int | float,
    shows: Sequence[progress.Show],
) -> list[RunError | None]:
    """Do several jobs of pictures from their beginning in lock-step; the caller has seen to it that they are its own.

    Returns:
      The error of each that diverged, whose last state is kept; None for the others.

    Raises:
      RunError: They could not go on together: each may still alone.
      Interrupted: A signal came; the states are kept.
    """
    with ExitStack() as stack:
        received = stack.enter_context(signals())
        recorders = []
        for config, job in jobs:
            recorder = stack.enter_context(
                opened(image.PICTURES, config, job, extractor, resume=False, limit=limit, leased=True)
            )
            assert recorder is not None  # it is new
            recorders.append(recorder)
        told = [
            stack.enter_context(show(recorder.total)) for show, recorder in zip(shows, recorders, strict=True)
        ]
        together = stylizations([*map(_problem, recorders)], extractor=extractor, **image.shared(jobs[0][0]))
        errors = _go_together(together, recorders, told, received)
        for recorder, error in zip(recorders, errors, strict=True):
            if error is None:
                recorder.finish()
    return errors


def _go_together(
    together: Iterator[list[Snapshot]],
    recorders: Sequence[Recorder],
    told: Sequence[Callable[[Snapshot], None]],
    received: list[int],
) -> list[RunError | None]:
    errors: list[RunError | None] = [None] * len(recorders)
    try:
        for snapshots in together:
            step = max(snapshot.step for snapshot in snapshots)
            for i, snapshot in enumerate(snapshots):
                if errors[i] is None:
                    told[i](snapshot)
                    recorders[i].take(snapshot)
                    if not finite(snapshot.state):
                        errors[i] = diverged(snapshot.state)
                        recorders[i].save()
            if received:
                raise _interrupted(received, step)
    except RunError:
        if None not in errors:  # it is the last one's, and noted
            return errors
        for recorder, error in zip(recorders, errors, strict=True):
            if error is None:
                recorder.save()
        raise
    return errors


def _problem(recorder: Recorder) -> Problem:
    task, config = recorder.task, recorder.config
    assert isinstance(task, ImageTask)  # sounds do not go in lock-step
    rate = config.optimizer.learning_rate
    return Problem(task.content, task.style, task.initial, rate, image.loss_settings(config))


def _interrupted(received: list[int], step: int) -> Interrupted:
    return Interrupted(received[0], f"stopped after step {step}: go on with --resume")
