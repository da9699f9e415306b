"""Tables of metrics for the terminal: results above their baselines, with a mark if a result is no better."""

import json
from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from nst.metrics import ALL_METRICS, BASELINES, VIDEO_METRICS, Metric, base_name, definition, matrix
from nst.types import Values

#: The mark of a metric that is no better than that of the baseline to beat.
MARK = "✗"
_ARROWS = {"lower": "↓", "higher": "↑"}
# Columns that the metrics of style need side by side: on a narrower terminal rich would cut the last one off.
_WIDTH = 112


def show(evaluations: Mapping[str, Values]) -> None:
    """Print metrics by the name of each result, in one table for all results that share their baselines.

    Args:
      evaluations: `metrics`, `baselines` and `layers` of each result.
    """
    console = Console()
    if console.width < _WIDTH:
        console = Console(width=_WIDTH)
    groups: dict[str, dict[str, Values]] = {}
    for name, evaluation in evaluations.items():
        groups.setdefault(_shared(evaluation), {})[name] = evaluation
    for rows in groups.values():
        for title, names in _side_by_side(next(iter(rows.values()))["baselines"]["style"]):
            console.print(_table(rows, names, title), markup=False)
        crossed = _matrix(rows)
        if crossed is not None:
            console.print(crossed, markup=False)
    console.print(
        f"↓ lower is better, ↑ higher; {MARK}: no better than the baseline to beat, which is the content "
        "for metrics of style and the style for metrics of content",
        markup=False,
    )


def _shared(evaluation: Values) -> str:
    return json.dumps([evaluation["baselines"], evaluation["layers"]])


def _side_by_side(computed: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Group the computed metrics by table, each with a title: by style; then style, content, over time, and others."""
    names = sorted(filter(definition, computed), key=lambda name: [*ALL_METRICS].index(base_name(name)))
    tables = []
    for title in dict.fromkeys(name.partition(".")[2] for name in names):
        own = [name for name in names if name.partition(".")[2] == title]
        style = [name for name in own if name.startswith("style_")]
        content = [name for name in own if _defined(name).baseline == "style"]
        over_time = [name for name in own if name in VIDEO_METRICS]
        others = [name for name in own if name not in style + content + over_time]
        tables += [(title, group) for group in (style, content, over_time, others) if group]
    return tables


def _defined(name: str) -> Metric:
    metric = definition(name)
    assert metric is not None, name
    return metric


def _table(rows: Mapping[str, Values], names: Sequence[str], title: str) -> Table:
    baselines = next(iter(rows.values()))["baselines"]
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column(title.replace("_", " "), overflow="fold", min_width=len(_title(BASELINES[0])))
    for name in names:
        table.add_column(f"{_heading(name)}\n{_ARROWS[_defined(name).better]}", justify="right")
    for result, evaluation in rows.items():
        last = result == list(rows)[-1]
        table.add_row(
            result, *(_cell(n, evaluation["metrics"][n], baselines) for n in names), end_section=last
        )
    for baseline in BASELINES:
        table.add_row(_title(baseline), *(f"{baselines[baseline][n]:.3g}  " for n in names))
    return table


def _heading(name: str) -> str:
    """Return the name of a metric on two lines, as far as it has two parts."""
    base = base_name(name).removeprefix("style_")
    for first in ("content", "drift", "keep"):
        base = base.replace(f"{first}_", f"{first}\n")
    return base.replace("_held_out", "\nheld out")


def _matrix(rows: Mapping[str, Values]) -> Table | None:
    """Return the table of distances of each region to each style; None for runs without regions."""
    baselines = next(iter(rows.values()))["baselines"]
    crossed = matrix(baselines["style"])
    if crossed is None:
        return None
    metric, distances = crossed
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column(metric.replace("_", " "), overflow="fold")
    table.add_column("")
    for style in range(1, len(distances) + 1):
        table.add_column(f"to\nstyle {style}", justify="right")
    values = {name: evaluation["metrics"] for name, evaluation in rows.items()}
    values |= {_title(baseline): baselines[baseline] for baseline in BASELINES}
    for name, row in values.items():
        _add_matrix(table, name, row)
    return table


def _add_matrix(table: Table, name: str, values: Mapping[str, float]) -> None:
    _, distances = matrix(values) or ("", [])
    for region, row in enumerate(distances, 1):
        cells = (name if region == 1 else "", f"region {region}", *(f"{value:.3g}" for value in row))
        table.add_row(*cells, end_section=region == len(distances))


def _title(baseline: str) -> str:
    return f"baseline: {baseline}"


def _cell(name: str, value: float, baselines: Mapping[str, Mapping[str, float]]) -> str:
    return f"{value:.3g} {' ' if beats(name, value, baselines) else MARK}"


def beats(name: str, value: float, baselines: Mapping[str, Mapping[str, float]]) -> bool:
    """Return whether a metric of a result is better than that of the baseline to beat; True if there is none."""
    metric = _defined(name)
    if not metric.baseline:
        return True
    bound = baselines[metric.baseline][name]
    return value < bound if metric.better == "lower" else value > bound
