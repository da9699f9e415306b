"""Comparison of claims with the trials of a sweep."""

import itertools
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst import record
from nst.errors import InputError
from nst.runs import modality
from nst.sweep import plan as plans
from nst.types import Values
from tools.findings.effects import Effect, Figures, effect
from tools.findings.question import Claim

_AGREES, _DISAGREES, _OPEN = "agrees", "disagrees", "undecided"
_SAME = 0.1  # relative change below which a figure counts as the same


class Unmeasured(InputError):  # noqa: N818 - reported on the page, not a failure
    """A claim that the trials of a sweep can't decide."""


class Measured(NamedTuple):
    """A claim and the figures of both sides by content and style; NaN if a pair was not run."""

    claim: Claim
    a: Figures
    b: Figures

    @property
    def effect(self) -> Effect:
        """The relative change from `a` to `b`."""
        return effect(self.a, self.b)

    @property
    def verdict(self) -> str:
        """`agrees` or `disagrees` if the whole interval of the effect does so with the claim, else `undecided`."""
        _, low, high = self.effect
        if self.claim.direction == "same":
            if low > -_SAME and high < _SAME:
                return _AGREES
            return _DISAGREES if high < -_SAME or low > _SAME else _OPEN
        if low <= 0 <= high:
            return _OPEN
        return _AGREES if (high < 0) == (self.claim.direction == "lower") else _DISAGREES


class Trial(NamedTuple):
    """A trial, or a baseline in its place; the field `result` says which.

    Attributes:
      values: The fields by dotted name.
      figures: The metrics and the terms of the loss.
      layers: The layers at which styles are compared, `optimized` and `held_out`; empty for audio.
      folder: The run directory.
    """

    values: Values
    figures: Mapping[str, float]
    layers: Mapping[str, Sequence[str]]
    folder: Path


def trials(folder: Path) -> list[Trial]:
    """Read the trials of a sweep, and their baselines.

    Raises:
      InputError: There is no sweep, or a trial is not done or not evaluated.
    """
    plan = plans.read(folder)
    if plan is None:
        raise InputError(
            f"{folder}: there is no sweep here: python scripts/sweep.py --config configs/{folder.name}.py"
        )
    result = []
    for trial in plan.trials:
        path = folder / "trials" / trial.name / record.EVALUATION
        if not path.exists():
            raise InputError(f"{path.parent} is not evaluated: python scripts/evaluate.py {folder}")
        try:
            evaluation = json.loads(path.read_text())
            # Terms and metrics both have a `tv`; that of the metrics is used.
            rows = {"run": evaluation["terms"] | evaluation["metrics"]}
            rows |= evaluation["baselines"]
            layers = evaluation.get("layers", {})
        except (ValueError, LookupError, TypeError) as error:
            raise InputError(
                f"{path} is damaged: python scripts/evaluate.py --again {path.parent}"
            ) from error
        values = plans.values(plan, trial)
        result += [
            Trial(values | {"result": name}, figures, layers, path.parent) for name, figures in rows.items()
        ]
    return result


def inputs_of(values: Values) -> tuple[Any, ...]:
    """Return the inputs of a trial, such as its content and its style."""
    own_modality = modality(values)
    return tuple(values[f"{own_modality.group}.{name}"] for name in own_modality.inputs)


def measure(claim: Claim, sweep: Sequence[Trial]) -> Measured:
    """Pair the trials of both sides of a claim by content and style, averaged over other fields such as the seed.

    Raises:
      Unmeasured: No pair has trials of both sides, or the sides are compared at different layers.
      InputError: A trial lacks the figure.
    """
    sides = [_side(having, sweep) for having in (claim.a, claim.b)]
    pairs = sorted(set(sides[0]) & set(sides[1]))
    if not pairs:
        raise Unmeasured(f"no trials with {_text(claim.a)} and with {_text(claim.b)}")
    if len({_layers(claim.figure, trial) for side in sides for pair in pairs for trial in side[pair]}) > 1:
        raise Unmeasured(f"{claim.figure} is of different layers on the two sides")
    contents, styles = (sorted({pair[i] for pair in pairs}) for i in range(2))
    a, b = (np.full((len(contents), len(styles)), math.nan) for _ in sides)
    for (content, style), (table, side) in itertools.product(pairs, zip((a, b), sides, strict=True)):
        figures = [_figure(claim.figure, trial) for trial in side[content, style]]
        table[contents.index(content), styles.index(style)] = statistics.fmean(figures)
    return Measured(claim, a, b)


def _text(having: Values) -> str:
    return ", ".join(f"{name}={value}" for name, value in having.items())


def _side(having: Values, sweep: Sequence[Trial]) -> dict[tuple[str, str], list[Trial]]:
    """Return the trials with the values of a side, by content and style."""
    side: dict[tuple[str, str], list[Trial]] = {}
    for trial in sweep:
        if all(trial.values[name] == value for name, value in {"result": "run", **having}.items()):
            side.setdefault(content_and_style(trial.values), []).append(trial)
    return side


def content_and_style(values: Values) -> tuple[str, str]:
    """Return two keys: one that trials of the same content share, and one for the same style."""
    content, *others = inputs_of(values)
    return str(content), json.dumps(others)


def _layers(figure: str, trial: Trial) -> tuple[str, ...]:
    """Return the layers over which a figure of style is averaged; empty for other figures."""
    if not figure.startswith("style_"):
        return ()
    return tuple(trial.layers.get("held_out" if figure.endswith("_held_out") else "optimized", ()))


def _figure(name: str, trial: Trial) -> float:
    if name not in trial.figures:
        raise InputError(f"{trial.folder} has no {name}: python scripts/evaluate.py {trial.folder}")
    return trial.figures[name]
