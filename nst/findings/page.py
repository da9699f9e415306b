"""The page of findings."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nst import files, images
from nst.errors import InputError
from nst.findings.claims import QUESTIONS, Claim, Question
from nst.findings.effects import Effect, Figures
from nst.findings.measure import Trial, Unmeasured, content_and_style, inputs_of, measure, trials
from nst.runs import modality

_PLOT = (96, 128)  # height and width of a preview that is no picture of the result, such as a spectrogram


def write(sweeps: Path, page: Path) -> list[str]:
    """Write the page of findings, its pictures in a folder of its name beside it.

    Args:
      sweeps: A folder with sweeps of ablations, each by the name of its config, evaluated.
      page: Where the page goes, such as `docs/findings.md`.

    Returns:
      The names of the ablations without a sweep. The page has what was published of them.

    Raises:
      InputError: There is no sweep at all, or one is not whole or not evaluated.
    """
    found = {each.name: trials(sweeps / each.name) for each in QUESTIONS if (sweeps / each.name).exists()}
    if not found:
        first = QUESTIONS[0].name
        raise InputError(
            f"{sweeps}: there is no sweep of an ablation here: "
            f"python scripts/sweep.py --config configs/{first}.py --workdir {sweeps / first}"
        )
    parts = [_HEAD]
    for question in QUESTIONS:
        if question.name not in found:
            parts.append(_unswept(question))
            continue
        picture = page.with_suffix("") / f"{question.name}.jpg"
        shown, labels = _pictures(question, found[question.name])
        images.write(picture, shown, quality=80)
        parts.append(
            _section(question, found[question.name], f"{picture.parent.name}/{picture.name}", labels)
        )
    files.write_bytes(page, "\n".join(parts).encode())
    return [each.name for each in QUESTIONS if each.name not in found]


_HEAD = """# Findings

What was published of each choice, and what was measured here. `scripts/findings.py` makes this page, and says from
which sweeps. What the metrics are: [metrics.md](metrics.md).

*From* and *to* are means ± standard deviations over pairs of a content and a style, several seeds of a pair averaged
first. The *effect* is the change from the one mean to the other in percent, with a 95 % interval. Pairs that share a
photograph or a painting are not independent, so the interval is that of a bootstrap that resamples photographs and
paintings independently (Owen, [The pigeonhole bootstrap](https://doi.org/10.1214/07-AOAS122), 2007), widened for their
small numbers as Student's t is (`nst/findings/effects.py`). Of two photographs and two paintings it is wide: only large
effects are sure.

A claim of *lower* or *higher* agrees if the whole interval lies on that side of 0, and disagrees if it lies on the
other. A claim of *same* agrees if it lies within ±10 %, and disagrees if it lies wholly outside. All else is undecided.
"""


def _unswept(question: Question) -> str:
    return f"""## {question.asked}

{question.published}

Not measured yet: `python scripts/sweep.py --config configs/{question.name}.py`
"""


def _section(question: Question, found: Sequence[Trial], picture: str, labels: Sequence[str]) -> str:
    runs = [trial for trial in found if trial.values["result"] == "run"]
    size = f" at {runs[0].values['images.size']} pixels" if "images.size" in runs[0].values else ""
    contents, styles = (
        len(set(names)) for names in zip(*(content_and_style(trial.values) for trial in runs), strict=True)
    )
    seeds = len({trial.values[f"{modality(trial.values).group}.seed"] for trial in runs})
    rows = "\n".join(_row(claim, found) for claim in question.claims)
    return f"""## {question.asked}

{question.published}

| what changes | metric | from | to | effect | said to be | |
|---|---|---|---|---|---|---|
{rows}

`configs/{question.name}.py`, {len(runs)} trials{size}: contents: {contents}, styles: {styles}, seeds: {seeds}.

![{", ".join(labels)}]({picture})

From left to right: content, style, then {"; ".join(labels)}.
"""


def _row(claim: Claim, found: Sequence[Trial]) -> str:
    try:
        measured = measure(claim, found)
    except Unmeasured as error:
        cells, verdict = ["—", "—", "—"], f"not measured: {error}"
    else:
        cells = [_spread(measured.a), _spread(measured.b), _interval(measured.effect)]
        verdict = measured.verdict
    return f"| {claim.what} | `{claim.figure}` | {' | '.join(cells)} | {claim.direction} | {verdict} |"


def _spread(figures: Figures) -> str:
    side = figures[~np.isnan(figures)].tolist()
    spread = f" ± {statistics.stdev(side):.2g}" if len(side) > 1 else ""
    return f"{statistics.fmean(side):.3g}{spread}"


def _interval(effect: Effect) -> str:
    value, low, high = map(_percent, effect)
    return f"{value} % [{low}, {high}]"


def _percent(change: float) -> str:
    percent = 100 * change
    if math.isinf(percent):
        return "+∞"
    digits = "+.1f" if abs(percent) < 9.95 else "+.0f" if percent < 99_999.5 else "+.0e"
    return f"{percent:{digits}}".replace("-", "−")


def _pictures(question: Question, found: Sequence[Trial]) -> tuple[np.ndarray, list[str]]:
    """Return one pair's first seed as a picture: the inputs, then a result for each of the values shown."""
    last = found[-1].values
    chosen: dict[str, Path] = {}
    for trial in found:
        if inputs_of(trial.values) == inputs_of(last):
            values = [trial.values[name] for name in question.shown]
            label = ", ".join(_word(value) for value in values if value is not None)
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
