"""What the ablations found, from the directories of their sweeps: each published claim beside what was measured."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst import files, images, record
from nst.errors import InputError
from nst.findings.claims import QUESTIONS, Claim, Question
from nst.runs import modality
from nst.sweep import plan as plans
from nst.types import Values

_AGREES, _DISAGREES, _OPEN = "agrees", "disagrees", "undecided"
_SAME = 0.1  # of the figure: less is no strong effect
_PLOT = (96, 128)  # height and width of a preview that is no picture of the result, such as a spectrogram


class Measured(NamedTuple):
    """A claim held against trials: the figures of both sides, pair by pair."""

    claim: Claim
    a: tuple[float, ...]
    b: tuple[float, ...]

    @property
    def verdict(self) -> str:
        """Whether the mean of the differences lies where it was said to, by twice its standard error."""
        differences = [b - a for a, b in zip(self.a, self.b, strict=True)]
        mean = statistics.fmean(differences)
        doubt = 2 * statistics.stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else 0.0
        if self.claim.direction == "same":
            bound = _SAME * abs(statistics.fmean(self.a))
            if abs(mean) + doubt < bound:
                return _AGREES
            return _DISAGREES if abs(mean) - doubt > bound else _OPEN
        if abs(mean) <= doubt:
            return _OPEN
        return _AGREES if (mean < 0) == (self.claim.direction == "lower") else _DISAGREES


class Trial(NamedTuple):
    """Its fields, its figures and its directory; or those of a baseline, whose field `result` says which it is."""

    values: Values
    figures: Mapping[str, float]
    folder: Path


def trials(folder: Path) -> list[Trial]:
    """The finished trials of a sweep.

    Raises:
      InputError: There is no sweep, or a trial is not done or not evaluated.
    """
    plan = plans.read(folder)
    if plan is None:
        raise InputError(
            f"{folder}: there is no sweep here: python scripts/sweep.py --config configs/{folder.name}.py"
        )
    found = []
    for trial in plan.trials:
        path = folder / "trials" / trial.name / record.EVALUATION
        if not path.exists():
            raise InputError(f"{path.parent} is not evaluated: python scripts/evaluate.py {folder}")
        try:
            evaluation = json.loads(path.read_text())
            rows = {
                "run": evaluation["terms"] | evaluation["metrics"]
            }  # both have a tv, and the metric's is meant
            rows |= evaluation["baselines"]
        except (ValueError, LookupError, TypeError) as error:
            raise InputError(
                f"{path} is damaged: python scripts/evaluate.py --again {path.parent}"
            ) from error
        values = plans.values(plan, trial)
        found += [Trial(values | {"result": name}, figures, path.parent) for name, figures in rows.items()]
    return found


def _pair(values: Values) -> tuple[Any, ...]:
    """Return the inputs of a trial, such as its content and its style."""
    of = modality(values)
    return tuple(values[f"{of.group}.{name}"] for name in of.inputs)


def measure(claim: Claim, found: Sequence[Trial]) -> Measured:
    """Pair the trials that differ in what the claim is about alone; several of one side, of other seeds, are averaged.

    Raises:
      InputError: No trial has one side's values, or one has not the figure.
    """
    sides = []
    for having in (claim.a, claim.b):
        by_pair: dict[str, list[float]] = {}
        for values, figures, folder in found:
            if all(values[name] == value for name, value in {"result": "run", **having}.items()):
                pair = json.dumps(_pair(values))
                if claim.figure not in figures:
                    raise InputError(f"{folder} has no {claim.figure}: python scripts/evaluate.py {folder}")
                by_pair.setdefault(pair, []).append(figures[claim.figure])
        sides.append({pair: statistics.fmean(figures) for pair, figures in by_pair.items()})
    pairs = sorted(set(sides[0]) & set(sides[1]))
    if not pairs:
        raise InputError(f"no trials with {dict(claim.a)} and with {dict(claim.b)}: run that sweep whole")
    a, b = (tuple(side[pair] for pair in pairs) for side in sides)
    return Measured(claim, a, b)


def write(sweeps: Path, page: Path) -> None:
    """Write the page of findings, its pictures in a folder of its name beside it.

    Args:
      sweeps: A folder with a sweep of each ablation, by the name of its config, evaluated.
      page: Where the page goes, such as `docs/findings.md`.

    Raises:
      InputError: A sweep is missing or not evaluated.
    """
    found = [trials(sweeps / question.name) for question in QUESTIONS]
    parts = [_HEAD]
    for question, of_it in zip(QUESTIONS, found, strict=True):
        picture = page.with_suffix("") / f"{question.name}.jpg"
        shown, labels = _pictures(question, of_it)
        images.write(picture, shown, quality=80)
        parts.append(_section(question, of_it, f"{picture.parent.name}/{picture.name}", labels))
    files.write_bytes(page, "\n".join(parts).encode())


_HEAD = """# Findings

