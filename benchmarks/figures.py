"""Figures of a comparison of two programs by their losses over time: seconds a step, seconds to a loss, memory."""

import itertools
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from rich.table import Table

#: The program that nst is compared with, as `Turn.what` names it.
PEER = "pastiche"


class Line(NamedTuple):
    """A loss, and the seconds since the command, the steps and the evaluations after which a program reached it."""

    seconds: float
    step: int
    evaluations: int
    loss: float


class Turn(NamedTuple):
    """One run of one program: its lines from step 0 on, and its peak memory in bytes."""

    what: str
    lines: list[Line]
    peak: int

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return self._asdict() | {"lines": [line._asdict() for line in self.lines]}


def reached(lines: Sequence[Line], loss: float) -> Line | None:
    """Return the first line whose loss is at most `loss`; None if there is none."""
    return next((line for line in lines if line.loss <= loss), None)


def summary(turns: Sequence[Turn], steps: int) -> dict[str, dict[str, Any]]:
    """Return medians over the turns of each program. The last `steps` lines of a turn are those at full size."""
    # The lowest, if the peer's own runs differ.
    goal = min(turn.lines[-1].loss for turn in turns if turn.what == PEER)
    names = dict.fromkeys(turn.what for turn in turns)
    return {name: _figures([turn for turn in turns if turn.what == name], steps, goal) for name in names}


def _figures(turns: Sequence[Turn], steps: int, goal: float) -> dict[str, Any]:
    pauses = [b.seconds - a.seconds for t in turns for a, b in itertools.pairwise(t.lines[-steps:])]
    return {
        "first": statistics.median(turn.lines[0].seconds for turn in turns),
        "step": statistics.median(pauses) if pauses else None,
        "step_minimum": min(pauses, default=None),
        "step_spread": max(pauses) - min(pauses) if pauses else None,
        "loss": statistics.median(turn.lines[-1].loss for turn in turns),
        **_effort(turns, steps, goal),
        "peak": statistics.median(turn.peak for turn in turns),
    }


def _effort(turns: Sequence[Turn], steps: int, goal: float) -> dict[str, Any]:
    """Return seconds and evaluations until the loss was at most `goal`; all None if a turn did not reach it.

    The peer's are those of its last step.
    """
    peer = turns[0].what == PEER
    ends = [turn.lines[-1] if peer else reached(turn.lines[-steps:], goal) for turn in turns]
    lines = [line for line in ends if line]
    if len(lines) < len(turns):
        return dict.fromkeys(("seconds", "evaluations", "evaluations_full_size"))
    before = turns[0].lines[-1].step - steps  # steps at coarser scales
    return {
        "seconds": statistics.median(line.seconds for line in lines),
        "evaluations": statistics.median(line.evaluations for line in lines),
        "evaluations_full_size": statistics.median(line.step - before + 1 for line in lines),
    }


#: Rows of the table: label, name of the figure, unit and format.
_ROWS = (
    ("command to first step, s", "first", 1, ".1f"),
    ("a step at full size, median s", "step", 1, ".3f"),
    ("… minimum", "step_minimum", 1, ".3f"),
    ("… spread", "step_spread", 1, ".3f"),
    ("loss after the last step", "loss", 1, ".5g"),
    (f"command to {PEER}'s loss, s", "seconds", 1, ".1f"),
    ("… evaluations", "evaluations", 1, ".0f"),
    ("… of them at full size", "evaluations_full_size", 1, ".0f"),
    ("peak memory, MiB", "peak", 2**20, ".0f"),
)


def table(summary: dict[str, dict[str, Any]], title: str) -> Table:
    """Return a table with a column for each program."""
    table = Table("", *summary, title=title)
    for label, name, unit, form in _ROWS:
        table.add_row(label, *(_text(x[name], unit, form) for x in summary.values()))
    return table


def _text(number: float | int | None, unit: int, form: str) -> str:
    return "–" if number is None else format(number / unit, form)


def ratios(summary: dict[str, dict[str, Any]]) -> list[str]:
    """Return a line for each of nst's runs: its speed to the peer's loss and its memory, relative to the peer's."""
    peer = summary[PEER]
    return [_ratio(name, x, peer) for name, x in summary.items() if name != PEER]


def _ratio(name: str, ours: dict[str, Any], peer: dict[str, Any]) -> str:
    memory = f"peak memory {ours['peak'] / peer['peak']:.2f} times {PEER}'s"
    if ours["seconds"] is None:
        return f"{name}: did not reach {PEER}'s loss; {memory}"
    return f"{name}: {peer['seconds'] / ours['seconds']:.2f} times as fast to {PEER}'s loss; {memory}"
