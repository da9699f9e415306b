"""Plans: names, one trial for each pair of images, checks before anything runs, and changes that are accepted."""

import json
from pathlib import Path

import numpy as np
import pytest

from nst import overrides
from nst.config import FIELDS, Field, base
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
    long_names = names(config, [{"images.init": "x" * 150 + str(i)} for i in (1, 2)])
    assert len(set(long_names)) == 2
    assert max(map(len, long_names)) <= 120


def test_several_images_are_several_trials(config, pictures):
    config.images.content = str(pictures)
    trials = plan.make(config, overrides.grid({"images.seed": (0, 1)})).trials
    assert [trial.name for trial in trials] == [
        f"seed={seed},content={name}" for seed in (0, 1) for name in ("content", "other", "style")
    ]
    assert trials[1].overrides == {"images.seed": 0, "images.content": str(pictures / "other.png")}


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
        ([{"optimizer.steps": "many"}], "trial .*steps = 'many': give an int"),
        ([{"images.size": 0}], "trial .*images.size = 0: give a number above 0"),
        ([{"loss.style_layer_weights": (1.0,)}], "trial .*has 1 numbers for 2 style layers"),
        ([{"features.network": "vgg18", "features.weights": None}], "trial .*network 'vgg18': did you mean"),
        ([{"modality": "smell"}], "trial .*unknown modality 'smell'"),
        ([{"images.seed": 1}, {"images.seed": 1}], "two trials are named"),
        ([("a/b", {})], "give a folder name without /"),
        ([(".a", {})], "without a leading dot"),
    ],
)
def test_invalid_trials_are_refused_before_anything_runs(config, sweep, message):
    with pytest.raises(InputError, match=message) as caught:
        plan.make(config, sweep)
    assert "\n" not in str(caught.value)


def test_a_plan_is_read_back_from_its_file(config, tmp_path):
    sweep = [{"loss.style_layers": ("relu1_1",), "loss.style_weight": np.float32(2)}]
    made = plan.make(config, sweep)
    plan.write(tmp_path, made)
    assert plan.read(tmp_path) == made
    configured = plan.configured(made, made.trials[0])
    assert configured.optimizer.learning_rate is made.config["optimizer"]["learning_rate"] is None
    with config.unlocked():
        config.loss.style_layers = ("relu1_1",)
        config.loss.style_weight = 2.0
    assert json.loads(configured.to_json()) == json.loads(config.to_json())
    assert configured.loss.style_layers == ("relu1_1",)
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
    with pytest.raises(InputError, match=r"\(trial seed=1 is gone\): add --drop to leave out"):
        plan.agree(made(0, 1), made(0, 2), extend=True, where=tmp_path)
    with pytest.raises(
        InputError, match=r"seed=2 is new; trial seed=1 is gone\): add --extend .* and --drop"
    ):
        plan.agree(made(0, 1), made(0, 2), extend=False, where=tmp_path)
    plan.agree(made(0, 1), made(0, 2), extend=True, drop=True, where=tmp_path)
    before = made(0, 1)
    config.loss.tv_weight = 7.0
    with pytest.raises(InputError, match=r"config.loss.tv_weight was .* now 7"):
        plan.agree(before, made(0, 1), extend=True, where=tmp_path)


def test_trials_whose_image_was_removed_are_dropped(config, tmp_path):
    three, two = ([{"images.seed": seed} for seed in range(count)] for count in (3, 2))
    begin(config, three, tmp_path / "sweep")
    with pytest.raises(InputError, match="--drop"):
        begin(config, two, tmp_path / "sweep")
    dropped = begin(config, two, tmp_path / "sweep", drop=True)
    assert [trial.name for trial in dropped.trials] == ["seed=0", "seed=1"]
    assert begin(config, two, tmp_path / "sweep") == dropped