What was published of each choice, and what was measured here. `scripts/findings.py` makes this page, and says from
which sweeps. Figures are means ± standard deviations over pairs of a photograph and a painting, several seeds of a pair
averaged first. A change is called so if the mean of its differences, pair by pair, is beyond twice its standard error,
and the same if it is surely below a tenth. What the metrics are: [metrics.md](metrics.md).
"""


def _section(question: Question, found: Sequence[Trial], picture: str, labels: Sequence[str]) -> str:
    measured = [measure(claim, found) for claim in question.claims]
    runs, pairs = [trial for trial in found if trial.values["result"] == "run"], len(measured[0].a)
    size = f" at {runs[0].values['images.size']} pixels" if "images.size" in runs[0].values else ""
    seeds = len({trial.values[f"{modality(trial.values).group}.seed"] for trial in runs})
    rows = "\n".join(_row(each) for each in measured)
    return f"""## {question.asked}

{question.published}

| what changes | metric | from | to | pairs that do | said to be | |
|---|---|---|---|---|---|---|
{rows}

`configs/{question.name}.py`, {len(runs)} trials{size}: {pairs} pairs, seeds: {seeds}.

![{", ".join(labels)}]({picture})

From left to right: content, style, then {"; ".join(labels)}.
"""


def _row(measured: Measured) -> str:
    claim = measured.claim
    lower = sum(b < a for a, b in zip(measured.a, measured.b, strict=True))
    do = {"lower": lower, "higher": len(measured.a) - lower}.get(claim.direction, lower)
    told = f"{do} of {len(measured.a)}{' lower' * (claim.direction == 'same')}"
    figures = " | ".join(_spread(side) for side in (measured.a, measured.b))
    return (
        f"| {claim.what} | `{claim.figure}` | {figures} | {told} | {claim.direction} | {measured.verdict} |"
    )


def _spread(side: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(side):.2g}" if len(side) > 1 else ""
    return f"{statistics.fmean(side):.3g}{spread}"


def _pictures(question: Question, found: Sequence[Trial]) -> tuple[np.ndarray, list[str]]:
    """Return one pair's first seed as a picture: the inputs, then a result for each of the values shown."""
    last = found[-1].values
    chosen: dict[str, Path] = {}
    for trial in found:
        if _pair(trial.values) == _pair(last):
            label = ", ".join(_word(trial.values[name]) for name in question.shown)
            chosen.setdefault(label, trial.folder)
    of, first = modality(last), next(iter(chosen.values()))
    paths = [first / file.preview for file in of.inputs.values()]
    paths += [folder / of.result.preview for folder in chosen.values()]
    shown = [images.read(path) for path in paths]
    height = images.read(first / of.result.preview).shape[0]
    if of.result.preview == of.result.name:
        shown = [images.resize(x, height, max(1, round(x.shape[1] * height / x.shape[0]))) for x in shown]
    else:  # plots, which have no aspect to keep
        shown = [images.resize(x, *_PLOT) for x in shown]
    return _side_by_side(shown), [*chosen]


def _side_by_side(pictures: Sequence[np.ndarray]) -> np.ndarray:
    height = pictures[0].shape[0]
    gap = np.ones((height, max(2, height // 64), 3), np.float32)
    return np.concatenate([x for picture in pictures for x in (picture, gap)][:-1], axis=1)


def _word(value: Any) -> str:
    if isinstance(value, list):
        return f"{value[0]} to {value[-1]}" if len(value) > 1 else str(value[0])
    return (
        f"{value:g}"
        if isinstance(value, float)
        else {True: "rescaled", False: "as drawn"}.get(value, str(value))
    )
