"""The schema of a run: every field, its default, its unit, its reason."""

import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ml_collections import ConfigDict

from nst.errors import InputError, unknown

#: ∝ 1/N², as in the authors' own code for weights that are not normalised: there the deep layers, of more filters and
#: larger activations, otherwise leave nothing to the shallow ones, and with them to colour and brush.
LAYER_WEIGHTS = (0.744, 0.186, 0.0465, 0.0116, 0.0116)


#: What a run can be of: the group of a config that says so.
KINDS = ("images", "audio")


def base(kind: str = "images") -> ConfigDict:
    """A locked config with every field at its default, for a picture or a sound (one of `KINDS`)."""
    config = ConfigDict()
    {"images": _images, "audio": _audio}[kind](config)
    config.run = ConfigDict()
    config.run.log_every = 10  # steps between lines of metrics.jsonl
    config.run.save_every = 50  # steps between checkpoints and intermediate results
    config.run.writers = ()  # what shows the run beside metrics.jsonl: tensorboard, wandb
    return config.lock()


def _images(config: ConfigDict) -> None:
    config.images = ConfigDict()
    config.images.content = "coffee"  # a path, a folder, a sample's name, or tfds:NAME/SPLIT
    config.images.style = "strokes"  # the same; painted by the project, so nothing is fetched
    config.images.size = 256  # longest side of the result, pixels: what two cores do in two minutes
    config.images.aspect = 1.0  # width / height that pictures of data sets are cropped to
    config.images.style_scale = 1.0  # the style's longest side in units of size: larger strokes below 1
    config.images.init = "content"  # content, style, noise, or a picture: content converges soonest
    config.images.seed = 0  # of noise and of random weights

    config.features = ConfigDict()
    config.features.weights = "vgg19"  # a source (scripts/weights.py list), random, or a path
    config.features.normalise = False  # True: mean activation 1, as in the paper, whose α/β then carry over
    config.features.pooling = "avg"  # avg (the paper's), max, l2
    config.features.convolution = "auto"  # auto (winograd where it is faster), direct, winograd
    config.features.precision = "float32"  # float32 or bfloat16, of the products of convolutions
    config.features.padding = "zeros"  # zeros (what the weights were trained with), reflect, replicate

    config.loss = ConfigDict()
    config.loss.style_loss = "gram"  # a name of nst.losses.STYLE_LOSSES
    config.loss.content_layers = ("relu4_2",)  # the paper's conv4_2: its values are rectified
    config.loss.style_layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")  # the paper's
    config.loss.style_layer_weights = (
        LAYER_WEIGHTS  # w_l, one for each style layer; empty: 1 / (number of layers)
    )
    config.loss.content_weight = 1.0  # α
    config.loss.style_weight = 6000.0  # β, chosen by eye for weights that are not normalised
    config.loss.tv_weight = 1e6  # of the total variation, in [0, 1] units: less speckle; the paper has none

    config.optimizer = ConfigDict()
    config.optimizer.name = "lbfgs_pyramid"  # fewer steps than lbfgs (the paper's), or adam
    config.optimizer.steps = 60  # at the last scale; each costs one loss and gradient
    config.optimizer.learning_rate = 1.0  # 1 for L-BFGS; 0.02 is a start for adam, in [0, 1] units

    config.pyramid = ConfigDict()
    config.pyramid.scales = (128, 256)  # longest sides, the last one images.size; empty: that alone
    config.pyramid.steps = 100  # at each scale but the last


def _audio(config: ConfigDict) -> None:
    config.audio = ConfigDict()
    config.audio.content = "melody"  # a path, a folder, or a sample's name
    config.audio.style = "bells"  # the same; both are made by the project, so nothing is fetched
    config.audio.method = "spectrogram"  # what is optimised: spectrogram (its magnitudes) or waveform
    config.audio.rate = 22_050  # Hz that sounds are brought to
    config.audio.n_fft = 2048  # window of the spectrogram, samples; the hop is a quarter
    config.audio.filters = 2048  # random ones, of each layer; 4096 in the paper take twice as long
    config.audio.init = "content"  # content, style, noise, or a sound
    config.audio.seed = 0  # of noise and filters
    config.audio.phase_steps = 64  # of fast Griffin-Lim, which makes a sound of magnitudes

    config.loss = ConfigDict()
    config.loss.style_loss = "gram"  # a name of nst.losses.STYLE_LOSSES
    config.loss.content_weight = 1.0  # α: how much of the pull content has, at noise
    config.loss.style_weight = 1.0  # β: the same of style
    config.loss.envelope_weight = 0.0  # ε: the same of the content's loudness over time

    config.optimizer = ConfigDict()
    config.optimizer.name = "lbfgs"  # of magnitudes; adam of samples
    config.optimizer.steps = 100  # each costs one loss and gradient
    config.optimizer.learning_rate = 1.0  # 1 for L-BFGS; 0.002 for adam on samples


