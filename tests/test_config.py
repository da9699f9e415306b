"""The schema: what it refuses and how it says so, JSON and back, the same defaults for library and script."""

import inspect
import json
from pathlib import Path

import pytest
from ml_collections import ConfigDict

from nst import config, features, losses
from nst.config.file import load_file
from nst.errors import InputError
from nst.runs import follow
from nst.transfer.settings import completed

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.py"))
NAMES = dict(config.fields(follow.resolved(config.base())))
FOLLOWERS = [name for name, field in config.FIELDS["image"].items() if field.follows]


def changed(name, value):
    """Return the base config with one field changed to any type: a new ConfigDict does not check types."""
    settings = config.base().to_dict()
    *groups, field = name.split(".")
    (settings[groups[0]] if groups else settings)[field] = value
    return ConfigDict(settings)


def get_config(path, *variant):
    return load_file(path).get_config(*variant)


def test_fields_are_dotted_names_of_leaves():
    nested = ConfigDict({"a": 1, "b": {"c": 2, "d": {"e": (3,)}}})
    assert dict(config.fields(nested)) == {"a": 1, "b.c": 2, "b.d.e": (3,)}
    assert {name for name in NAMES if name.count(".") != 1} == {"modality"}
    assert dict(config.fields({"a.b": 1, "c": {"d": 2}})) == {"a.b": 1, "c.d": 2}
    assert config.base().is_locked


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_is_valid(path):
    follow.checked(get_config(path))


def test_the_papers_variant_is_valid_and_another_is_refused():
    gatys = CONFIGS[0].with_name("gatys.py")
    follow.checked(get_config(gatys, "paper"))
    with pytest.raises(InputError, match=r"unknown variant of configs/gatys\.py 'papr': did you mean paper"):
        get_config(gatys, "papr")


def test_a_config_from_json_is_valid():
    config.validate(ConfigDict(json.loads(config.base().to_json())))  # None where a field is unset
    settings = ConfigDict(json.loads(follow.resolved(config.base()).to_json()))
    assert isinstance(settings.loss.style_layers, list)
    config.validate(settings)
    listed = {name: list(x) if isinstance(x, tuple) else x for name, x in NAMES.items()}
    assert dict(config.fields(settings)) == listed


def test_the_library_has_the_same_loss():
    """Fields that follow the network have the same values by its name and by the network itself."""
    network = features.load(weights="random")
    loss = follow.resolved(config.base()).loss
    assert completed(network, {}) == losses.checked(dict(loss))
    assert completed(network, {"style_layers": ("relu2_1", "relu3_1")})["style_layer_weights"] == {
        "relu2_1": 0.6,
        "relu3_1": 0.4,
    }


def test_the_library_has_the_same_extractor():
    default = {name: each.default for name, each in inspect.signature(features.load).parameters.items()}
    settings = dict(config.base().features)
    assert settings.pop("network") == default["name"]
    assert settings == {name: default[name] for name in settings}
    assert config.base().images.seed == default["seed"]


@pytest.mark.parametrize("name", NAMES)
def test_a_value_of_another_type_names_the_field(name):
    wrong = {str: [3, None, ("a",)], bool: [1, "True"], tuple: ["relu1_1", 3, None]}
    wrong |= {int: [1.5, "3", True, None, (1,)], float: ["3", True, None, [1.0]]}
    for value in wrong[config.FIELDS["image"][name].type]:
        if name == "modality" or (value is None and name in FOLLOWERS):
            continue
        if isinstance(value, config.FIELDS["image"][name].also or ()):
            continue
        with pytest.raises(InputError, match=rf"config\.{name} = .*: give an? .*, such as") as caught:
            config.validate(changed(name, value))
        assert "\n" not in str(caught.value)


def test_normalization_is_a_name_or_yes_or_no():
    for value in (True, False, "none", "filter", "layer"):
        config.validate(changed("features.normalise", value))


def test_an_integer_is_a_number():
    config.validate(changed("loss.style_weight", 7))


NUMBERS = [name for name, value in NAMES.items() if type(value) in (int, float)]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_negative_or_not_finite_names_the_field(name):
    for value in [-1] if isinstance(NAMES[name], int) else [-1e-9, float("nan"), float("inf")]:
        with pytest.raises(
            InputError, match=rf"config\.{name} = .*: give a finite number that is not negative"
        ):
            config.validate(changed(name, value))


