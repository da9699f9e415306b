"""Runs, from the first step or the last checkpoint to the finished directory: one alone, or several in lock-step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from nst import features
from nst.errors import Interrupted, RunError
from nst.experiment import prepare, progress
from nst.experiment.interruption import signals
from nst.experiment.keeper import Keeper, opened
from nst.experiment.prepare import Job
from nst.lockstep import Problem, stylizations
from nst.optimize import diverged, finite
from nst.stylize import Snapshot, stylization


def perform(
    config: ConfigDict,
    job: Job,
    extractor: features.VGG19,
    *,
    resume: bool,
    output: Path | None,
    max_pixels: int,
    show: progress.Show,
    leased: bool,
) -> None:
    """Do a job, or what is left of it."""
    with (
        opened(config, job, resume=resume, max_pixels=max_pixels, leased=leased) as keeper,
        signals() as received,
    ):
        if keeper is None:
            return
        snapshots = stylization(
            keeper.inputs.content,
            keeper.inputs.style,
            keeper.inputs.initial,
            extractor=extractor,
            loss_settings=_loss_settings(config),
            learning_rate=config.optimizer.learning_rate,
            resume=keeper.resume,
            **_shared(config),
        )
        with show(keeper.total) as told:
            _go(snapshots, keeper, told, received)
        keeper.finish(output)


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
    extractor: features.VGG19,
    *,
    max_pixels: int,
    shows: Sequence[progress.Show],
) -> list[RunError | None]:
    """Do several jobs from their beginning in lock-step; the caller has seen to it that they are its own.

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
                opened(config, job, resume=False, max_pixels=max_pixels, leased=True)
            )
            assert keeper is not None  # it is new
            keepers.append(keeper)
        told = [stack.enter_context(show(keeper.total)) for show, keeper in zip(shows, keepers, strict=True)]
        together = stylizations([*map(_problem, keepers)], extractor=extractor, **_shared(jobs[0][0]))
        errors = _go_together(together, keepers, told, received)
        for keeper, error in zip(keepers, errors, strict=True):
            if error is None:
                keeper.finish()
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


def _problem(keeper: Keeper) -> Problem:
    inputs, config = keeper.inputs, keeper.config
    rate = config.optimizer.learning_rate
    return Problem(inputs.content, inputs.style, inputs.initial, rate, _loss_settings(config))


def _interrupted(received: list[int], step: int) -> Interrupted:
    return Interrupted(received[0], f"stopped after step {step}: go on with --resume")


def _shared(config: ConfigDict) -> dict[str, Any]:
    """What runs in lock-step have in common."""
    return {
        "scales": prepare.scales(config),
        "style_scale": config.images.style_scale,
        "optimizer": config.optimizer.name,
        "every": (config.run.log_every, config.run.save_every),
    }


def _loss_settings(config: ConfigDict) -> dict[str, Any]:
    loss = config.loss
    style_layers = tuple(loss.style_layers)
    return {
        "style_loss": loss.style_loss,
        "content_layers": tuple(loss.content_layers),
        "style_layers": style_layers,
        "style_layer_weights": dict(zip(style_layers, loss.style_layer_weights, strict=False)) or None,
        "content_weight": loss.content_weight,
        "style_weight": loss.style_weight,
        "tv_weight": loss.tv_weight,
    }
