"""The page of findings."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nst import files, images
from nst.errors import InputError
from nst.runs import modality
from tools.findings.claims import QUESTIONS
from tools.findings.effects import Effect, Figures
from tools.findings.measure import Trial, Unmeasured, content_and_style, inputs_of, measure, trials
from tools.findings.question import Claim, Question

_PLOT = (96, 128)  # height and width of a preview that is a plot, such as a spectrogram


def write(sweeps: Path, page: Path) -> list[str]:
    """Write the page of findings, and its images to a folder of the same name beside it.

    Args:
      sweeps: A folder with evaluated sweeps of ablations, each named after its config.
      page: The path of the page, such as `docs/findings.md`.

    Returns:
      The names of the ablations without a sweep, for which the page has only published claims.

    Raises:
      InputError: There is no sweep at all, or one is incomplete or not evaluated.
    """
    trials_of = {each.name: trials(sweeps / each.name) for each in QUESTIONS if (sweeps / each.name).exists()}
    if not trials_of:
        first = QUESTIONS[0].name
        raise InputError(
            f"{sweeps}: there is no sweep of an ablation here: "
            f"python scripts/sweep.py --config configs/{first}.py --workdir {sweeps / first}"
        )
    parts = [_HEAD]
    for question in QUESTIONS:
        if question.name not in trials_of:
            parts.append(_unswept(question))
            continue
        path = page.with_suffix("") / f"{question.name}.jpg"
        image, labels = _image(question, trials_of[question.name])
        images.write(path, image, quality=80)
        parts.append(_section(question, trials_of[question.name], f"{path.parent.name}/{path.name}", labels))
    files.write_bytes(page, "\n".join(parts).encode())
    return [each.name for each in QUESTIONS if each.name not in trials_of]


_HEAD = """# Findings

Published claims about each choice, and measurements. `scripts/findings.py` writes this page and lists the sweeps that
it needs. [metrics.md](metrics.md) defines the metrics.

*From* and *to* are means ± standard deviations over pairs of a content and a style; several seeds of a pair are
averaged first. The *effect* is the change from one mean to the other in percent, with a 95 % interval. Pairs that share
a photograph or a painting are not independent, so the interval is that of a bootstrap that resamples photographs and
paintings independently (Owen, [The pigeonhole bootstrap](https://doi.org/10.1214/07-AOAS122), 2007), widened for their
small numbers as Student's t is (`tools/findings/effects.py`). With two photographs and two paintings it is wide: only
large effects are certain.

A claim of *lower* or *higher* agrees if the whole interval lies on that side of 0, and disagrees if it lies on the
other. A claim of *same* agrees if it lies within ±10 %, and disagrees if it lies wholly outside. Otherwise the verdict
is undecided.
"""


def _unswept(question: Question) -> str:
    return f"""## {question.title}

{question.published}

Not measured yet: `python scripts/sweep.py --config configs/{question.name}.py`
"""


def _section(question: Question, sweep: Sequence[Trial], image: str, labels: Sequence[str]) -> str:
    runs = [trial for trial in sweep if trial.values["result"] == "run"]
    size = f" at {runs[0].values['images.size']} pixels" if "images.size" in runs[0].values else ""
    contents, styles = (
        len(set(names)) for names in zip(*(content_and_style(trial.values) for trial in runs), strict=True)
    )
    seeds = len({trial.values[f"{modality(trial.values).group}.seed"] for trial in runs})
    rows = "\n".join(_row(claim, sweep) for claim in question.claims)
    return f"""## {question.title}

{question.published}

| what changes | metric | from | to | effect | claim | |
|---|---|---|---|---|---|---|
{rows}

`configs/{question.name}.py`, {len(runs)} trials{size}: contents: {contents}, styles: {styles}, seeds: {seeds}.

![{", ".join(labels)}]({image})

From left to right: content, style, then {"; ".join(labels)}.
"""


def _row(claim: Claim, sweep: Sequence[Trial]) -> str:
    try:
        measured = measure(claim, sweep)
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


def _image(question: Question, sweep: Sequence[Trial]) -> tuple[np.ndarray, list[str]]:
    """Return an image of one pair, and labels: the inputs, then a result for each value, of the first seed."""
    last = sweep[-1].values
    chosen: dict[str, Path] = {}
    for trial in sweep:
        if inputs_of(trial.values) == inputs_of(last):
            values = [trial.values[name] for name in question.fields]
            label = ", ".join(_word(value) for value in values if value is not None)
            chosen.setdefault(label, trial.folder)
    own_modality, first = modality(last), next(iter(chosen.values()))
    paths = [first / file.preview for file in own_modality.inputs.values()]
    paths += [folder / own_modality.result.preview for folder in chosen.values()]
    previews = [images.read(path) for path in paths]
    height = images.read(first / own_modality.result.preview).shape[0]
    if own_modality.result.preview == own_modality.result.name:
        previews = [
            images.resize(x, height, max(1, round(x.shape[1] * height / x.shape[0]))) for x in previews
        ]
    else:  # plots, whose aspect ratio is arbitrary
        previews = [images.resize(x, *_PLOT) for x in previews]
    return _side_by_side(previews), [*chosen]


def _side_by_side(previews: Sequence[np.ndarray]) -> np.ndarray:
    height = previews[0].shape[0]
    gap = np.ones((height, max(2, height // 64), 3), np.float32)
    return np.concatenate([x for preview in previews for x in (preview, gap)][:-1], axis=1)


def _word(value: Any) -> str:
    if isinstance(value, list):
        return f"{value[0]} to {value[-1]}" if len(value) > 1 else str(value[0])
    return (
        f"{value:g}"
        if isinstance(value, float)
        else {True: "rescaled", False: "as drawn"}.get(value, str(value))
    )
