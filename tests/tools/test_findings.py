"""Findings: pairs, verdicts and the page, from sweeps written by hand; and plans that cover the claims."""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nst import images, record
from nst.config import defaults
from nst.errors import InputError
from nst.losses import STYLE_LOSSES
from nst.sweep import plan as plans
from tools import findings
from tools.findings.claims import QUESTIONS
from tools.findings.question import Claim

pytestmark = pytest.mark.filterwarnings("ignore:VGG-16 is left out")

PAIRS = [(c, s) for c in ("coffee", "chelsea") for s in ("strokes", "panes")]


def claim(direction, figure="tv"):
    return Claim("something", {"features.pooling": "max"}, {"features.pooling": "avg"}, figure, direction)


def trial(pooling, pair, value, seed=0, figure="tv", layers=None):
    values = {
        "features.pooling": pooling,
        "images.content": pair[0],
        "images.style": pair[1],
        "images.seed": seed,
        "result": "run",
    }
    return findings.Trial(values, {figure: value}, layers or {}, Path())


def test_pairs_are_those_of_both_sides_and_seeds_are_averaged():
    trials = [trial("max", pair, float(i)) for i, pair in enumerate(PAIRS)]
    trials += [trial("avg", PAIRS[2], 10.0, seed=0), trial("avg", PAIRS[2], 20.0, seed=1)]
    trials += [trial("avg", PAIRS[0], 7.0), trial("l2", PAIRS[0], 99.0)]
    measured = findings.measure(claim("lower"), trials)
    # Pair 0 is coffee and strokes, pair 2 chelsea and strokes; contents are sorted.
    assert measured.a.tolist() == [[2.0], [0.0]]
    assert measured.b.tolist() == [[15.0], [7.0]]
    with pytest.raises(findings.Unmeasured, match=r"no trials with .*max.* and with .*avg"):
        findings.measure(claim("lower"), trials[:4])


def test_a_pair_that_was_not_run_is_left_open():
    trials = [trial(pooling, pair, 1.0) for pooling in ("max", "avg") for pair in PAIRS]
    measured = findings.measure(claim("same"), trials[:-1])
    assert np.isnan(measured.b).tolist() == [[True, False], [False, False]]
    assert measured.verdict == "agrees"


def test_figures_of_different_layers_are_not_compared():
    def trials(other):
        return [
            trial(pooling, pair, 1.0, figure="style_gram_held_out", layers={"held_out": [layer]})
            for pooling, layer in (("max", "relu1_2"), ("avg", other))
            for pair in PAIRS
        ]

    of_style = claim("same", "style_gram_held_out")
    assert findings.measure(of_style, trials("relu1_2")).verdict == "agrees"
    with pytest.raises(findings.Unmeasured, match="style_gram_held_out is of different layers"):
        findings.measure(of_style, trials("relu2_2"))


@pytest.mark.parametrize(
    ("differences", "verdicts"),
    [
        ([-3.0, -2.9, -3.1, -3.0], {"lower": "agrees", "higher": "disagrees", "same": "disagrees"}),
        ([3.0, 2.9, 3.1, 3.0], {"lower": "disagrees", "higher": "agrees", "same": "disagrees"}),
        ([-3.0, 3.1, -2.9, 3.0], {"lower": "undecided", "higher": "undecided", "same": "undecided"}),
        ([0.01, -0.01, 0.02, -0.02], {"lower": "undecided", "higher": "undecided", "same": "agrees"}),
        ([0.05, 0.05, 0.05, 0.05], {"lower": "disagrees", "higher": "agrees", "same": "agrees"}),
        ([1.01, 1.0, 0.99, 1.0], {"lower": "disagrees", "higher": "agrees", "same": "undecided"}),
        # All four are lower, but with two photographs that differ this much it is undecided.
        ([-3.0, -2.5, -0.5, -1.0], {"lower": "undecided", "higher": "undecided", "same": "undecided"}),
    ],
)
def test_verdicts(differences, verdicts):
    for direction, verdict in verdicts.items():
        a = np.full((2, 2), 10.0)
        measured = findings.Measured(claim(direction), a, a + np.reshape(differences, (2, 2)))
        assert measured.verdict == verdict, direction


def test_one_pair_decides_nothing():
    a = np.full((1, 1), 10.0)
    for direction in ("lower", "higher", "same"):
        assert findings.Measured(claim(direction), a, a / 2).verdict == "undecided"


@pytest.fixture(scope="module")
def sweeps(planned, cache_of_sets, tmp_path_factory):
    """Write the sweep of every ablation, with images of 16 pixels and figures that grow with the trial's number."""
    folder = tmp_path_factory.mktemp("sweeps")
    for question in QUESTIONS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NST_CACHE_DIR", str(cache_of_sets))
            plan = planned(question.name, "quick")
        (folder / question.name).mkdir()
        plans.write(folder / question.name, plan)
        for number, trial in enumerate(plan.trials):
            path = folder / question.name / "trials" / trial.name
            figures = {each.figure: float(1 + number) for each in question.claims}
            terms = {"loss": figures.pop("loss")} if "loss" in figures else {}
            for name in ("image", "spectrogram", "content", "style"):
                images.write(path / f"{name}.png", np.full((16, 16, 3), 0.5, np.float32))
            (path / "evaluation.json").write_text(
                json.dumps(
                    {
                        "metrics": figures,
                        "terms": {"tv": 1e9} | terms,
                        "baselines": {name: dict.fromkeys(figures, 0.5) for name in ("content", "style")},
                    }
                )
            )
    return folder


