"""Unset fields follow others, values that are set stay, and files of an earlier version are the same run."""

import json
import shutil

import pytest
from ml_collections import ConfigDict

from nst import config, losses, runs
from nst.errors import InputError
from nst.runs import follow

#: The values of `base()` before fields followed others.
BEFORE = {
    "images.content": "coffee",
    "images.style": "strokes",
    "images.size": 256,
    "images.aspect": 1.0,
    "images.style_scale": 1.0,
    "images.init": "content",
    "images.seed": 0,
    "features.weights": "vgg19",
    "features.normalise": False,
    "features.pooling": "avg",
    "features.convolution": "auto",
    "features.precision": "float32",
    "features.padding": "zeros",
    "loss.style_loss": "gram",
    "loss.content_layers": ("relu4_2",),
    "loss.style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    "loss.style_layer_weights": (0.744, 0.186, 0.0465, 0.0116, 0.0116),
    "loss.content_weight": 1.0,
    "loss.style_weight": 6000.0,
    "loss.tv_weight": 1e6,
    "optimizer.name": "lbfgs_pyramid",
    "optimizer.steps": 60,
    "optimizer.learning_rate": 1.0,
    "pyramid.scales": (128, 256),
    "pyramid.steps": 100,
    "run.log_every": 10,
    "run.save_every": 50,
    "run.writers": (),
}
AUDIO_BEFORE = {
    "audio.content": "melody",
    "audio.style": "bells",
    "audio.method": "spectrogram",
    "audio.rate": 22_050,
    "audio.n_fft": 2048,
    "audio.filters": 2048,
    "audio.init": "content",
    "audio.seed": 0,
    "audio.phase_steps": 64,
    "loss.style_loss": "gram",
    "loss.content_weight": 1.0,
    "loss.style_weight": 1.0,
    "loss.envelope_weight": 0.0,
    "optimizer.name": "lbfgs",
    "optimizer.steps": 100,
    "optimizer.learning_rate": 1.0,
    "run.log_every": 10,
    "run.save_every": 50,
    "run.writers": (),
}


def resolved(modality="image", **values):
    """Resolve the base with fields set, `__` for a dot."""
    settings = config.base(modality)
    settings.update_from_flattened_dict({name.replace("__", "."): value for name, value in values.items()})
    return dict(config.fields(follow.checked(settings)))


#: Newer fields, with the values that describe the earlier behavior.
SINCE = {"loss.reduction": "sum", "loss.variation": "squared"}
#: Fields whose defaults have changed.
CHANGED = ("features.normalise", "loss.style_layer_weights", "loss.style_weight", "loss.tv_weight")


def test_all_other_defaults_are_unchanged():
    before = {name: value for name, value in BEFORE.items() if name not in CHANGED}
    assert resolved().items() >= (before | {"modality": "image", "features.network": "vgg19"}).items()
    assert resolved("audio").items() >= (AUDIO_BEFORE | {"modality": "audio"}).items()


@pytest.mark.parametrize("modality", config.FIELDS)
def test_every_field_that_follows_has_a_rule(modality):
    following = {name for name, field in config.FIELDS[modality].items() if field.follows}
    assert set(follow.RULES.get(modality, ())) == following
    # Then the weights apply, the format of an output decides, and the video is read to its end.
    unset = {"images.strength", "images.alpha", "video.end"}
    assert {name for name, value in resolved(modality).items() if value is None} <= unset
    settings = config.base(modality)
    follow.resolved(settings)
    assert {name for name, value in config.fields(settings) if value is None} == following


@pytest.mark.parametrize(
    ("size", "scales"),
    [
        (1, (1,)),
        (96, (96,)),
        (254, (254,)),
        (255, (128, 255)),
        (256, (128, 256)),
        (333, (167, 333)),
        (512, (128, 256, 512)),
        (1021, (128, 256, 511, 1021)),
    ],
)
def test_scales_halve_the_size_while_they_have_128_pixels(size, scales):
    assert resolved(images__size=size)["pyramid.scales"] == scales