@pytest.mark.parametrize("name", NUMBERS)
def test_zero_is_refused_where_it_means_nothing(name):
    meaningless = ("size", "aspect", "style_scale", "learning_rate", "log_every", "save_every", "frame_every")
    settings = changed(name, type(NAMES[name])(0))
    if name.endswith(meaningless):
        with pytest.raises(InputError, match=rf"config\.{name} = 0.*: give a number above 0"):
            config.validate(settings)
    else:
        config.validate(settings)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "loss.style_wieght",
            3.0,
            "unknown config field 'loss.style_wieght': did you mean loss.style_weight",
        ),
        ("images.size", 1.5, "images.size = 1.5: give an int, such as 256"),
        ("pyramid.scales", 256, r"pyramid.scales = 256: give a tuple, such as \(128, 256\) or \(\)"),
        ("run.writers", 3, r"run.writers = 3: give a tuple, such as \('tensorboard',\) or \(\)"),
        ("optimizer.learning_rate", "a", "learning_rate = 'a': give a float, such as 0.02"),
        ("modality", "imgae", "unknown modality 'imgae': did you mean image"),
        ("modality", ["image"], "unknown modality"),
        (
            "modality",
            "audio",
            "is a field of image configs, but this is an audio config: give another --config, or leave",
        ),
        ("loss.style_layer_weights", (1.0,) * 4 + (-1.0,), r"style_layer_weights = -1.0: give a finite"),
        ("loss.style_layer_weights", (1.0,) * 4 + (float("nan"),), r"style_layer_weights = nan"),
        ("loss.style_layer_weights", (1.0,) * 4 + ("a",), r"style_layer_weights = 'a'"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(name, value, message):
    with pytest.raises(InputError, match=message):
        config.validate(changed(name, value))


def test_as_many_weights_as_style_layers():
    weights = changed("loss.style_layer_weights", (1.0,))
    message = "has 1 numbers for 5 style layers: give one for each, None"
    config.validate(weights)  # the layers are unset, and may be one
    with pytest.raises(InputError, match=message):
        follow.checked(weights)
    weights.loss.style_layers = config.FIELDS["image"]["loss.style_layers"].example * 2 + ("pool1",)
    with pytest.raises(InputError, match="name each layer once"):
        config.validate(weights)


@pytest.mark.parametrize("scales", [("a", 256), (None, 256), (True, 256), (-5, 256), (0, 256), (1.5, 256)])
def test_scales_are_numbers_of_pixels(scales):
    with pytest.raises(InputError, match=r"pyramid\.scales"):
        config.validate(changed("pyramid.scales", scales))


def test_a_missing_field_is_named():
    settings = config.base()
    with settings.unlocked():
        del settings.loss.tv_weight
    with pytest.raises(InputError, match=r"config\.loss\.tv_weight is missing: start from"):
        config.validate(settings)


def test_no_layer_at_all_is_refused_and_one_kind_is_enough():
    settings = follow.resolved(config.base())
    settings.loss.style_layer_weights = settings.loss.style_layers = ()
    config.validate(settings)
    settings.loss.content_layers = ()
    with pytest.raises(InputError, match="are both empty: name a layer"):
        config.validate(settings)
    settings.loss.style_layers = ("relu1_1",)
    config.validate(settings)


@pytest.fixture
def toy(monkeypatch):
    """A field that is added to the table from outside."""
    field = config.Field(0.0, "weight of a toy", "number", "not negative")
    monkeypatch.setitem(config.FIELDS["image"], "loss.toy_weight", field)


def test_a_field_can_be_added_from_outside(toy):
    settings = config.base()
    assert settings.loss.toy_weight == 0.0
    assert config.defaults()["loss.toy_weight"] == 0.0
    settings.loss.toy_weight = 3
    assert follow.checked(settings).loss.toy_weight == 3.0
    settings.loss.toy_weight = -1.0
    with pytest.raises(InputError, match=r"config\.loss\.toy_weight = -1\.0: give a finite"):
        config.validate(settings)
    assert "| `loss.toy_weight` | `0.0` | weight of a toy |" in config.table().splitlines()
    assert "  loss.toy_weight=0.0\n      weight of a toy" in config.help_text()
    assert follow.recorded({})["loss.toy_weight"] == 0.0  # of a file of the version before


def test_a_group_can_be_added_from_outside(monkeypatch):
    monkeypatch.setitem(config.FIELDS["audio"], "new.deep.field", config.Field(("a",), "a field"))
    settings = config.base("audio")
    assert settings.new.deep.field == ("a",)
    assert follow.checked(settings).new.deep.field == ("a",)


@pytest.mark.parametrize("modality", config.FIELDS)
def test_the_modality_is_a_field(modality):
    settings = config.base(modality)
    assert settings.modality == modality
    assert config.modality_of(settings) == config.modality_of(config.defaults(modality)) == modality
    if modality == "video":
        return  # no version was without the field
    before = {name: value for name, value in config.defaults(modality).items() if name != "modality"}
    assert config.modality_of(before) == config.modality_of(dict.fromkeys(x.split(".")[0] for x in before))
    assert config.modality_of(before) == modality


def test_an_unknown_modality_is_refused():
    for name in ("images", "smell"):
        with pytest.raises(InputError, match=f"unknown modality '{name}'.*choose from image, audio, video"):
            config.base(name)
    with pytest.raises(InputError, match="unknown modality 'smell'"):
        config.modality_of({"modality": "smell"})


@pytest.mark.parametrize("modality", config.FIELDS)
def test_help_has_every_field_in_lines_that_fit(modality):
    text = config.help_text(modality)
    assert max(map(len, text.splitlines())) <= 100
    words = " ".join(text.split())
    for name, field in config.FIELDS[modality].items():
        assert f" {name}" in words
        assert field.what in words


@pytest.mark.parametrize("modality", config.FIELDS)
def test_every_field_says_what_it_is(modality):
    for name, field in config.FIELDS[modality].items():
        assert field.what
        assert "|" not in field.what  # a cell of a table
        assert (field.default is None) == bool(field.follows)
        assert not field.follows or field.follows in config.FIELDS[modality]
        config.check(name, field.default if field.example is None else field.example, modality)