def test_the_page_has_every_claim_and_an_image_of_every_question(sweeps, tmp_path):
    findings.write(sweeps, tmp_path / "docs" / "findings.md")
    page = (tmp_path / "docs" / "findings.md").read_text()
    assert "and with features.network=vgg16 |" in page  # whose weights are not in the cache of the tests
    for question in QUESTIONS:
        assert f"## {question.title}" in page
        for each in question.claims:
            assert f"| {each.what} | `{each.figure}` |" in page
        image = images.read(tmp_path / "docs" / "findings" / f"{question.name}.jpg")
        assert image.shape[1] > 3 * 16
        assert f"](findings/{question.name}.jpg)" in page
    # avg comes first of three with four pairs: 1, 2, 3, 4; then max, 5, 6, 7, 8.
    assert "| roughness | `tv` | 6.5 ± 1.3 | 2.5 ± 1.3 | −62 % [−98, +32] | lower | undecided |" in page
    assert "12 trials at 128 pixels: contents: 2, styles: 2, seeds: 1." in page
    again = tmp_path / "again" / "findings.md"
    findings.write(sweeps, again)
    assert again.read_text() == page


def test_questions_without_a_sweep_stay_on_the_page(sweeps, tmp_path):
    shutil.copytree(sweeps / "pooling", tmp_path / "sweeps" / "pooling")
    absent = findings.write(tmp_path / "sweeps", tmp_path / "findings.md")
    assert absent == [question.name for question in QUESTIONS if question.name != "pooling"]
    page = (tmp_path / "findings.md").read_text()
    for question in QUESTIONS:
        assert f"## {question.title}\n\n{question.published}\n" in page
    assert "Not measured yet: `python scripts/sweep.py --config configs/layers.py`" in page
    assert "configs/pooling.py`, 12 trials" in page


def test_a_claim_without_trials_is_reported_in_its_row(sweeps, tmp_path, monkeypatch):
    shutil.copytree(sweeps / "pooling", tmp_path / "pooling")
    pooling = next(question for question in QUESTIONS if question.name == "pooling")
    absent = Claim("of no pooling", {"features.pooling": "none"}, {"features.pooling": "avg"}, "tv", "lower")
    monkeypatch.setattr(
        "tools.findings.page.QUESTIONS", (pooling._replace(claims=(*pooling.claims, absent)),)
    )
    findings.write(tmp_path, tmp_path / "findings.md")
    assert (
        "| of no pooling | `tv` | — | — | — | lower | not measured: no trials with features.pooling=none "
        "and with features.pooling=avg |"
    ) in (tmp_path / "findings.md").read_text()


def test_missing_sweeps_and_evaluations_are_reported(sweeps, tmp_path):
    with pytest.raises(InputError, match=r"there is no sweep of an ablation here: .*configs/pooling\.py"):
        findings.write(tmp_path, tmp_path / "findings.md")
    (tmp_path / "layers").mkdir()
    with pytest.raises(InputError, match=r"layers: there is no sweep here: .*configs/layers\.py"):
        findings.write(tmp_path, tmp_path / "findings.md")
    assert not (tmp_path / "findings.md").exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "EVALUATION", "no.json")
        with pytest.raises(InputError, match=r"is not evaluated: python scripts/evaluate\.py"):
            findings.write(sweeps, tmp_path / "findings.md")


def test_an_evaluation_that_is_damaged_or_lacks_the_figure_is_reported(sweeps, tmp_path):
    shutil.copytree(sweeps / "pooling", tmp_path / "pooling")
    first = findings.trials(tmp_path / "pooling")[0].folder / "evaluation.json"
    first.write_text(json.dumps({"metrics": {}, "terms": {}, "baselines": {}}))
    with pytest.raises(InputError, match=r"has no tv: python scripts/evaluate\.py"):
        findings.measure(claim("lower"), findings.trials(tmp_path / "pooling"))
    for damaged in ("{", "{}", "[]"):
        first.write_text(damaged)
        with pytest.raises(InputError, match=r"is damaged: python scripts/evaluate\.py --again"):
            findings.trials(tmp_path / "pooling")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_plans_cover_the_claims(question, planned, sets):
    """The full plans, not the quick ones. The two sides of a claim differ only in the fields that it names."""
    plan = planned(question.name, "")
    values = [
        plans.values(plan, trial) | {"result": result}
        for trial in plan.trials
        for result in ("run", "content", "style")
    ]
    # Trials of losses have equal seconds, not equal steps.
    free = FOLLOW | {"optimizer.steps"} if question.name == "losses" else FOLLOW
    for each in question.claims:
        sides = [
            [
                v
                for v in values
                if all(v[name] == value for name, value in {"result": "run", **having}.items())
            ]
            for having in (each.a, each.b)
        ]
        if not all(sides) and absent(each):
            continue
        assert all(sides), each.what
        named = {*each.a, *each.b}
        alike = [
            all(a[name] == b[name] for name in a if name not in named and name not in free)
            for a, b in itertools.product(*sides)
        ]
        assert any(alike), each.what


def absent(claim):
    """Return whether a claim needs a network whose weights are missing, or a loss that is not registered."""
    names = {having.get("loss.style_loss", "gram") for having in (claim.a, claim.b)}
    return "vgg16" in claim.b.values() or not names <= set(STYLE_LOSSES)


#: Fields that follow one that a claim names, such as layer weights and learning rates; and seeds.
FOLLOW = {
    "loss.resample",
    "features.normalise",
    "features.weights",
    "loss.content_layers",
    "loss.style_layers",
    "loss.style_layer_weights",
    "loss.style_weight",
    "optimizer.learning_rate",
    "optimizer.name",
    "images.seed",
}


def test_fields_that_claims_name_exist():
    names = {"result", *defaults("image"), *defaults("audio")}
    for question in QUESTIONS:
        for each in question.claims:
            assert {*each.a, *each.b, *question.fields} <= names
