"""Results as a figure: one for each pair of values of two fields."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nst.report import names
from nst.report.pictures import opened
from nst.types import Values

#: Inches: a column of most papers. And dots to an inch.
WIDTH, DPI = 5.5, 300
_CELLS = 8  # rows and columns, at most


def results(report: Values) -> Figure | None:
    """The first result for each pair of values of two fields."""
    rows, columns = _axes_of_grid(report)
    cells: dict[tuple[int, int], str] = {}
    for trial in report["trials"]:
        place = (
            trial["at"][rows] if rows is not None else 0,
            trial["at"][columns] if columns is not None else 0,
        )
        if trial["result"] is not None:
            cells.setdefault(place, report["pictures"][trial["result"]])
    shown = [_spread({place[axis] for place in cells}) for axis in (0, 1)]
    if not cells:
        return None
    side = round(WIDTH / len(shown[1]) * DPI)
    pixels = {p: _pixels(cells[p], side) for p in cells if p[0] in shown[0] and p[1] in shown[1]}
    first = next((found for found in pixels.values() if found is not None), None)
    if first is None:
        return None
    height = WIDTH / len(shown[1]) * first.shape[0] / first.shape[1] * len(shown[0])
    figure = Figure(figsize=(WIDTH, height + 0.4), layout="constrained")
    grid = figure.subplots(len(shown[0]), len(shown[1]), squeeze=False)
    for i, row in enumerate(shown[0]):
        for j, column in enumerate(shown[1]):
            _cell(grid[i, j], pixels.get((row, column)))
            if i == 0 and columns is not None:
                grid[i, j].set_title(names.value(report, columns, column), fontsize=8)
            if j == 0 and rows is not None:
                grid[i, j].set_ylabel(names.value(report, rows, row), fontsize=8)
    if columns is not None:
        figure.suptitle(names.label(report, columns), fontsize=8)
    if rows is not None:
        figure.supylabel(names.label(report, rows), fontsize=8)
    return figure


def _axes_of_grid(report: Values) -> tuple[int | None, int | None]:
    """Rows and columns: the first two fields, those that are not averaged over before the others."""
    order = names.first(report)
    if len(order) < 2:
        return None, order[0] if order else None
    a, b = order[:2]
    longer = len(report["fields"][a]["values"]) > len(report["fields"][b]["values"])
    return (b, a) if longer else (a, b)


def _spread(places: set[int]) -> list[int]:
    """At most so many of them, evenly taken."""
    found = sorted(places)
    if len(found) <= _CELLS:
        return found
    return [found[round(i * (len(found) - 1) / (_CELLS - 1))] for i in range(_CELLS)]


def _pixels(path: str, side: int) -> np.ndarray | None:
    try:
        return np.asarray(opened(path, side))
    except (OSError, ValueError, SyntaxError):
        return None


def _cell(axes: Axes, pixels: np.ndarray | None) -> None:
    if pixels is not None:
        axes.imshow(pixels, interpolation="none")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