def test_scales_that_are_set_stay():
    for scales in ((), (512,), (64, 512)):
        assert resolved(images__size=512, pyramid__scales=scales)["pyramid.scales"] == scales


@pytest.mark.parametrize(
    ("size", "least", "scales"),
    [(512, 64, (64, 128, 256, 512)), (512, 300, (512,)), (255, 64, (64, 128, 255)), (3, 1, (1, 2, 3))],
)
def test_the_smallest_scale_is_a_field(size, least, scales):
    assert resolved(images__size=size, pyramid__min_size=least)["pyramid.scales"] == scales


def test_weight_and_layers_follow_the_style_loss():
    for name, loss in losses.STYLE_LOSSES.items():
        values = resolved(loss__style_loss=name)
        assert values["loss.style_weight"] == loss.weight
        assert values["loss.style_layers"] == (loss.layers or BEFORE["loss.style_layers"])
        assert (values["loss.style_layer_weights"] == ()) == loss.even
    assert resolved(loss__style_weight=3.0)["loss.style_weight"] == 3


@pytest.mark.parametrize(
    ("layers", "weights"),
    [
        (("relu1_1", "relu2_1"), (0.0625, 0.938)),
        (("relu3_3", "conv3_1"), (0.5, 0.5)),
        (("relu3_1",), (1.0,)),
        (("conv5_1", "pool4", "relu3_4"), (0.167, 0.167, 0.667)),
        ((), ()),
    ],
)
def test_layer_weights_follow_the_layers(layers, weights):
    assert resolved(loss__style_layers=layers)["loss.style_layer_weights"] == weights


def test_a_style_loss_without_weights_by_block_takes_those_of_the_network():
    settings = {"loss__style_loss": "moments", "loss__style_layers": ("relu1_1", "relu2_1")}
    assert resolved(**settings)["loss.style_layer_weights"] == (0.8, 0.2)
    assert resolved(features__network="shallow")["loss.style_layer_weights"] == (0.125,) * 8


def test_layer_weights_of_the_defaults_are_the_librarys():
    assert resolved()["loss.style_layer_weights"] == (0.02, 0.3, 0.2, 0.479, 0.001)
    assert resolved(loss__style_layer_weights=())["loss.style_layer_weights"] == ()
    with pytest.raises(InputError, match="unknown layer 'relu9_1'"):
        resolved(loss__style_layers=("relu9_1",))


def test_the_learning_rate_follows_the_optimizer():
    for name, rate in {"lbfgs": 1.0, "lbfgs_pyramid": 1.0, "adam": 0.02}.items():
        assert resolved(optimizer__name=name)["optimizer.learning_rate"] == rate
    assert resolved(optimizer__name="adam", optimizer__learning_rate=1)["optimizer.learning_rate"] == 1.0
    assert resolved("audio", optimizer__name="adam")["optimizer.learning_rate"] == 0.02


def test_the_optimizer_of_audio_follows_the_method():
    values = resolved("audio", audio__method="waveform")
    assert (values["optimizer.name"], values["optimizer.learning_rate"]) == ("adam", 0.002)
    values = resolved("audio", audio__method="waveform", optimizer__name="lbfgs")
    assert (values["optimizer.name"], values["optimizer.learning_rate"]) == ("lbfgs", 1.0)


def test_an_unknown_network_is_refused():
    with pytest.raises(InputError, match=r"unknown features.network 'vgg18': did you mean vgg19"):
        resolved(features__network="vgg18")


def test_none_survives_json():
    settings = config.base()
    read = ConfigDict(json.loads(settings.to_json()))
    assert read.pyramid.scales is None
    assert dict(config.fields(follow.checked(read))) == resolved()