def test_to_look_writes_nothing(config, tmp_path):
    begin(config, [{}], tmp_path / "sweep", write=False)
    assert not list(tmp_path.iterdir())
    begin(config, [{"images.seed": 1}], tmp_path / "sweep")
    before = (tmp_path / "sweep" / "plan.json").read_bytes()
    begin(config, [{"images.seed": 1}, {"images.seed": 2}], tmp_path / "sweep", extend=True, write=False)
    assert (tmp_path / "sweep" / "plan.json").read_bytes() == before


def test_other_writers_are_the_same_sweep(config, tmp_path):
    first = begin(config, [{}], tmp_path / "sweep")
    config.run.writers = ("tensorboard",)
    second = begin(config, [{}], tmp_path / "sweep")
    assert plan.read(tmp_path / "sweep") == second
    assert second.config["run"]["writers"] == ["tensorboard"]
    for batched in (False, True):
        keys = {plan.structure(each, each.trials[0], batched=batched) for each in (first, second)}
        assert len(keys) == 1


def test_trials_that_differ_in_numbers_share_programs(config):
    sweep = [{}, {"loss.style_weight": 1.0, "images.seed": 3}, {"features.pooling": "max"}]
    made = plan.make(config, [(str(i), o) for i, o in enumerate(sweep)])
    keys = [plan.structure(made, trial) for trial in made.trials]
    assert len(set(keys)) == 3  # another seed is another network of random weights
    config.features.weights = "vgg19"
    made = plan.make(config, [(str(i), o) for i, o in enumerate(sweep)])
    keys = [plan.structure(made, trial) for trial in made.trials]
    assert keys[0] == keys[1] != keys[2]


#: Fields in which the trials of a batch may differ. Trials that share programs may also differ in `COUNTS`.
FREE = {
    "images.content",
    "images.style",
    "images.init",
    "images.seed",
    "audio.content",
    "audio.style",
    "audio.init",
    "audio.seed",
    "video.content",
    "video.start",
    "video.end",
    "video.every",
    "video.allow_truncated",
    "video.audio",
    "video.audio_style",
    "loss.temporal_weight",
    "loss.content_weight",
    "images.style_weights",
    "audio.style_weights",
    "loss.envelope_weight",
    "loss.style_weight",
    "loss.tv_weight",
    "loss.style_layer_weights",
    "optimizer.learning_rate",
    "run.writers",
}
COUNTS = {
    "video.steps",
    "video.tolerance",
    "optimizer.steps",
    "pyramid.steps",
    "pyramid.first_steps",
    "run.log_every",
    "run.save_every",
    "run.frame_every",
}


def other(name, field):
    if field.type is float:
        return 0.625
    if field.type is int:
        return 7
    if field.type is bool:
        return not field.default
    if field.type is tuple:
        return {"pyramid.scales": (64, 256), "run.writers": ("wandb",)}.get(name, ("relu2_2",))
    names = {"optimizer.name": "adam", "loss.style_loss": "moments", "loss.content_loss": "self_similarity"}
    return names.get(name, "other")


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("modality", FIELDS)
def test_the_roles_of_fields_decide_which_trials_share_programs(modality, batched):
    config = json.loads(base(modality).to_json())
    if modality == "audio":
        config["loss"]["envelope_weight"] = 0.5
    names = [name for name in FIELDS[modality] if name != "modality"]
    changed = {name: other(name, FIELDS[modality][name]) for name in names}
    changed |= {
        name: value for name, value in {"loss.style_layer_weights": (0.5,) * 5}.items() if name in changed
    }
    if modality != "audio":  # fields that follow it would change too
        changed["features.network"] = "vgg19"
    made = plan.Plan(config, tuple(plan.Trial(name, {name: value}) for name, value in changed.items()))
    alone = plan.structure(made, plan.Trial("base", {}), batched=batched)
    shared = {t.name for t in made.trials if plan.structure(made, t, batched=batched) == alone}
    assert shared - {"features.network"} == (FREE if batched else FREE | COUNTS) & set(names)


