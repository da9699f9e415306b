"""Figures for a paper, as PDF and SVG: curves, trade-off, results. The same runs give the same bytes."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nst import files
from nst.images.formats import quiet
from nst.report import names
from nst.report.montage import DPI, WIDTH, results
from nst.sweep.trials import DONE
from nst.types import Values

_COLOR = "#3346c8"
_STYLE: Any = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # TrueType, embedded
    "svg.fonttype": "path",  # no font is needed
    "svg.hashsalt": "nst",  # names of elements that do not change
}
_METADATA = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
}


def write(report: Values, folder: Path) -> list[Path]:
    """Draw the figures for which there is data to `folder/figures`, and return their paths."""
    written = []
    with matplotlib.rc_context(_STYLE), quiet():
        for name, draw in (("curves", curves), ("tradeoff", tradeoff), ("results", results)):
            figure = draw(report)
            if figure is not None:
                written += [_save(figure, folder / "figures" / f"{name}.{kind}", kind) for kind in _METADATA]
    return written


def _save(figure: Figure, path: Path, kind: str) -> Path:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, metadata=_METADATA[kind], dpi=DPI)
    files.write_bytes(path, stream.getvalue())
    return path


def curves(report: Values) -> Figure | None:
    """Draw the loss of each trial over its steps; return None without data."""
    figure, axes = _axes("step", "loss")
    for trial, color, label in _colored(report):
        steps, losses = trial["curve"].get("step", []), trial["curve"].get("loss", [])
        points = [
            (step, loss)
            for step, loss in zip(steps, losses, strict=True)
            if step is not None and loss is not None and loss > 0
        ]
        if points:
            axes.plot(*zip(*points, strict=True), color=color, label=label, linewidth=0.9)
    return _finished(report, figure, axes) if axes.lines else None


def tradeoff(report: Values) -> Figure | None:
    """Draw style against content distance, with the two baselines where they were evaluated; None without data."""
    key = "metrics" if report["metrics"] else "terms"
    if report["axes"][key] is None:
        return None
    content, style = report["axes"][key]
    figure, axes = _axes(_distance_name(report, content), _distance_name(report, style))
    for trial, color, label in _colored(report):
        if trial["state"] == DONE and {content, style} <= set(trial[key]):
            point = [_distance(report, name, trial[key][name]) for name in (content, style)]
            axes.scatter(*point, s=14, color=color, label=label, linewidths=0)
    if not axes.collections:
        return None
    _baselines(report, axes, content, style)
    return _finished(report, figure, axes)


def _distance(report: Values, name: str, value: float) -> float:
    """Return 1 − value for a similarity, which is at most 1, without rounding errors; else the value itself."""
    if not _similarity(report, name):
        return value
    return 0.0 if abs(1 - value) < 1e-6 else 1 - value


def _distance_name(report: Values, name: str) -> str:
    return f"1 − {name}" if _similarity(report, name) else name


def _similarity(report: Values, name: str) -> bool:
    return report["better"].get(name) == "higher"


def _baselines(report: Values, axes: Axes, content: str, style: str) -> None:
    points = {
        (which, _distance(report, content, values[content]), _distance(report, style, values[style]))
        for trial in report["trials"]
        for which, values in trial["baselines"].items()
        if content in values and style in values
    }
    for which, x, y in sorted(points):
        label, marker = f"{names.plain(which)} itself", "s" if which == "content" else "D"
        axes.scatter(x, y, s=22, c="white", marker=marker, edgecolor="black", label=label, linewidths=0.8)
    if any(x <= 0 or y <= 0 for _, x, y in points):  # a distance of 0 has no place on a logarithmic axis
        for name, scale in ((content, axes.set_xscale), (style, axes.set_yscale)):
            metrics = [trial["metrics"][name] for trial in report["trials"] if name in trial["metrics"]]
            values = [_distance(report, name, value) for value in metrics]
            smallest = min((value for value in values if value > 0), default=1.0)
            scale("symlog", linthresh=10 ** math.floor(math.log10(smallest)), linscale=0.5)


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, WIDTH * 0.6), layout="constrained")
    axes = figure.add_subplot(
        xlabel=names.plain(x), ylabel=names.plain(y), yscale="log", xscale="linear" if x == "step" else "log"
    )
    if x == "step":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25, linewidth=0.5)
    return figure, axes


def _colored(report: Values) -> Sequence[tuple[dict[str, Any], Any, str | None]]:
    """Return each trial with a color for its value of the first field, and the label of that value."""
    field = _color_field(report)
    if field is None:
        return [(trial, _COLOR, None) for trial in report["trials"]]
    values = report["fields"][field]["values"]
    ordered = report["fields"][field]["numeric"] or len(values) > 10
    ramp = matplotlib.colormaps["viridis" if ordered else "tab10"]
    places = [trial["at"][field] for trial in report["trials"]]
    return [
        (trial, ramp(0.92 * at / (len(values) - 1) if ordered else at), names.value(report, field, at))
        for trial, at in zip(report["trials"], places, strict=True)
    ]


def _color_field(report: Values) -> int | None:
    return next(iter(names.first(report)), None)


def _finished(report: Values, figure: Figure, axes: Axes) -> Figure:
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    field = _color_field(report)
    if once and len(once) <= 14:
        title = None if field is None else names.label(report, field)
        figure.legend([*once.values()], [*once], title=title, loc="outside right upper")
    return figure
