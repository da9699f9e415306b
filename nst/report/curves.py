"""Loss curves with few enough points to draw."""

from collections.abc import Sequence
from typing import Any


def thin(lines: Sequence[dict[str, Any]], points: int) -> dict[str, list[Any]]:
    """Return the columns of at most `points` evenly spaced lines, with the first and the last, to five digits."""
    if len(lines) > points:
        lines = [lines[round(i * (len(lines) - 1) / (points - 1))] for i in range(points)]
    names = dict.fromkeys(name for line in lines for name in line)
    return {name: [_short(line.get(name)) for line in lines] for name in names}


def _short(value: float | int | None) -> float | int | None:
    return float(f"{value:.5g}") if isinstance(value, float) else value