def test_records_of_an_earlier_version_resolve_to_the_same_values():
    for before, since, modality in (
        (BEFORE, SINCE, "image"),
        (AUDIO_BEFORE, {"audio.scaled": False}, "audio"),
    ):
        now = config.base(modality)
        now.update_from_flattened_dict(before | since)
        assert follow.recorded(before) == follow.recorded(json.loads(follow.resolved(now).to_json()))
    one = follow.recorded(BEFORE | {"pyramid.scales": []})
    assert one == follow.recorded(BEFORE | {"pyramid.scales": [256]}) != follow.recorded(BEFORE)
    assert follow.recorded({"x": {"y": (1,)}})["x.y"] == [1]


def test_usual_values_are_those_that_follow():
    values = resolved(images__size=512, optimizer__name="adam", pyramid__scales=(512,))
    default = follow.usual(values)
    assert {name for name in values if values[name] != default[name]} == {
        "images.size",
        "optimizer.name",
        "pyramid.scales",
    }
    assert follow.usual({"images.size": "?"})["pyramid.scales"] is None


OLD = """{"images": {"content": "CONTENT", "style": "STYLE", "size": 24, "aspect": 1.0, "style_scale": 1.0,
 "init": "content", "seed": 0},
 "features": {"weights": "random", "normalise": false, "pooling": "avg", "convolution": "auto",
 "precision": "float32", "padding": "zeros"},
 "loss": {"style_loss": "gram", "content_layers": ["relu2_1"], "style_layers": ["relu1_1", "relu2_1"],
 "style_layer_weights": [], "content_weight": 1.0, "style_weight": 6000.0, "tv_weight": 1000000.0},
 "optimizer": {"name": "lbfgs_pyramid", "steps": 12, "learning_rate": 1.0},
 "pyramid": {"scales": [16, 24], "steps": 8},
 "run": {"log_every": 5, "save_every": 4, "writers": []}}"""


def old(folder, change=lambda text: text):
    """Give a run directory the config of an earlier version, mark it as unfinished, and return its result."""
    facts = json.loads((folder / "config.json").read_text())
    images = facts["config"]["images"]
    text = OLD.replace("CONTENT", images["content"]).replace("STYLE", images["style"])
    facts["config"] = json.loads(change(text))
    (folder / "config.json").write_text(json.dumps(facts))
    result = (folder / "image.png").read_bytes()
    (folder / "image.png").unlink()
    (folder / "done").unlink()
    return result


@pytest.fixture
def formerly(config, tmp_path):
    """Return a config that means the same in an earlier version, and the directory of a finished run of it."""
    config.update_from_flattened_dict(SINCE | {"loss.style_weight": 6000.0, "loss.tv_weight": 1e6})
    runs.run(config, tmp_path / "formerly")
    return config, tmp_path / "formerly"


@pytest.mark.slow
def test_a_run_of_an_earlier_version_resumes(formerly, tmp_path):
    config, finished = formerly
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    result = old(folder)
    runs.run(config, folder, resume=True)
    assert (folder / "image.png").read_bytes() == result
    assert json.loads((folder / "config.json").read_text())["config"]["features"]["network"] == "vgg19"


@pytest.mark.slow
def test_a_difference_to_an_earlier_version_is_reported(formerly, tmp_path):
    config, finished = formerly
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    old(folder, lambda text: text.replace('"scales": [16, 24]', '"scales": []'))
    with pytest.raises(InputError, match=r"another run \(pyramid\.scales was \[24\], now \[16, 24\]\)"):
        runs.run(config, folder, resume=True)


def test_a_run_records_the_resolved_config(config, finished):
    assert config.optimizer.learning_rate is None
    written = json.loads((finished / "config.json").read_text())["config"]
    assert written == json.loads(follow.resolved(config).to_json())
    assert written["optimizer"]["learning_rate"] == 1.0


def test_setting_a_field_to_the_value_that_follows_is_the_same_run(config, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    config.optimizer.learning_rate = 1.0
    config.features.network = "vgg19"
    assert runs.run(config, tmp_path / "run", resume=True)
    config.optimizer.learning_rate = 0.5
    with pytest.raises(InputError, match=r"another run \(optimizer\.learning_rate was 1\.0, now 0\.5\)"):
        runs.run(config, tmp_path / "run", resume=True)
