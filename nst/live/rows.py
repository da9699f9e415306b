"""The rows of the live page, one for each run, from its directory: nothing is written, and memory is bounded."""

import json
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
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

#: The state of a run that was begun, if nobody can tell whether its process lives.
UNKNOWN = "unknown"

#: What the files of a run directory are that a browser shows, by extension.
KINDS = {".png": "image", ".wav": "audio", ".mp4": "video"}

_TAIL = 64 * 1024  # bytes at the end of metrics.jsonl that tell where a run is
_POINTS = 400  # of a curve
_FRAMES = 1000  # of a run
_NAMES = 64  # of terms
_RECENT = 60.0  # seconds since a line was written in which a process of another machine is taken to live
_WHOLE = 1024 * 1024  # bytes of metrics.jsonl that are read as a whole


def runs_in(folder: Path) -> dict[str, Run]:
    """Return the runs of a directory, and those of the sweeps in it, by their folder relative to it.

    Runs behind links that lead out of the directory are left out.

    Args:
      folder: The directory of a sweep, a run, or several runs and sweeps; there may be none yet.
    """
    below = [] if (folder / "plan.json").exists() else [path.parent for path in folder.glob("*/plan.json")]
    root, runs = folder.resolve(), {}
    for each in (folder, *sorted(below)):
        try:
            _, own = find(each)
        except InputError:  # none yet
            continue
        for run in own:
            if run.folder.resolve().is_relative_to(root):
                name = run.name if each == folder else f"{each.name}: {run.name}"
                runs[run.folder.relative_to(folder).as_posix()] = run._replace(name=name)
    return runs


def rows(runs: Mapping[str, Run], earlier: Mapping[str, Row]) -> dict[str, Row]:
    """Return a row for each run, by its folder; without those that were deleted meanwhile.

    Args:
      runs: The runs that `runs_in` returned.
      earlier: Rows that were returned before: those of runs whose files have not changed are taken over.
    """
    workers: dict[Path, dict[str, str]] = {}
    result = {}
    for key, run in runs.items():
        sweep = run.folder.parent.parent
        if sweep not in workers:
            workers[sweep] = leases.holders(sweep / "leases", touch=False)
        row = _row(run, key, workers[sweep].get(run.folder.name, ""), earlier.get(key))
        if row is not None:
            result[key] = row
    return result


def _row(run: Run, key: str, worker: str, earlier: Row | None) -> Row | None:
    metrics = run.folder / "metrics.jsonl"
    try:
        latest = run.latest if run.state == DONE else _last_frame(run) or run.latest
        written = _stamp(metrics)
        state = _state(run, written)
        stamp = [written, latest, _stamp(run.folder / latest), state, worker]
    except OSError:  # deleted meanwhile
        return None
    if earlier is not None and earlier["stamp"] == stamp:
        return earlier
    lines = _parsed(_tail(metrics))
    last = lines[-1] if lines else {}
    step, total = last.get("step", 0), run.total
    pace = _pace(lines)
    left = max(0.0, pace * (total - step)) if pace and total and state != DONE else None
    return {
        "folder": key,
        "name": run.name,
        "report": key.rpartition("/trials/")[0] or ".",  # the directory of its report
        "state": state,
        "worker": worker,
        "step": step,
        "total": total,
        "seconds": last.get("seconds"),
        "pace": pace,
        "left": left if left is not None and math.isfinite(left) else None,
        "interval": pace and pace * max(1, step - lines[-2]["step"]),
        "loss": last.get("loss"),
        "error": run.error,
        "written": written and written[0] / 1e9,
        "stamp": stamp,
        **_media(run.modality, run.folder, key, latest),
    }


def _state(run: Run, written: Sequence[int] | None) -> str:
    """Return the state of a run: one of `nst.sweep.trials`, or `UNKNOWN` if its process may live on another machine."""
    if run.state != BEGUN:
        return run.state
    alive = _is_alive(run.folder)
    if alive is None and written is not None:
        return RUNNING if time.time() - written[0] / 1e9 < _RECENT else UNKNOWN
    return RUNNING if alive else BEGUN


def _last_frame(run: Run) -> str:
    """Return the latest intermediate result: that of a resumed run is newer than its earlier result."""
    frames = sorted(path.name for path in (run.folder / "frames").glob(f"[0-9]*{run.modality.suffix}"))
    return f"frames/{frames[-1]}" if frames else ""


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


def detail(run: Run, key: str) -> Row:
    """Return the curve, the frames and the inputs of a run.

    Args:
      run: The run.
      key: Its folder relative to the directory.
    """
    suffix = run.modality.suffix
    frames = sorted(path.name for path in (run.folder / "frames").glob(f"*{suffix}"))
    steps = {name: int(Path(name).stem) for name in frames if Path(name).stem.isdecimal()}
    inputs = {}
    for name in run.inputs:
        file = run.modality.file(name)
        own = [each for each in (file.preview, file.name) if each and (run.folder / each).exists()]
        inputs[name] = {_kind(each): _address(run.folder, key, each) for each in own if _kind(each)}
    return {
        "curve": thin(_parsed(_lines(run.folder / "metrics.jsonl")), _POINTS),
        "frames": [[steps[name], _address(run.folder, key, f"frames/{name}")] for name in _some([*steps])],
        "kind": _kind(f"frame{suffix}"),
        "inputs": inputs,
    }


def _some(names: list[str]) -> list[str]:
    """Return at most `_FRAMES` names, and the last one; those that are left out stay the same when few are added."""
    every = 1
    while len(names) > every * _FRAMES:
        every *= 2
    return [*dict.fromkeys([*names[::every], *names[-1:]])]


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
    values, names = [], dict.fromkeys(("step", "seconds"))
    for line in lines:
        try:
            value = numbers(json.loads(line))
        except (ValueError, RecursionError):
            continue
        if isinstance(value.get("step"), int):
            names |= dict.fromkeys([name for name in value if name.isprintable()][:_NAMES])
            values.append(value)
    first = {*[*names][:_NAMES]}
    return [{name: number for name, number in value.items() if name in first} for value in values]


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
    """Return whether a process holds a run directory; None if nobody can tell."""
    path = folder / record.HOLDER
    try:
        return holder.is_alive(path.read_text(), since=path.stat().st_mtime)
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return None
