"""The figure of results: one image for each pair of values of two fields."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nst.report import names
from nst.report.images import opened
from nst.types import Values

#: Width of a figure in inches, that of a column of most papers, and dots per inch.
WIDTH, DPI = 5.5, 300
_CELLS = 8  # rows and columns, at most


def results(report: Values) -> Figure | None:
    """Draw the first result for each pair of values of two fields; return None without results."""
    rows, columns = _axes_of_grid(report)
    cells: dict[tuple[int, int], str] = {}
    for trial in report["trials"]:
        place = (
            trial["at"][rows] if rows is not None else 0,
            trial["at"][columns] if columns is not None else 0,
        )
        if trial["result"] is not None:
            cells.setdefault(place, report["images"][trial["result"]])
    visible = [_spread({place[axis] for place in cells}) for axis in (0, 1)]
    if not cells:
        return None
    side = round(WIDTH / len(visible[1]) * DPI)
    pixels = {p: _pixels(cells[p], side) for p in cells if p[0] in visible[0] and p[1] in visible[1]}
    first = next((image for image in pixels.values() if image is not None), None)
    if first is None:
        return None
    height = WIDTH / len(visible[1]) * first.shape[0] / first.shape[1] * len(visible[0])
    figure = Figure(figsize=(WIDTH, height + 0.4), layout="constrained")
    grid = figure.subplots(len(visible[0]), len(visible[1]), squeeze=False)
    for i, row in enumerate(visible[0]):
        for j, column in enumerate(visible[1]):
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
    """Return the fields of rows and of columns: the first two of `names.first`; the longer one gives columns."""
    order = names.first(report)
    if len(order) < 2:
        return None, order[0] if order else None
    a, b = order[:2]
    longer = len(report["fields"][a]["values"]) > len(report["fields"][b]["values"])
    return (b, a) if longer else (a, b)


def _spread(places: set[int]) -> list[int]:
    """Return at most `_CELLS` places, evenly spaced."""
    ordered = sorted(places)
    if len(ordered) <= _CELLS:
        return ordered
    return [ordered[round(i * (len(ordered) - 1) / (_CELLS - 1))] for i in range(_CELLS)]


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