def test_values_that_are_set_or_derived_share_programs(config):
    same = [{}, {"features.network": "vgg19"}, {"features.weights": "random"}, {"pyramid.scales": (24,)}]
    same += [{"images.size": 24}, {"pyramid.scales": None}, {"optimizer.learning_rate": 1.0}]
    made = plan.make(config, [(str(i), o) for i, o in enumerate(same)])
    assert len({plan.structure(made, trial) for trial in made.trials}) == 1


def test_a_registered_field_has_its_role(config, monkeypatch):
    def keys(role):
        field = Field(0.0, "weight of a toy", role, "not negative")
        monkeypatch.setitem(FIELDS["image"], "loss.toy_weight", field)
        made = plan.make(with_toy(config), [("a", {"loss.toy_weight": 2}), ("b", {"loss.toy_weight": 1})])
        return {plan.structure(made, trial, batched=True) for trial in made.trials}

    def with_toy(config):
        toy = base()
        values = {name: value for name, value in config.to_dict().items() if name in ("images", "loss")}
        toy.update(values | {"features": {"weights": "random"}})
        return toy

    assert len(keys("number")) == 1
    assert len(keys("structure")) == 2


def test_scales_follow_the_size_of_a_trial():
    made = plan.make(base(), overrides.grid({"images.size": (96, 512)}))
    assert made.config["pyramid"]["scales"] is None
    scales = [plan.values(made, trial)["pyramid.scales"] for trial in made.trials]
    assert scales == [[96], [128, 256, 512]]
    assert [plan.configured(made, trial).pyramid.scales for trial in made.trials] == [None, None]


OLD = json.loads((Path(__file__).parent / "plan_before.json").read_text())


def test_a_plan_of_the_version_before_is_the_same_sweep(tmp_path):
    plan_file = tmp_path / "plan.json"
    plan_file.write_text(json.dumps(OLD))
    config = base()
    config.images.size, config.optimizer.steps, config.run.log_every = 64, 10, 1
    config.features.normalise, config.loss.style_weight, config.loss.tv_weight = False, 6000.0, 1e6
    config.loss.style_layer_weights = (0.744, 0.186, 0.0465, 0.0116, 0.0116)
    config.loss.reduction, config.loss.variation = "sum", "squared"  # as before these fields existed
    sweep = [*overrides.grid({"loss.style_weight": (60.0, 600.0, 6000.0, 60_000.0, 600_000.0)})]
    old = plan.read(tmp_path)
    keys = {plan.structure(old, trial) for trial in old.trials}
    new = begin(config, sweep, tmp_path)
    assert keys == {plan.structure(new, trial) for trial in new.trials}
    assert len(keys) == 1
    assert new.config["modality"] == json.loads(plan_file.read_text())["config"]["modality"] == "image"
    plan.agree(old, new, extend=False, where=tmp_path)
    plan_file.write_text(json.dumps(OLD))
    config.images.size = 96
    with pytest.raises(InputError, match=r"another sweep \(config.images.size was 64, now 96; config.pyr"):
        begin(config, sweep, tmp_path)


def test_overrides_that_follow_need_not_be_set(tmp_path):
    adam = {"audio.method": "waveform", "optimizer.name": "adam", "optimizer.learning_rate": 0.002}
    explicit = plan.make(base("audio"), [("a", adam)])
    follows = plan.make(base("audio"), [("a", {"audio.method": "waveform"})])
    plan.agree(explicit, follows, extend=False, where=tmp_path)
    other = plan.make(base("audio"), [("a", adam | {"optimizer.learning_rate": 0.01})])
    with pytest.raises(InputError, match=r"trial.a.optimizer.learning_rate was 0.01, now 0.002"):
        plan.agree(other, follows, extend=False, where=tmp_path)


def test_a_term_that_is_left_out_is_another_structure():
    trials = tuple(plan.Trial(str(weight), {"loss.tv_weight": weight}) for weight in (0, 0.0, 1.0, 2.0))
    made = plan.Plan(json.loads(base().to_json()), trials)
    a, b, c, d = (plan.structure(made, trial) for trial in trials)
    assert a != c == d
    assert json.loads(a) == json.loads(b)
