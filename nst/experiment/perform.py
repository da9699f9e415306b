"""A run, from its first step or its last checkpoint to the finished directory."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

from nst import checkpoint, features, files, images, record
from nst.errors import InputError, Interrupted, RunError
from nst.experiment import memory, prepare, progress
from nst.experiment.interruption import signals
from nst.experiment.prepare import Inputs, Job
from nst.stylize import Resume, Snapshot, stylization


def perform(
    config: ConfigDict,
    job: Job,
    extractor: features.VGG19,
    *,
    resume: bool,
    output: Path | None,
    max_pixels: int,
) -> None:
    """Do a job, or what is left of it."""
    folder = job.folder
    with _told(config, folder), record.lock(folder), signals() as received:
        prepare.check_folders([folder], resume and (folder / "config.json").exists())  # now that it is ours
        inputs = prepare.read(config, job, max_pixels)
        facts = record.describe(json.loads(config.to_json()), inputs.files)
        earlier = _earlier(folder, facts) if resume and (folder / "config.json").exists() else None
        if earlier is not None and earlier.finished:
            return
        record.write_json(folder / "config.json", facts)
        picture = _optimise(config, folder, inputs, extractor, earlier or Earlier(), received)
        _finish(folder, inputs, picture, facts, output)


class Earlier(NamedTuple):
    """How far a run had got: nowhere, by default."""

    resume: Resume | None = None
    seconds: float = 0.0
    finished: bool = False


def _earlier(folder: Path, facts: dict[str, Any]) -> Earlier:
    """Where the run in `folder` had got to; its records are cut back to there."""
    try:
        old = json.loads((folder / "config.json").read_text())
        changed = [x for key in ("config", "inputs") for x in record.differences(old[key], facts[key])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}/config.json is damaged: start again in another --workdir") from error
    if changed:
        raise InputError(
            f"{folder} is another run ({'; '.join(changed)}): undo that, or give another --workdir"
        )
    if (folder / "done").exists() and old["config"] == facts["config"]:
        return Earlier(finished=True)
    files.remove_unfinished(folder)
    found = checkpoint.read(folder / "checkpoint")
    if found is None:
        record.cut_back(folder / "metrics.jsonl", -1)
        return Earlier()
    where, arrays = found
    record.cut_back(folder / "metrics.jsonl", where["step"])
    return Earlier(Resume(where["scale"], lambda like: checkpoint.restore(like, arrays)), where["seconds"])


def _optimise(
    config: ConfigDict,
    folder: Path,
    inputs: Inputs,
    extractor: features.VGG19,
    earlier: Earlier,
    received: list[int],
) -> np.ndarray:
    """Go through the snapshots of a stylisation: show, log and save them. The last picture is left, not its history."""
    scales = prepare.scales(config)
    total = sum(scale.steps for scale in scales)
    snapshots = stylization(
        inputs.content,
        inputs.style,
        inputs.initial,
        extractor=extractor,
        scales=scales,
        style_scale=config.images.style_scale,
        loss_settings=_loss_settings(config),
        optimizer=config.optimizer.name,
        learning_rate=config.optimizer.learning_rate,
        every=(config.run.log_every, config.run.save_every),
        resume=earlier.resume,
    )
    snapshot, began, seconds = None, None, earlier.seconds
    logged = max((line["step"] for line in record.metrics(folder / "metrics.jsonl")), default=-1)
    bar, task = progress.bar(total)
    with bar:
        try:
            for snapshot in snapshots:
                began = began or time.monotonic()  # the first step begins with the first snapshot
                seconds = earlier.seconds + time.monotonic() - began
                progress.show(bar, task, snapshot)
                due = snapshot.step % config.run.log_every == 0 or snapshot.step == total
                if due and snapshot.step > logged:  # the start of a scale is the end of the one before
                    _log(folder, snapshot, seconds)
                    logged = snapshot.step
                if received or snapshot.step % config.run.save_every == 0 or snapshot.step == total:
                    _save(folder, snapshot, seconds)
                if received:
                    raise Interrupted(received[0], f"stopped after step {snapshot.step}: go on with --resume")
        except RunError as error:
            if snapshot is not None and not isinstance(error, Interrupted):
                _save(folder, snapshot, seconds)
            raise
    assert snapshot is not None  # the state it begins with is always among them
    return np.asarray(snapshot.state.params)


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


def _log(folder: Path, snapshot: Snapshot, seconds: float) -> None:
    terms = {name: float(value) for name, value in snapshot.state.terms.items()}
    line = {"step": snapshot.step, "evaluations": snapshot.evaluations, "seconds": round(seconds, 3)}
    record.append(folder / "metrics.jsonl", line | {"loss": float(snapshot.state.value)} | terms)


def _save(folder: Path, snapshot: Snapshot, seconds: float) -> None:
    facts = {"scale": snapshot.scale, "step": snapshot.step, "seconds": seconds}
    if snapshot.step > 0:  # before, there is nothing to lose
        checkpoint.write(folder / "checkpoint", snapshot.step, snapshot.kept, facts)
    images.write(folder / "frames" / f"{snapshot.step:06}.png", np.asarray(snapshot.state.params))


def _finish(
    folder: Path, inputs: Inputs, picture: np.ndarray, facts: dict[str, Any], output: Path | None
) -> None:
    metadata = {"nst": json.dumps(facts["config"])}
    images.write(folder / "image.png", picture, metadata=metadata)
    if output is not None:
        images.write(output, picture, metadata=metadata)
    images.write(folder / "sheet.png", record.sheet(inputs.content, inputs.style, np.clip(picture, 0, 1)))
    record.write_curve(folder / "curve.png", record.metrics(folder / "metrics.jsonl"))
    files.write_bytes(folder / "done", b"")


@contextmanager
def _told(config: ConfigDict, folder: Path) -> Iterator[None]:
    """What a machine runs out of, as an error with a remedy. What was written before is whole: see `files`."""
    try:
        yield
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        # XLA says RESOURCE_EXHAUSTED on a GPU, anything at all on a CPU.
        reason = " ".join(str(error).split()) or "memory ran out"
        raise RunError(
            f"images.size={config.images.size} could not be computed ({reason}); if it is memory, {memory.REMEDY}"
        ) from error
    except OSError as error:
        raise RunError(
            f"{error.filename or folder}: {error.strerror or error}: mend that, then go on with --resume"
        ) from error
