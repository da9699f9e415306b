"""The table as CSV and LaTeX: means and standard deviations over inputs and seeds."""

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nst import files
from nst.sweep.trials import DONE
from nst.types import Values

_DIGITS = 4  # significant digits of a mean
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


class Row(NamedTuple):
    """Finished trials that differ only in inputs and seed: their values of the other fields, and their number."""

    values: tuple[str, ...]
    n: int
    numbers: dict[str, tuple[float, float | None]]  # mean, and standard deviation (n - 1) of two or more


def write(report: Values, folder: Path) -> list[Path]:
    """Write `table.csv` and `table.tex`, and return their paths."""
    paths = [folder / "table.csv", folder / "table.tex"]
    for path, text in zip(paths, (as_csv(report), as_latex(report)), strict=True):
        files.write_bytes(path, text.encode("utf-8", "replace"))
    return paths


def measured(report: Values) -> list[str]:
    """Return the names of the metrics, or of the terms of the loss if nothing was evaluated."""
    return report["metrics"] or report["terms"]


def rows(report: Values) -> list[Row]:
    """Return a row of finished trials for each combination of values of the fields that are not averaged over."""
    fields, key = report["fields"], "metrics" if report["metrics"] else "terms"
    groups: dict[tuple[str, ...], list[dict[str, float]]] = {}
    for trial in report["trials"]:
        if trial["state"] == DONE:
            values = tuple(
                field["labels"][at] if at >= 0 else ""
                for field, at in zip(fields, trial["at"], strict=True)
                if not field["replicate"]
            )
            groups.setdefault(values, []).append(trial[key])
    return [Row(values, len(group), _numbers(group, measured(report))) for values, group in groups.items()]


def _numbers(
    group: Sequence[Mapping[str, float]], names: Sequence[str]
) -> dict[str, tuple[float, float | None]]:
    columns = {name: [numbers[name] for numbers in group if name in numbers] for name in names}
    return {
        name: (statistics.fmean(column), statistics.stdev(column) if len(column) > 1 else None)
        for name, column in columns.items()
        if column
    }


def best(report: Values, compared: Sequence[Row]) -> dict[str, str]:
    """Return the best mean of each metric that two or more rows have, as text. All means with that text are best.

    Terms of a loss are left out, since they depend on its weights.
    """
    best_of = {"lower": min, "higher": max}
    marked = {}
    for name in report["metrics"]:
        choose = best_of.get(report["better"].get(name, ""))
        means = [row.numbers[name][0] for row in compared if name in row.numbers]
        if choose and len(means) > 1:
            marked[name] = _number(choose(means), _DIGITS)
    return marked


def as_csv(report: Values) -> str:
    """Return the table as CSV: fields by their full names, `n`, and `NAME_mean` and `NAME_std` of each number."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    fields = [field["name"] for field in report["fields"] if not field["replicate"]]
    names = measured(report)
    writer.writerow([*fields, "n", *(f"{name}_{what}" for name in names for what in ("mean", "std"))])
    for row in rows(report):
        numbers = [number for name in names for number in row.numbers.get(name, (None, None))]
        writer.writerow([*row.values, row.n, *("" if x is None else repr(x) for x in numbers)])
    return stream.getvalue()


def as_latex(report: Values) -> str:
    """Return the table as a LaTeX tabular that needs no packages, with the best mean of each metric in bold."""
    fields = [field["label"] for field in report["fields"] if not field["replicate"]]
    names, table = measured(report), rows(report)
    marked = best(report, table)
    lines = [rf"\begin{{tabular}}{{{'l' * len(fields)}{'r' * (1 + len(names))}}}", r"\hline"]
    lines += [_line([*map(latex, fields), "$n$", *map(latex, names)]), r"\hline"]
    for row in table:
        numbers = [
            _amount(*row.numbers[name], marked.get(name)) if name in row.numbers else "--" for name in names
        ]
        lines.append(_line([*map(latex, row.values), str(row.n), *numbers]))
    return "\n".join([*lines, r"\hline", r"\end{tabular}", ""])


def latex(text: str) -> str:
    """Return text on one line, with the special characters of LaTeX escaped."""
    return " ".join("".join(_LATEX.get(character, character) for character in text).split())


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _amount(mean: float, deviation: float | None, marked: str | None) -> str:
    number = _number(mean, _DIGITS)
    number = rf"\mathbf{{{number}}}" if number == marked else number
    return f"${number}$" if deviation is None else rf"${number} \pm {_number(deviation, 2)}$"


def _number(value: float, digits: int) -> str:
    base, _, power = f"{value:.{digits}g}".partition("e")
    return rf"{base} \cdot 10^{{{int(power)}}}" if power else base
