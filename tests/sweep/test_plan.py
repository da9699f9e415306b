"""Plans: names, one trial for each pair of pictures, what is refused before anything runs, and what may change."""

import json

import numpy as np
import pytest

from nst import overrides
from nst.errors import InputError
from nst.sweep import begin, plan


def names(config, sweep):
    return [trial.name for trial in plan.make(config, sweep).trials]


def test_trials_are_named_by_what_varies(config):
    fields = {"features.pooling": ("avg", "max"), "images.seed": (0, 1), "optimizer.steps": (8,)}
    assert names(config, overrides.grid(fields)) == [
        "pooling=avg,seed=0",
        "pooling=avg,seed=1",
        "pooling=max,seed=0",
        "pooling=max,seed=1",
    ]


def test_names_tell_fields_apart(config):
    fields = {"optimizer.steps": (1, 2), "pyramid.steps": (3, 4)}
    assert names(config, overrides.zipped(fields))[0] == "optimizer.steps=1,pyramid.steps=3"
    layers = [{"loss.style_layers": layers} for layers in (("relu1_1",), ("relu1_1", "relu2_1"))]
    assert names(config, layers) == ["style_layers=relu1_1", "style_layers=relu1_1+relu2_1"]
    assert names(config, [{}]) == ["base"]
    assert names(config, [("<script>", {}), ("two words", {"images.seed": 1})]) == ["<script>", "two words"]


def test_long_names_stay_apart(config):
    found = names(config, [{"images.init": "x" * 150 + str(i)} for i in (1, 2)])
    assert len(set(found)) == 2
    assert max(map(len, found)) <= 120


def test_several_pictures_are_several_trials(config, pictures):
    config.images.content = str(pictures)
    found = plan.make(config, overrides.grid({"images.seed": (0, 1)})).trials
    assert [trial.name for trial in found] == [
        f"seed={seed},content={name}" for seed in (0, 1) for name in ("content", "other", "style")
    ]
    assert found[1].overrides == {"images.seed": 0, "images.content": str(pictures / "other.png")}


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ([], "yields no trial"),
        ([3], "yields 3: give mappings"),
        (
            [{"features.poling": "max"}],
            "trial .*: unknown config field 'features.poling': did you mean features.pooling",
        ),
        ([{"loss.style_weight": -1.0}], "trial .*style_weight = -1"),
        ([{"optimizer.steps": "many"}], "trial .*steps = 'many': give a int"),
        ([{"images.seed": 1}, {"images.seed": 1}], "two trials are named"),
        ([("a/b", {})], "a folder's name has no /"),
        ([(".a", {})], "no dot in front"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_runs(config, sweep, message):
    with pytest.raises(InputError, match=message) as caught:
        plan.make(config, sweep)
    assert "\n" not in str(caught.value)


def test_a_plan_comes_back_from_its_file(config, tmp_path):
    sweep = [{"loss.style_layers": ("relu1_1",), "loss.style_weight": np.float32(2)}]
    made = plan.make(config, sweep)
    plan.write(tmp_path, made)
    assert plan.read(tmp_path) == made
    found = plan.configured(made, made.trials[0])
    with config.unlocked():
        config.loss.style_layers = ("relu1_1",)
        config.loss.style_weight = 2.0
    assert json.loads(found.to_json()) == json.loads(config.to_json())
    assert found.loss.style_layers == ("relu1_1",)
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(InputError, match="damaged"):
        plan.read(tmp_path)


def test_a_changed_plan_is_refused_or_extended(config, tmp_path):
    def made(*seeds):
        return plan.make(config, [{"images.seed": seed} for seed in seeds])

    plan.agree(made(0, 1), made(0, 1), extend=False, where=tmp_path)
    with pytest.raises(InputError, match=r"trial seed=2 is new.*--extend"):
        plan.agree(made(0, 1), made(0, 1, 2), extend=False, where=tmp_path)
    plan.agree(made(0, 1), made(0, 1, 2), extend=True, where=tmp_path)
    with pytest.raises(InputError, match=r"trial.seed=1.* undo that"):
        plan.agree(made(0, 1), made(0, 2), extend=True, where=tmp_path)
    before = made(0, 1)
    config.loss.tv_weight = 7.0
    with pytest.raises(InputError, match=r"config.loss.tv_weight was .* now 7"):
        plan.agree(before, made(0, 1), extend=True, where=tmp_path)


def test_other_writers_are_the_same_sweep(config, tmp_path):
    begun = begin(config, [{}], tmp_path / "sweep")
    config.run.writers = ("tensorboard",)
    gone_on = begin(config, [{}], tmp_path / "sweep")
    assert plan.read(tmp_path / "sweep") == gone_on
    assert gone_on.config["run"]["writers"] == ["tensorboard"]
    for lockstep in (False, True):
        keys = {plan.structure(each, each.trials[0], lockstep=lockstep) for each in (begun, gone_on)}
        assert len(keys) == 1


def test_what_shares_programs(config):
    sweep = [{}, {"loss.style_weight": 1.0, "images.seed": 3}, {"features.pooling": "max"}]
    made = plan.make(config, [(str(i), o) for i, o in enumerate(sweep)])
    keys = [plan.structure(made, trial) for trial in made.trials]
    assert len(set(keys)) == 3  # another seed is another network of random weights
    config.features.weights = "vgg19"
    made = plan.make(config, [(str(i), o) for i, o in enumerate(sweep)])
    keys = [plan.structure(made, trial) for trial in made.trials]
    assert keys[0] == keys[1] != keys[2]
