"""The rows of the live page, one for each run, from its directory: nothing is written, and memory is bounded."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nst import holder, record
from nst.errors import InputError
from nst.report.collect import numbers, thin
from nst.report.runs import Run, find
from nst.runs.modality import Modality
from nst.sweep import leases
from nst.sweep.trials import BEGUN, DONE, RUNNING

#: What is shown of a run, as JSON.
Row = dict[str, Any]

#: What the files of a run directory are that a browser shows, by extension.
KINDS = {".png": "image", ".wav": "audio", ".mp4": "video"}

_TAIL = 64 * 1024  # bytes at the end of metrics.jsonl that tell where a run is
_POINTS = 400  # of a curve, and frames of a run
_WHOLE = 1024 * 1024  # bytes of metrics.jsonl that are read as a whole


def rows(folder: Path, earlier: Mapping[str, Row]) -> dict[str, Row]:
    """Return a row for each run in a directory, by the run's folder relative to it; none if there is no run yet.

    Args:
      folder: The directory of a sweep, a run or several runs.
      earlier: Rows that were returned before: those of runs whose files have not changed are taken over.
    """
    try:
        _, runs = find(folder)
    except (InputError, OSError, ValueError):  # none yet, or deleted, or a plan that is being written
        return {}
    held = leases.holders(folder / "leases", touch=False)
    result = {}
    for run in runs:
        key = run.folder.relative_to(folder).as_posix()
        row = _row(run, key, held.get(run.name, ""), earlier.get(key))
        if row is not None:
            result[key] = row
    return result


def _row(run: Run, key: str, worker: str, earlier: Row | None) -> Row | None:
    try:
        latest = run.latest
        state = run.state
        if state == BEGUN and _is_alive(run.folder):
            state = RUNNING
        stamp = [_stamp(run.folder / "metrics.jsonl"), latest, _stamp(run.folder / latest), state, worker]
    except OSError:  # deleted meanwhile
        return None
    if earlier is not None and earlier["stamp"] == stamp:
        return earlier
    lines = _parsed(_tail(run.folder / "metrics.jsonl"))
    last = lines[-1] if lines else {}
    step, total = last.get("step", 0), run.total
    pace = _pace(lines)
    return {
        "folder": key,
        "name": run.name,
        "state": state,
        "worker": worker,
        "step": step,
        "total": total,
        "seconds": last.get("seconds"),
        "pace": pace,
        "left": pace * (total - step) if pace and total and state != DONE else None,
        "loss": last.get("loss"),
        "error": run.error,
        "written": stamp[0] and stamp[0][0] / 1e9,
        "stamp": stamp,
        **_media(run.modality, run.folder, key, latest),
    }


def _media(modality: Modality, folder: Path, key: str, latest: str) -> dict[str, str]:
    """Return the addresses of the latest image, audio and video of a run, as far as it has them."""
    preview = modality.result.preview if latest == modality.result.name else ""
    addresses: dict[str, str] = {}
    for name in (latest, preview):
        kind = _kind(name)
        if kind and (folder / name).exists():
            addresses.setdefault(kind, _address(folder, key, name))
    return addresses


def _kind(name: str) -> str:
    return KINDS.get(Path(name).suffix, "")


def _address(folder: Path, key: str, name: str) -> str:
    stamp = _stamp(folder / name)
    return f"{key}/{name}?{stamp[0] if stamp else 0}"


def detail(folder: Path, key: str) -> Row | None:
    """Return the curve, the frames and the inputs of a run; None if there is no such run.

    Args:
      folder: The directory of a sweep, a run or several runs.
      key: The run's folder relative to it.
    """
    try:
        _, runs = find(folder)
        run = next(run for run in runs if run.folder.relative_to(folder).as_posix() == key)
    except (InputError, OSError, ValueError, StopIteration):
        return None
    suffix = run.modality.suffix
    frames = sorted(path.name for path in (run.folder / "frames").glob(f"*{suffix}"))
    steps = {name: int(Path(name).stem) for name in frames if Path(name).stem.isdecimal()}
    some = _thinned([*steps], _POINTS)
    inputs = {}
    for name in run.inputs:
        file = run.modality.file(name)
        own = [each for each in (file.preview, file.name) if each and (run.folder / each).exists()]
        inputs[name] = {_kind(each): _address(run.folder, key, each) for each in own if _kind(each)}
    return {
        "curve": thin(_parsed(_lines(run.folder / "metrics.jsonl")), _POINTS),
        "frames": [[steps[name], _address(run.folder, key, f"frames/{name}")] for name in some],
        "kind": _kind(f"frame{suffix}"),
        "inputs": inputs,
    }


def _thinned(values: list[Any], most: int) -> list[Any]:
    if len(values) <= most:
        return values
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


def _stamp(path: Path) -> list[int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return [facts.st_mtime_ns, facts.st_size]


def _pace(lines: list[dict[str, Any]]) -> float | None:
    """Return the seconds of a step, over the latest lines."""
    timed = [line for line in lines[-6:] if "seconds" in line and "step" in line]
    if len(timed) < 2 or timed[-1]["step"] <= timed[0]["step"]:
        return None
    return max(0.0, timed[-1]["seconds"] - timed[0]["seconds"]) / (timed[-1]["step"] - timed[0]["step"])


def _parsed(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    """Return the numbers of lines of JSON, without damaged and half-written ones."""
    values = []
    for line in lines:
        try:
            values.append(numbers(json.loads(line)))
        except (ValueError, RecursionError):
            continue
    return [value for value in values if isinstance(value.get("step"), int)]


def _tail(path: Path) -> list[bytes]:
    try:
        with open(path, "rb") as file:
            start = max(0, os.fstat(file.fileno()).st_size - _TAIL)
            file.seek(start)
            lines = file.read(_TAIL).splitlines()
    except OSError:
        return []
    return lines[1:] if start else lines


def _lines(path: Path) -> list[bytes]:
    """Return the lines of a file, of a long one some evenly spaced lines."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= _WHOLE:
                return file.read(_WHOLE).splitlines()
            lines = []
            for i in range(_POINTS):
                file.seek(size * i // _POINTS)
                file.readline(_TAIL)  # the rest of a line
                lines.append(file.readline(_TAIL))
    except OSError:
        return []
    return [*dict.fromkeys(lines), *_tail(path)[-1:]]


def _is_alive(folder: Path) -> bool | None:
    """Return whether the process that last locked a run directory lives; None if nobody can tell."""
    try:
        return holder.is_alive((folder / record.LOCK).read_text())
    except (OSError, ValueError):
        return None
