"""Batched trials: the same results as alone, and failures that affect one trial only."""

import json

import pytest

from nst import overrides, record, runs, sweep
from nst.errors import RunError
from nst.sweep import plan, summary
from nst.sweep.trials import Folder
from nst.sweep.work import batch_key, take, work


def quiet(*report):
    pass


def losses(folder):
    return {line["step"]: line["loss"] for line in record.metrics(folder / "metrics.jsonl")}


@pytest.mark.parametrize(("optimizer", "rate", "end"), [("adam", 0.02, 1e-4), ("lbfgs_pyramid", 1.0, 0.02)])
def test_batched_trials_have_the_results_of_single_runs(config, tmp_path, optimizer, rate, end):
    config.update_from_flattened_dict(
        {
            "optimizer.name": optimizer,
            "optimizer.learning_rate": rate,
            "run.log_every": 1,
            "optimizer.steps": 12,
        }
    )
    fields = {"loss.style_weight": (10.0, 1000.0), "images.init": ("content", "noise")}
    chosen = sweep.begin(config, overrides.grid(fields), tmp_path / "sweep")
    folder = Folder(tmp_path / "sweep")
    work(tmp_path / "sweep", quiet, 4)
    rows = summary.collect(folder, chosen)
    assert [row["state"] for row in rows] == ["done"] * 4
    assert [row["took"]["compilations"] > 0 for row in rows] == [True, False, False, False]
    for trial in chosen.trials:
        runs.run(plan.configured(chosen, trial), tmp_path / trial.name)
        batched, expected = losses(folder.trial(trial)), losses(tmp_path / trial.name)
        assert list(batched) == list(expected)
        for step in range(5):  # later one rectifier that flips turns the gradient by up to 5e-3
            assert batched[step] == pytest.approx(expected[step], rel=1e-5)
        assert batched[12] == pytest.approx(expected[12], rel=end)
        names = {path.relative_to(tmp_path / trial.name) for path in (tmp_path / trial.name).rglob("*")}
        batched_names = {path.relative_to(folder.trial(trial)) for path in folder.trial(trial).rglob("*")}
        assert {str(name) for name in names ^ batched_names} <= {".lock"}


def test_a_failing_trial_does_not_affect_the_others(config, pictures, tmp_path):
    config.optimizer.name, config.optimizer.learning_rate = "adam", 0.02
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes((pictures / "content.png").read_bytes()[:200])
    trials = [
        ("good", {}),
        ("diverges", {"optimizer.learning_rate": 1e30}),
        ("bad style", {"images.style": str(damaged)}),
        ("good too", {"loss.style_weight": 1.0}),
    ]
    chosen = sweep.begin(config, trials, tmp_path / "sweep")
    folder = Folder(tmp_path / "sweep")
    work(tmp_path / "sweep", quiet, 8)
    assert list(folder.states(chosen).values()) == ["done", "failed", "failed", "done"]
    assert "not finite" in folder.error(chosen.trials[1])
    assert "damaged.png" in folder.error(chosen.trials[2])
    assert list((folder.trial(chosen.trials[1]) / "frames").iterdir())


def test_the_trials_of_a_failed_batch_run_one_by_one(config, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RunError("memory\nran out")

    chosen = sweep.begin(config, overrides.grid({"loss.style_weight": (1.0, 2.0)}), tmp_path / "sweep")
    monkeypatch.setattr(runs, "together", fail)
    with pytest.warns(UserWarning, match="its trials run one by one: memory ran out"):
        work(tmp_path / "sweep", quiet, 2)
    assert set(Folder(tmp_path / "sweep").states(chosen).values()) == {"done"}


def test_which_trials_form_a_batch(config, pictures, tmp_path):
    """They share structure and size, and none was begun."""
    trials = [
        ("a", {}),
        ("b", {"loss.style_weight": 2.0}),
        ("longer", {"optimizer.steps": 9}),
        ("max", {"features.pooling": "max"}),
        ("square", {"images.content": str(pictures / "apart" / "square.png")}),
        ("begun", {}),
        ("c", {"images.content": str(pictures / "other.png")}),
    ]
    chosen = sweep.begin(config, trials, tmp_path / "sweep")
    folder = Folder(tmp_path / "sweep")
    folder.trial(chosen.trials[5]).mkdir(parents=True)
    (folder.trial(chosen.trials[5]) / "config.json").write_text(json.dumps({}))
    taken = take(folder, chosen, list(chosen.trials), "", 8)
    assert [trial.name for trial, _ in taken] == ["a", "b", "c"]
    more = take(folder, chosen, list(chosen.trials), "", 8)
    assert [trial.name for trial, _ in more] == ["max"]  # programs that nobody compiles yet
    assert batch_key(folder, chosen, chosen.trials[5]) is None
    for _, lease in (*taken, *more):
        lease.give_back()
