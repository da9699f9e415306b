"""The files of a run directory: write them, read them back, lock the directory."""

import contextlib
import io
import json
import platform
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
from filelock import FileLock, Timeout

from nst import files, holder, images
from nst.errors import InputError
from nst.types import Image, Values

_PACKAGES = ("nst", "jax", "jaxlib", "flax", "optax", "numpy", "pillow")
#: The file that `nst evaluate` adds to a run directory.
EVALUATION = "evaluation.json"

#: The file of a run directory that names the process that works on it.
HOLDER = ".holder"
#: The entries of a line of `metrics.jsonl` that are neither the loss nor one of its terms.
COUNTERS = ("step", "evaluations", "seconds")

# Fields that a resumed run or sweep may change.
_MAY_CHANGE = ("run.writers", "config.run.writers")  # the names in a run's config and in a sweep's plan


def describe(config: dict[str, Any], inputs: Values) -> dict[str, Any]:
    """Return the content of `config.json`, which does not depend on the time of the run."""
    return {
        "config": config,
        "versions": versions(),
        "device": jax.devices()[0].device_kind,
        "inputs": dict(inputs),
    }


def versions(*more: str) -> dict[str, str]:
    """Return the versions of Python, of the libraries that results depend on, and of `more` packages."""
    return {name: version(name) for name in (*_PACKAGES, *more)} | {"python": platform.python_version()}


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Lock a run directory while the block runs; its file `.holder` then names the process (`nst.holder`).

    Raises:
      InputError: Another process has the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file_lock = FileLock(folder / ".lock")
    try:
        file_lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"{folder}: another process is running here: give another --workdir") from None
    try:
        (folder / HOLDER).write_text(f"{holder.own()}\n")
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        file_lock.release()


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically."""
    files.write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def differences(
    old: Values, new: Values, prefix: str = "", may_grow: Collection[str] = ("optimizer.steps",)
) -> list[str]:
    """Return a line for each changed value that a resumed run or sweep must not change: dotted name and both values.

    Args:
      old: Values of before, nested or by dotted names.
      new: The same, now.
      prefix: The dotted name of both.
      may_grow: The fields that may become larger.
    """
    lines = []
    for name in sorted({*old, *new}):
        a, b = old.get(name), new.get(name)
        if f"{prefix}{name}" in _MAY_CHANGE:
            continue
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            lines += differences(a, b, f"{prefix}{name}.", may_grow)
        elif a != b and not (f"{prefix}{name}" in may_grow and a is not None and b is not None and b > a):
            lines.append(f"{prefix}{name} was {a!r}, now {b!r}")
    return lines


def append(path: Path, line: Values) -> None:
    """Append a line to `metrics.jsonl`."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def cut_back(path: Path, step: int) -> None:
    """Remove the lines of `metrics.jsonl` after `step`, and an incomplete one that a crash left."""
    lines = [line for line in metrics(path) if line["step"] <= step]
    files.write_bytes(path, "".join(json.dumps(line) + "\n" for line in lines).encode())


def metrics(path: Path) -> list[dict[str, Any]]:
    """Return the lines of `metrics.jsonl` up to the first damaged one."""
    lines = []
    for text in path.read_bytes().splitlines() if path.exists() else ():
        try:
            line = json.loads(text)
            if not isinstance(line["step"], int):
                break
        except (ValueError, KeyError, TypeError):
            break
        lines.append(line)
    return lines


def sheet(content: Image, styles: Sequence[Image], result: Image) -> np.ndarray:
    """Return content, styles and result side by side on white, at the height of the result, `[h, w, 3]`.

    The images are `[h, w, 3]`, or `[h, w, 4]` with alpha.
    """
    height = result.shape[0]
    gap = np.ones((height, max(2, height // 64), 3), np.float32)
    parts = []
    for image in (content, *styles):
        width = max(1, round(image.shape[1] * height / image.shape[0]))
        parts += [images.resize(images.flatten(image), height, width), gap]
    return np.concatenate([*parts, images.flatten(result)], axis=1)


def write_curve(path: Path, lines: list[dict[str, Any]]) -> None:
    """Plot the loss and its terms over the steps."""
    from matplotlib.figure import Figure  # half a second to import, needed once a run

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="loss", yscale="log")
    for name in [name for name in lines[-1] if name not in COUNTERS]:
        points = [(line["step"], line[name]) for line in lines if line.get(name, 0) > 0]
        if points:
            axes.plot(*zip(*points, strict=True), label=name, linewidth=2 if name == "loss" else 1)
    axes.grid(alpha=0.3)
    if axes.lines:  # none if the loss is always zero, which a logarithmic axis can't show
        axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    files.write_bytes(path, buffer.getvalue())
