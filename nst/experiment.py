"""One run from a config: the only reader of a ConfigDict. Validates, records, checkpoints, resumes."""

import itertools
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from nst import checkpoint, features, files, images, record
from nst.config import validate
from nst.errors import InputError, Interrupted, RunError, unknown
from nst.losses import STYLE_LOSSES
from nst.optimize import optimiser
from nst.stylize import Resume, Scale, Snapshot, plan, stylization
from nst.types import Image


def run(
    config: ConfigDict,
    workdir: Path,
    *,
    resume: bool = False,
    output: Path | None = None,
    max_pixels: int = 200_000_000,
) -> list[Path]:
    """Stylise every content picture in every style picture that the config names.

    Args:
      config: As of `nst.config.base`.
      workdir: The run directory; where there are several pictures, the folder of their run directories.
      resume: Go on with the run that stands there, to the same bytes that it would have reached.
      output: Where the result is written as well, in the format of the extension.
      max_pixels: Larger pictures are refused before they are decoded.

    Returns:
      The run directories.

    Raises:
      InputError: Something in the config or a picture can't be used; nothing was computed.
      RunError: A value is not finite, or memory ran out; the last good state is kept.
      Interrupted: A signal came; the state is kept.
    """
    validate(config)
    pictures = [images.list_pictures(config.images[name]) for name in ("content", "style")]
    pairs = list(itertools.product(*pictures))
    if output is not None:
        _check_output(output, [path for paths in pictures for path in paths], len(pairs))
    folders = [workdir / f"{c.stem}-{s.stem}" for c, s in pairs] if len(pairs) > 1 else [workdir]
    if len(set(folders)) < len(folders):
        raise InputError(
            f"{config.images.content}: two pictures share a name up to the extension: rename one"
        )
    inputs = [_read_inputs(config, c, s, max_pixels) for c, s in pairs]
    for folder in folders:
        _check_folder(folder, resume)
    extractor = _extractor(config)
    for pair in inputs:
        _check_size(config, pair, extractor)
    for folder, pair in zip(folders, inputs, strict=True):
        _run_one(config, folder, pair, extractor, resume, output)
    return folders


class Inputs(NamedTuple):
    """The pictures of one run, and where they came from."""

    content: Image
    style: Image
    initial: Image
    files: dict[str, Any]


def _read_inputs(config: ConfigDict, content: Path, style: Path, max_pixels: int) -> Inputs:
    pictures = {"content": content, "style": style}
    c, s = (images.read(path, max_pixels=max_pixels) for path in (content, style))
    initial = images.initial(config.images.init, c, s, seed=config.images.seed)
    if config.images.init not in ("content", "style", "noise"):
        pictures["init"] = images.list_pictures(config.images.init)[0]
    hashes = {name: {"path": str(path), "sha256": files.sha256(path)} for name, path in pictures.items()}
    return Inputs(c, s, initial, hashes)


def _check_output(output: Path, inputs: list[Path], runs: int) -> None:
    images.check_output(output)
    if runs > 1:
        raise InputError(f"--output {output}: there are {runs} results: leave it out and look in --workdir")
    if any(output.exists() and output.samefile(path) for path in inputs):
        raise InputError(f"--output {output} is one of the pictures read: give another path")


def _check_folder(folder: Path, resume: bool) -> None:
    if resume and not (folder / "config.json").exists():
        raise InputError(f"{folder}: there is no run to resume: leave --resume out, or give its --workdir")
    if not resume and folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise InputError(f"{folder} is not empty: go on with --resume, or give another --workdir")


def _extractor(config: ConfigDict) -> features.VGG19:
    if config.loss.style_loss not in STYLE_LOSSES:
        raise unknown("config.loss.style_loss", config.loss.style_loss, STYLE_LOSSES)
    optimiser(config.optimizer.name)
    _scales(config)
    settings = config.features
    features.vgg.check_layers((*config.loss.content_layers, *config.loss.style_layers))
    return features.load(
        weights=settings.weights,
        pooling=settings.pooling,
        padding=settings.padding,
        normalise=settings.normalise,
        seed=config.images.seed,
    )


def _scales(config: ConfigDict) -> list[Scale]:
    return plan(config.images.size, config.optimizer.steps, config.pyramid.scales, config.pyramid.steps)


def _check_size(config: ConfigDict, inputs: Inputs, extractor: features.VGG19) -> None:
    """The smallest scale must still have features in the deepest layer, for both pictures."""
    size, layers = _scales(config)[0].size, (*config.loss.content_layers, *config.loss.style_layers)
    extractor.check(*images.fit_size(inputs.content.shape[0], inputs.content.shape[1], size), layers)
    style_size = max(1, round(size * config.images.style_scale))
    extractor.check(
        *images.fit_size(inputs.style.shape[0], inputs.style.shape[1], style_size), config.loss.style_layers
    )


def _run_one(
    config: ConfigDict,
    folder: Path,
    inputs: Inputs,
    extractor: features.VGG19,
    resume: bool,
    output: Path | None,
) -> None:
    with record.lock(folder), _signals() as received:
        facts = record.describe(json.loads(config.to_json()), inputs.files)
        earlier, past_seconds = _begin(folder, facts, resume)
        if (folder / "done").exists() and resume and not _extended(folder, facts):
            return
        record.write_json(folder / "config.json", facts)
        last = _optimise(config, folder, inputs, extractor, earlier, past_seconds, received)
        _finish(folder, inputs, last, facts, output)


