"""The data of a report, as plain JSON.

* `fields`: the fields that vary, each with its values and their labels. A trial's `at` has the index of its value in
  each field.
* `inputs`: the names of all inputs. A trial's `sources` has the file names of those that share a config field.
* `images`: paths; an input that trials share is there once. A trial's `result` and its `inputs` by name are indices
  into them.
* `audio`, `video`: likewise. A trial's `audio` and `video` have indices by the name of an input, or `result`.
* A trial's `by_frame` has, for `result` and `content`, values of frames as columns.
* `failures`: the errors, each with the indices of the trials that failed with it.
"""

import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nst import audio, record, video
from nst.metrics import ALL_METRICS, BASELINES, Metric, base_name, definition
from nst.report.images import ImageFiles
from nst.report.playable import Playable
from nst.report.runs import Run, find, flat, inside, modality_of, read_json
from nst.report.varied import varied, where
from nst.runs.follow import as_tuples, usual
from nst.sweep.trials import DONE, FAILED
from nst.types import Values

#: The data of a report, with the keys that `collect` returns.
Report = dict[str, Any]

_POINTS = 200  # of a curve
_ALL_POINTS = 60_000  # of all curves

#: The baseline of a term of the loss, by the input in its name.
_TERMS = {"content": "style", "style": "content"}


def collect(folder: Path) -> Report:
    """Collect the data of a report on a sweep, several runs, or one run.

    Raises:
      InputError: The directory holds neither a sweep nor a run.
    """
    kind, runs = find(folder)
    configs, image_files = [run.config for run in runs], ImageFiles(runs)
    playable = {"audio": Playable(runs, audio.EXTENSIONS), "video": Playable(runs, video.EXTENSIONS)}
    fields = varied(configs, _stems(runs))
    points = max(2, min(_POINTS, _ALL_POINTS // len(runs)))
    trials = [
        _trial(run, folder, points)
        | {"at": at, **{name: each.of(run) for name, each in playable.items()}}
        | image_files.of(run)
        for run, at in zip(runs, where(fields, configs), strict=True)
    ]
    columns = {key: _names(trials, key) for key in ("metrics", "terms")}
    columns["metrics"] = [name for name in columns["metrics"] if not base_name(name).endswith("_spread")]
    every = dict.fromkeys([*ALL_METRICS, *columns["metrics"]])
    metrics = {name: metric for name in every if (metric := definition(name))}
    unevaluated = sum(trial["state"] == DONE and not trial["metrics"] for trial in trials)
    return {
        "kind": kind,
        "folder": str(folder),
        "title": _title(fields, folder),
        "fields": fields,
        "trials": trials,
        "inputs": [*dict.fromkeys(name for run in runs for name in run.inputs)],
        "images": image_files.paths,
        **{name: each.paths for name, each in playable.items()},
        **columns,
        "axes": {key: axes(names, metrics) for key, names in columns.items()},
        "better": {name: metric.better for name, metric in metrics.items()},
        "failures": _failures(trials),
        "settings": _settings(runs, {field["name"] for field in fields}),
        "facts": _facts(runs),
        "unevaluated": unevaluated,
        "evaluate": shlex.join(["nst", "evaluate", str(folder)]),
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
    linked = run.modality.files([*run.inputs, *run.modality.optional])
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
        "by_frame": {
            name: thin(by_frame(inside(evaluation, "by_frame", name)), 5 * points)
            for name in ("result", "content")
        },
        "folder": run.folder.relative_to(folder).as_posix(),
        "files": [name for name in linked if (run.folder / name).exists()],
        "sources": run.sources,
        "input_fields": {name: run.modality.field(name) for name in run.modality.inputs},
        "command": command(run.config),
    }


def by_frame(columns: Any) -> list[dict[str, float | int | None]]:
    """Return the values of each frame, by name and the number of the `frame`; nothing if they are damaged."""
    lists = columns if isinstance(columns, Mapping) else {}
    if not all(isinstance(each, list) for each in lists.values()):
        return []
    rows = [numbers(dict(zip(lists, row, strict=True))) for row in zip(*lists.values(), strict=False)]
    return [{"frame": i} | {name: row.get(name) for name in lists} for i, row in enumerate(rows)]


def thin(lines: Sequence[dict[str, Any]], points: int) -> dict[str, list[Any]]:
    """Return the columns of at most `points` evenly spaced lines, with the first and the last, to five digits."""
    if len(lines) > points:
        lines = [lines[round(i * (len(lines) - 1) / (points - 1))] for i in range(points)]
    names = dict.fromkeys(name for line in lines for name in line)
    return {name: [_short(line.get(name)) for line in lines] for name in names}


def _short(value: float | int | None) -> float | int | None:
    return float(f"{value:.5g}") if isinstance(value, float) else value


def command(config: Values) -> str:
    """Return the shell command that repeats a run.

    It names the config file of the modality, and has a flag for each field that differs from it.

    Args:
      config: Values by dotted name; lists stand for tuples.
    """
    default = usual(config)
    values = as_tuples(config).items()
    flags = [f"--config.{name}={value}" for name, value in values if default.get(name) != value]
    return shlex.join(["nst", "run", "--config", modality_of(config).config, *flags])


def numbers(value: Any) -> dict[str, float | int]:
    """Return the finite numbers of a mapping; empty for any other value."""
    mapping = value if isinstance(value, Mapping) else {}
    return {
        str(name): number
        for name, number in mapping.items()
        if isinstance(number, float | int) and not isinstance(number, bool) and _is_finite(number)
    }


def _is_finite(number: float | int) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond all floats
        return False


def axes(names: Sequence[str], metrics: Mapping[str, Metric]) -> tuple[str, str] | None:
    """Return the two metrics of the trade-off: the first of content, and the first of style; None without both.

    A metric of content is one whose baseline to beat is the style, and a metric of style one whose baseline is the
    content. A style metric of held-out layers is preferred.
    """
    baselines = {name: metrics[name].baseline if name in metrics else _baseline(name) for name in names}
    contents, styles = (
        [name for name in names if baselines[name] == which] for which in ("style", "content")
    )
    if not contents or not styles:
        return None
    return contents[0], next((name for name in styles if base_name(name).endswith("_held_out")), styles[0])


def _baseline(name: str) -> str:
    return _TERMS.get(name.partition("_")[0], "")


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
        str(run.config.get(run.modality.field(name))): _file_names(run, name)
        for run in runs
        for name in run.modality.inputs
    }
    return {name: " + ".join(stems.values()) for name, stems in read.items() if stems}


def _file_names(run: Run, name: str) -> dict[str, str]:
    """Return the file names, without extensions, of an input and of those numbered after it, by name."""
    return {each: Path(run.path(each)).stem for each in run.named(name) if run.path(each)}
