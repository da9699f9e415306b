"""Tables of metrics for the terminal: results above their baselines, with a mark if a result is no better."""

import json
from collections.abc import Container, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from nst.metrics import ALL_METRICS, BASELINES, VIDEO_METRICS
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
        for names in _side_by_side(next(iter(rows.values()))["baselines"]["style"]):
            console.print(_table(rows, names), markup=False)
    console.print(
        f"↓ lower is better, ↑ higher; {MARK}: no better than the baseline to beat, which is the content "
        "for metrics of style and the style for metrics of content",
        markup=False,
    )


def _shared(evaluation: Values) -> str:
    return json.dumps([evaluation["baselines"], evaluation["layers"]])


def _side_by_side(computed: Container[str]) -> list[list[str]]:
    """Group the computed metrics by table: those of style by features, of content, of video over time, all others."""
    names = [name for name in ALL_METRICS if name in computed]
    style = [name for name in names if name.startswith("style_")]
    content = [name for name in names if ALL_METRICS[name].baseline == "style"]
    video = [name for name in names if name in VIDEO_METRICS]
    others = [name for name in names if name not in style + content + video]
    return [group for group in (style, content, video, others) if group]


def _table(rows: Mapping[str, Values], names: Sequence[str]) -> Table:
    baselines = next(iter(rows.values()))["baselines"]
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold", min_width=len(_title(BASELINES[0])))
    for name in names:
        title = (
            name.removeprefix("style_")
            .replace("_held_out", " held_out")
            .replace("content_", "content ")
            .replace("drift_", "drift ")
        )
        arrow = _ARROWS[ALL_METRICS[name].better]
        table.add_column(
            f"{title} {arrow}".replace(" ", "\n").replace("held_out", "held out"), justify="right"
        )
    for result, evaluation in rows.items():
        last = result == list(rows)[-1]
        table.add_row(
            result, *(_cell(n, evaluation["metrics"][n], baselines) for n in names), end_section=last
        )
    for baseline in BASELINES:
        table.add_row(_title(baseline), *(f"{baselines[baseline][n]:.3g}  " for n in names))
    return table


def _title(baseline: str) -> str:
    return f"baseline: {baseline}"


def _cell(name: str, value: float, baselines: Mapping[str, Mapping[str, float]]) -> str:
    return f"{value:.3g} {' ' if beats(name, value, baselines) else MARK}"


def beats(name: str, value: float, baselines: Mapping[str, Mapping[str, float]]) -> bool:
    """Return whether a metric of a result is better than that of the baseline to beat; True if there is none."""
    metric = ALL_METRICS[name]
    if not metric.baseline:
        return True
    bound = baselines[metric.baseline][name]
    return value < bound if metric.better == "lower" else value > bound