_POSITIVE = (
    "audio.filters",
    "audio.n_fft",
    "audio.rate",
    "images.size",
    "images.aspect",
    "images.style_scale",
    "optimizer.learning_rate",
    "run.log_every",
    "run.save_every",
)
_NOT_NEGATIVE = (
    "audio.phase_steps",
    "audio.seed",
    "images.seed",
    "loss.content_weight",
    "loss.envelope_weight",
    "loss.style_weight",
    "loss.tv_weight",
    "optimizer.steps",
    "pyramid.steps",
)


def fields(config: ConfigDict) -> Iterator[tuple[str, Any]]:
    """Dotted names and values of all fields."""
    for name, value in config.items():
        if isinstance(value, ConfigDict):
            yield from ((f"{name}.{inner}", leaf) for inner, leaf in fields(value))
        else:
            yield name, value


def kind_of(names: Iterable[str]) -> str:
    """Which of `KINDS` a config is of, by the names of its fields or groups.

    Raises:
      InputError: None, or two.
    """
    groups = {name.partition(".")[0] for name in names}
    found = [kind for kind in KINDS if kind in groups]
    if len(found) != 1:
        raise InputError(
            f"the config has {' and '.join(found) or 'no group images'}: give it one of {', '.join(KINDS)}"
        )
    return found[0]


@functools.cache
def defaults(kind: str = "images") -> Mapping[str, Any]:
    """The value of every field, by its dotted name."""
    return MappingProxyType(dict(fields(base(kind))))


def validate(config: ConfigDict) -> None:
    """Raise InputError naming the first field whose name, type or number can't be used."""
    given = dict(fields(config))
    kind = kind_of(given)
    default = defaults(kind)
    for name in given:
        if name not in default:
            raise unknown("config field", name, default)
    for name in default:
        if name not in given:
            raise InputError(f"config.{name} is missing: start from nst.config.base()")
        check(name, given[name], kind)
    if kind == "images":
        _check_images(config, given)


def _check_images(config: ConfigDict, given: Mapping[str, Any]) -> None:
    for weight in given["loss.style_layer_weights"]:
        _check_number("loss.style_layer_weights", weight)
    for side in given["pyramid.scales"]:
        if type(side) is not int or side < 1:
            raise InputError(
                f"config.pyramid.scales = {side!r}: give longest sides in pixels, such as (128, 256)"
            )
    _check_layers(config.loss)


def check(name: str, value: Any, kind: str = "images") -> None:
    """Raise InputError unless `value` has the type and the range of the field `name`."""
    _check_type(name, value, defaults(kind)[name])
    if name in (*_POSITIVE, *_NOT_NEGATIVE):
        _check_number(name, value)


def _check_type(name: str, value: Any, default: Any) -> None:
    kinds = {float: (float, int), tuple: (tuple, list)}.get(type(default), (type(default),))
    if not isinstance(value, kinds) or (isinstance(value, bool) and not isinstance(default, bool)):
        raise InputError(f"config.{name} = {value!r}: give a {type(default).__name__}, such as {default!r}")


def _check_number(name: str, value: Any) -> None:
    if not isinstance(value, float | int) or not math.isfinite(value) or value < 0:
        raise InputError(f"config.{name} = {value!r}: give a finite number that is not negative")
    if name in _POSITIVE and value == 0:
        raise InputError(f"config.{name} = {value!r}: give a number above 0")


def _check_layers(loss: ConfigDict) -> None:
    if not loss.style_layers and not loss.content_layers:
        raise InputError("config.loss.style_layers and content_layers are both empty: name a layer")
    weights, layers = loss.style_layer_weights, loss.style_layers
    for name in ("content_layers", "style_layers"):
        if len(set(loss[name])) < len(loss[name]):
            raise InputError(f"config.loss.{name} = {tuple(loss[name])}: name each layer once")
    if weights and len(weights) != len(layers):
        raise InputError(
            f"config.loss.style_layer_weights has {len(weights)} numbers for {len(layers)} style layers: "
            "give one for each, or none"
        )