def _extended(folder: Path, facts: dict[str, Any]) -> bool:
    return json.loads((folder / "config.json").read_text())["config"] != facts["config"]


def _begin(folder: Path, facts: dict[str, Any], resume: bool) -> tuple[Resume | None, float]:
    """Where the run that stands in `folder` had got to; its records are cut back to there."""
    if not resume:
        return None, 0.0
    old = json.loads((folder / "config.json").read_text())
    changed = [x for key in ("config", "inputs") for x in record.differences(old[key], facts[key])]
    if changed:
        raise InputError(
            f"{folder} is another run ({'; '.join(changed)}): undo that, or give another --workdir"
        )
    found = checkpoint.read(folder / "checkpoint")
    if found is None:
        record.cut_back(folder / "metrics.jsonl", -1)
        return None, 0.0
    where, arrays = found
    record.cut_back(folder / "metrics.jsonl", where["step"])
    return Resume(where["scale"], lambda like: checkpoint.restore(like, arrays)), where["seconds"]


def _optimise(
    config: ConfigDict,
    folder: Path,
    inputs: Inputs,
    extractor: features.VGG19,
    earlier: Resume | None,
    past_seconds: float,
    received: list[int],
) -> Snapshot:
    scales, every = _scales(config), (config.run.log_every, config.run.save_every)
    total = sum(scale.steps for scale in scales)
    began = time.monotonic() - past_seconds
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
        every=every,
        resume=earlier,
    )
    snapshot = None
    with _progress() as progress:
        task = progress.add_task(folder.name, total=total, terms="compiling", rate="")
        try:
            for snapshot in snapshots:
                seconds = time.monotonic() - began
                _show(progress, task, snapshot)
                _keep(folder, snapshot, seconds, every, total, bool(received))
                if received:
                    raise Interrupted(received[0], f"stopped after step {snapshot.step}: go on with --resume")
        except RunError:
            if snapshot is not None:
                _save(folder, snapshot, time.monotonic() - began)
            raise
    assert snapshot is not None  # the state it begins with is always among them
    return snapshot


def _loss_settings(config: ConfigDict) -> dict[str, Any]:
    loss = config.loss
    layers = tuple(loss.style_layers)
    return {
        "style_loss": loss.style_loss,
        "content_layers": tuple(loss.content_layers),
        "style_layers": layers,
        "style_layer_weights": dict(zip(layers, loss.style_layer_weights, strict=False)) or None,
        "content_weight": loss.content_weight,
        "style_weight": loss.style_weight,
        "tv_weight": loss.tv_weight,
    }


def _keep(
    folder: Path, snapshot: Snapshot, seconds: float, every: tuple[int, int], total: int, stopping: bool
) -> None:
    log_every, save_every = every
    logged = record.metrics(folder / "metrics.jsonl")
    fresh = not logged or logged[-1]["step"] < snapshot.step
    if fresh and (snapshot.step % log_every == 0 or snapshot.step == total):
        state = snapshot.state
        terms = {name: float(value) for name, value in state.terms.items()}
        line = {"step": snapshot.step, "evaluations": snapshot.evaluations, "seconds": round(seconds, 3)}
        record.append(folder / "metrics.jsonl", line | {"loss": float(state.value)} | terms)
    if stopping or snapshot.step % save_every == 0 or snapshot.step == total:
        _save(folder, snapshot, seconds)


def _save(folder: Path, snapshot: Snapshot, seconds: float) -> None:
    facts = {"scale": snapshot.scale, "step": snapshot.step, "seconds": seconds}
    checkpoint.write(folder / "checkpoint", snapshot.step, snapshot.state, facts)
    images.write(folder / "frames" / f"{snapshot.step:06}.png", np.asarray(snapshot.state.params))


def _finish(folder: Path, inputs: Inputs, last: Snapshot, facts: dict[str, Any], output: Path | None) -> None:
    picture = np.asarray(last.state.params)
    metadata = {"nst": json.dumps(facts["config"])}
    images.write(folder / "image.png", picture, metadata=metadata)
    if output is not None:
        images.write(output, picture, metadata=metadata)
    images.write(folder / "sheet.png", record.sheet(inputs.content, inputs.style, np.clip(picture, 0, 1)))
    record.write_curve(folder / "curve.png", record.metrics(folder / "metrics.jsonl"))
    files.write_bytes(folder / "done", b"")


def _progress() -> Progress:
    """A bar that fits 80 columns."""
    return Progress(
        BarColumn(bar_width=10),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.fields[terms]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )


def _show(progress: Progress, task: TaskID, snapshot: Snapshot) -> None:
    terms = {name: float(value) for name, value in snapshot.state.terms.items()}
    text = " ".join(f"{name} {value:.2g}" for name, value in terms.items() if value)
    speed = progress.tasks[0].speed
    progress.update(task, completed=snapshot.step, terms=text, rate=f"{speed:.2g} steps/s" if speed else "")


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The first SIGINT or SIGTERM is noted, so that the state can be saved; a second one ends at once."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if received:
            raise Interrupted(number, "stopped at once: go on with --resume from the last checkpoint")
        received.append(number)

    try:
        before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: signals are its caller's
        before = {}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
