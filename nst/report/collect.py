"""The data of a report, as plain JSON.

`fields` are those that vary, each with its values and their labels; a trial's `at` has the index of its value in each
field. `inputs` are the names of all inputs. `images` are paths, each once, since trials share inputs; a
trial's `result` and its `inputs` by name are indices into `images`, and its `audio` are indices into all `audio`.
`failures` are the errors, each with the indices of the trials that failed with it.
"""

import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nst import record
from nst.metrics import ALL_METRICS, BASELINES
from nst.report.audio import AudioFiles
from nst.report.curves import thin
from nst.report.images import ImageFiles
from nst.report.repeat import command
from nst.report.runs import Run, find, flat, inside, read_json
from nst.report.tradeoff import axes
from nst.report.varied import varied, where
from nst.runs.follow import usual
from nst.sweep.trials import DONE, FAILED

#: The data of a report, with the keys that `collect` returns.
Report = dict[str, Any]

_POINTS = 200  # of a curve
_ALL_POINTS = 60_000  # of all curves


def collect(folder: Path) -> Report:
    """Collect the data of a report on a sweep, several runs, or one run.

    Raises:
      InputError: The directory holds neither a sweep nor a run.
    """
    kind, runs = find(folder)
    configs, image_files, audio_files = [run.config for run in runs], ImageFiles(runs), AudioFiles(runs)
    fields = varied(configs, _stems(runs))
    points = max(2, min(_POINTS, _ALL_POINTS // len(runs)))
    trials = [
        _trial(run, folder, points) | {"at": at, "audio": audio_files.of(run)} | image_files.of(run)
        for run, at in zip(runs, where(fields, configs), strict=True)
    ]
    columns = {key: _names(trials, key) for key in ("metrics", "terms")}
    unevaluated = sum(trial["state"] == DONE and not trial["metrics"] for trial in trials)
    return {
        "kind": kind,
        "folder": str(folder),
        "title": _title(fields, folder),
        "fields": fields,
        "trials": trials,
        "inputs": [*dict.fromkeys(name for run in runs for name in run.modality.inputs)],
        "images": image_files.paths,
        "audio": audio_files.paths,
        **columns,
        "axes": {key: axes(names, ALL_METRICS) for key, names in columns.items()},
        "better": {name: metric.better for name, metric in ALL_METRICS.items()},
        "failures": _failures(trials),
        "settings": _settings(runs, {field["name"] for field in fields}),
        "facts": _facts(runs),
        "unevaluated": unevaluated,
        "evaluate": shlex.join(["python", "scripts/evaluate.py", str(folder)]),
    }


def _title(fields: list[dict[str, Any]], folder: Path) -> str:
    names = [
        field["label"] for field in sorted(fields, key=lambda field: (field["follows"], field["replicate"]))
    ]
    more = [f"{len(names) - 3} more"] if len(names) > 3 else []
    return " × ".join(names[:3] + more) or folder.absolute().name


def _trial(run: Run, folder: Path, points: int) -> dict[str, Any]:
    lines = [numbers(line) for line in record.metrics(run.folder / "metrics.jsonl")]
    last = lines[-1] if lines else {}
    evaluation = read_json(run.folder / record.EVALUATION) if run.state == DONE else {}
    return {
        "name": run.name,
        "group": run.modality.group,
        "state": run.state,
        "step": last.get("step", 0),
        "total": run.total,
        "seconds": last.get("seconds"),
        "error": run.error,
        "details": run.details,
        "metrics": numbers(evaluation.get("metrics")),
        "baselines": {name: numbers(inside(evaluation, "baselines", name)) for name in BASELINES},
        "terms": {name: value for name, value in last.items() if name not in record.COUNTERS},
        "curve": thin(lines, points),
        "folder": run.folder.relative_to(folder).as_posix(),
        "files": [name for name in run.modality.files if (run.folder / name).exists()],
        "command": command(run.config),
    }


def numbers(value: Any) -> dict[str, float | int]:
    """Return the finite numbers of a mapping; empty for any other value."""
    mapping = value if isinstance(value, Mapping) else {}
    return {
        str(name): number
        for name, number in mapping.items()
        if isinstance(number, float | int) and not isinstance(number, bool) and math.isfinite(number)
    }


def _failures(trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each error once with the indices of its trials, the most frequent error first."""
    indices_of: dict[str, list[int]] = {}
    for i, trial in enumerate(trials):
        if trial["state"] == FAILED:
            indices_of.setdefault(trial["error"], []).append(i)
    return [
        {"error": error, "trials": indices}
        for error, indices in sorted(indices_of.items(), key=lambda failure: -len(failure[1]))
    ]


def _names(trials: list[dict[str, Any]], key: str) -> list[str]:
    return [*dict.fromkeys(name for trial in trials for name in trial[key])]


def _settings(runs: list[Run], swept: set[str]) -> list[dict[str, Any]]:
    """Return the settings that all runs share, and whether each is the default."""
    default = usual(runs[0].config)
    return [
        {"name": name, "value": _words(value), "default": _words(default.get(name)) == _words(value)}
        for name, value in runs[0].config.items()
        if name not in swept
    ]


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)


def _facts(runs: list[Run]) -> list[dict[str, Any]]:
    """Return devices and versions, each with all of its values among the runs."""
    seen: dict[str, dict[str, None]] = {}
    for run in runs:
        facts = {key: run.facts.get(key, {}) for key in ("versions", "device")}
        for name, value in flat(facts).items():
            if value:
                seen.setdefault(name.removeprefix("versions."), {})[str(value)] = None
    return [{"name": name, "value": ", ".join(values)} for name, values in seen.items()]


def _stems(runs: Sequence[Run]) -> dict[str, str]:
    """Return the file names of inputs by their names in configs, where images of a data set have numbers."""
    read = {
        str(run.config.get(f"{run.modality.group}.{name}")): inside(run.facts, "inputs", name, "path")
        for run in runs
        for name in run.modality.inputs
    }
    return {name: Path(path).stem for name, path in read.items() if isinstance(path, str)}
