"""Runs, from the first step or the last checkpoint to the finished directory: one alone, or several in lock-step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from nst.batched import Trial, stylizations
from nst.errors import Interrupted, RunError
from nst.experiment import pictures, progress
from nst.experiment.interruption import signals
from nst.experiment.keeper import Keeper, opened
from nst.experiment.pictures import Pictures
from nst.experiment.prepare import Job, Kind
from nst.optimize import diverged, finite
from nst.stages import Release, Snapshot


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
    release: Release,
) -> None:
    """Do a job, or what is left of it."""
    with (
        opened(kind, config, job, extractor, resume=resume, limit=limit, leased=leased) as keeper,
        signals() as received,
    ):
        if keeper is None:
            return
        with show(keeper.total) as told:
            _go(keeper.task.snapshots(keeper.resume, release), keeper, told, received)
        keeper.finish(output, release)


def _go(
    snapshots: Iterator[Snapshot], keeper: Keeper, told: Callable[[Snapshot], None], received: list[int]
) -> None:
    try:
        for snapshot in snapshots:
            told(snapshot)
            keeper.take(snapshot)
            if received:
                raise _interrupted(received, snapshot.step)
    except RunError:
        keeper.save()
        raise


def perform_together(
    jobs: Sequence[tuple[ConfigDict, Job]],
    extractor: Any,
    *,
    limit: int | float,
    shows: Sequence[progress.Show],
    release: Release,
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
        keepers = []
        for config, job in jobs:
            keeper = stack.enter_context(
                opened(pictures.PICTURES, config, job, extractor, resume=False, limit=limit, leased=True)
            )
            assert keeper is not None  # it is new
            keepers.append(keeper)
        told = [stack.enter_context(show(keeper.total)) for show, keeper in zip(shows, keepers, strict=True)]
        together = stylizations(
            [*map(_trial, keepers)], extractor=extractor, release=release, **pictures.shared(jobs[0][0])
        )
        errors = _go_together(together, keepers, told, received)
        for keeper, error in zip(keepers, errors, strict=True):
            if error is None:
                keeper.finish(release=release)
    return errors


def _go_together(
    together: Iterator[list[Snapshot]],
    keepers: Sequence[Keeper],
    told: Sequence[Callable[[Snapshot], None]],
    received: list[int],
) -> list[RunError | None]:
    errors: list[RunError | None] = [None] * len(keepers)
    try:
        for snapshots in together:
            step = max(snapshot.step for snapshot in snapshots)
            for i, snapshot in enumerate(snapshots):
                if errors[i] is None:
                    told[i](snapshot)
                    keepers[i].take(snapshot)
                    if not finite(snapshot.state):
                        errors[i] = diverged(snapshot.state)
                        keepers[i].save()
            if received:
                raise _interrupted(received, step)
    except RunError:
        if None not in errors:  # it is the last one's, and noted
            return errors
        for keeper, error in zip(keepers, errors, strict=True):
            if error is None:
                keeper.save()
        raise
    return errors


def _trial(keeper: Keeper) -> Trial:
    task, config = keeper.task, keeper.config
    assert isinstance(task, Pictures)  # sounds do not go in lock-step
    rate = config.optimizer.learning_rate
    return Trial(task.content, task.style, task.initial, rate, dict(config.loss), config.images.seed)


def _interrupted(received: list[int], step: int) -> Interrupted:
    return Interrupted(received[0], f"stopped after step {step}: go on with --resume")
