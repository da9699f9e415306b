"""Perform jobs, alone or as a batch, from the first step or the last checkpoint to the finished run directory."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from nst.errors import Interrupted, RunError
from nst.optimize import diverged, finite
from nst.runs import progress
from nst.runs.interruption import signals
from nst.runs.modality import Job, Modality
from nst.runs.recorder import Recorder, opened
from nst.stages import Release, Snapshot


def perform(
    modality: Modality,
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
    """Run or resume a job; the arguments are those of `nst.runs.run`."""
    with (
        opened(modality, config, job, extractor, resume=resume, limit=limit, leased=leased) as recorder,
        signals() as received,
    ):
        if recorder is None:
            return
        with show(recorder.total) as callback:
            _record(recorder.task.snapshots(recorder.resume, release), recorder, callback, received)
        recorder.finish(output, release)


def _record(
    snapshots: Iterator[Snapshot],
    recorder: Recorder,
    callback: Callable[[Snapshot], None],
    received: list[int],
) -> None:
    try:
        for snapshot in snapshots:
            callback(snapshot)
            recorder.take(snapshot)
            if received:
                raise _interrupted(received, snapshot.step)
    except RunError:
        recorder.save()
        raise


def perform_together(
    modality: Modality,
    jobs: Sequence[tuple[ConfigDict, Job]],
    extractor: Any,
    *,
    limit: int | float,
    shows: Sequence[progress.Show],
    release: Release,
) -> list[RunError | None]:
    """Run several jobs as a batch from their beginning; no other process may use their directories.

    Returns:
      The error of each job that diverged or whose loss rose, with its last state saved; None for the others.

    Raises:
      RunError: The batch failed; alone, each job may still succeed.
      Interrupted: SIGINT or SIGTERM; the states are saved.
    """
    with ExitStack() as stack:
        received = stack.enter_context(signals())
        recorders = []
        for config, job in jobs:
            recorder = stack.enter_context(
                opened(modality, config, job, extractor, resume=False, limit=limit, leased=True)
            )
            assert recorder is not None  # a new run is not finished
            recorders.append(recorder)
        callbacks = [
            stack.enter_context(show(recorder.total)) for show, recorder in zip(shows, recorders, strict=True)
        ]
        assert modality.batched is not None  # the caller has used its `batch_key`
        batches = modality.batched([recorder.task for recorder in recorders], extractor, release)
        errors = _record_together(batches, recorders, callbacks, received)
        for i, recorder in enumerate(recorders):
            if errors[i] is None:
                errors[i] = _failure(functools.partial(recorder.finish, release=release))
    return errors


def _failure(act: Callable[[], None]) -> RunError | None:
    try:
        act()
    except RunError as error:
        return error
    return None


def _record_together(
    batches: Iterator[list[Snapshot]],
    recorders: Sequence[Recorder],
    callbacks: Sequence[Callable[[Snapshot], None]],
    received: list[int],
) -> list[RunError | None]:
    errors: list[RunError | None] = [None] * len(recorders)
    try:
        for snapshots in batches:
            step = max(snapshot.step for snapshot in snapshots)
            for i, snapshot in enumerate(snapshots):
                if errors[i] is None:
                    callbacks[i](snapshot)
                    errors[i] = _failure(functools.partial(recorders[i].take, snapshot))
                if errors[i] is None and not finite(snapshot.state):
                    errors[i] = diverged(snapshot.state)
                    recorders[i].save()
            if received:
                raise _interrupted(received, step)
    except RunError:
        if None not in errors:  # every job has failed, and its error is recorded
            return errors
        for recorder, error in zip(recorders, errors, strict=True):
            if error is None:
                recorder.save()
        raise
    return errors


def _interrupted(received: list[int], step: int) -> Interrupted:
    return Interrupted(received[0], f"stopped after step {step}: go on with --resume")
