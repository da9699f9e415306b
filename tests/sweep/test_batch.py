"""Trials in lock-step: the same results as alone, and each with its own end."""

import json

import pytest

from nst import overrides, record, runs, sweep
from nst.errors import RunError
from nst.sweep import plan, summary
from nst.sweep.trials import Folder
from nst.sweep.work import batch_key, take, work


def quiet(*told):
    pass


def losses(folder):
    return {line["step"]: line["loss"] for line in record.metrics(folder / "metrics.jsonl")}


@pytest.mark.parametrize(("optimizer", "rate", "end"), [("adam", 0.02, 1e-4), ("lbfgs_pyramid", 1.0, 0.02)])
def test_they_come_to_what_they_come_to_alone(config, tmp_path, optimizer, rate, end):
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
        found, expected = losses(folder.trial(trial)), losses(tmp_path / trial.name)
        assert list(found) == list(expected)
        for step in range(5):  # later one rectifier that flips turns the gradient by up to 5e-3
            assert found[step] == pytest.approx(expected[step], rel=1e-5)
        assert found[12] == pytest.approx(expected[12], rel=end)
        names = {path.relative_to(tmp_path / trial.name) for path in (tmp_path / trial.name).rglob("*")}
        kept = {path.relative_to(folder.trial(trial)) for path in folder.trial(trial).rglob("*")}
        assert {str(name) for name in names ^ kept} <= {".lock"}


def test_what_fails_leaves_the_rest_alone(config, pictures, tmp_path):
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


def test_memory_for_one_may_do_where_it_does_not_for_all(config, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RunError("memory\nran out")

    chosen = sweep.begin(config, overrides.grid({"loss.style_weight": (1.0, 2.0)}), tmp_path / "sweep")
    monkeypatch.setattr(runs, "together", fail)
    with pytest.warns(UserWarning, match="not in lock-step: memory ran out"):
        work(tmp_path / "sweep", quiet, 2)
    assert set(Folder(tmp_path / "sweep").states(chosen).values()) == {"done"}


def test_who_goes_together(config, pictures, tmp_path):
    """Structure and size in common, nothing begun."""
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
