"""The table of config fields; configs, validation, help, documentation and sweeps derive from it."""

import json
import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from nst.errors import InputError, unknown
from nst.types import Values

#: How a field enters a run, from the most to the least expensive to change:
#:
#: * `structure`: another value compiles other programs.
#: * `number`: an argument of compiled functions. Other values share the programs, also in one batched call.
#: * `input`: a file, or a seed that only initial values depend on. May differ in a batched call, as a number may.
#: * `count`: a number of steps. No compiled program depends on it, but a batch must share it.
#: * `record`: how a run is shown. No result depends on it.
Role = Literal["structure", "number", "input", "count", "record"]


class Field(NamedTuple):
    """A config field.

    Attributes:
      default: The default value, or None for a field that follows others unless it is set.
      what: The meaning, the unit, and the reason of the default.
      role: How it enters a run.
      check: The range of a number, or of each number of a tuple: `positive`, `not negative`, or any.
      follows: The field that an unset field follows; `nst.runs.follow` has the rule.
      example: A value for messages, which also gives the type of a field without a default.
    """

    default: Any
    what: str
    role: Role = "structure"
    check: Literal["", "positive", "not negative"] = ""
    follows: str = ""
    example: Any = None

    @property
    def type(self) -> type:
        """The type of its values; a float may be given as an int, and a tuple as a list."""
        return type(self.example if self.default is None else self.default)


_RUN = {
    "run.log_every": Field(10, "steps between lines of metrics.jsonl", "count", "positive"),
    "run.save_every": Field(50, "steps between checkpoints and intermediate results", "count", "positive"),
    "run.writers": Field(
        (), "what shows the run beside metrics.jsonl: tensorboard, wandb", "record", example=("tensorboard",)
    ),
}

_IMAGE = {
    "modality": Field("image", "what is stylized: image or audio; a config file is of one of them"),
    "images.content": Field(
        "coffee", "content image: a path, a folder, the name of a sample, or tfds:NAME/SPLIT", "input"
    ),
    "images.style": Field(
        "strokes", "style image, given likewise; this one comes with nst, so nothing is fetched", "input"
    ),
    "images.size": Field(
        256, "longest side of the result, pixels: takes two minutes on two CPU cores", check="positive"
    ),
    "images.aspect": Field(1.0, "width / height that images of data sets are cropped to", check="positive"),
    "images.style_scale": Field(
        1.0, "longest side of the style image, in units of size: larger strokes below 1", check="positive"
    ),
    "images.init": Field("content", "content, style, noise, or an image: content converges soonest", "input"),
    "images.seed": Field(0, "seed of noise and of random weights", "input", "not negative"),
    "features.network": Field(
        "vgg19",
        "network that features are computed by: vgg19, vgg16, or shallow (one layer of random filters)",
    ),
    "features.weights": Field(
        None,
        "a source (scripts/weights.py list), random, or a path",
        follows="features.network",
        example="vgg19",
    ),
    "features.normalise": Field(
        False, "True: mean activation 1, as in the 2016 article, whose α/β then carry over"
    ),
    "features.pooling": Field("avg", "avg (as in the 2016 article), max, l2"),
    "features.convolution": Field("auto", "auto (winograd where it is faster), direct, winograd"),
    "features.precision": Field("float32", "float32 or bfloat16, of the products of convolutions"),
    "features.padding": Field("zeros", "zeros (as the weights were trained), reflect, replicate"),
    "loss.style_loss": Field("gram", "a name of nst.losses.STYLE_LOSSES"),
    "loss.content_layers": Field(
        None,
        "layers for content; of VGG-19 relu4_2, the rectified conv4_2 of the 2016 article",
        follows="features.network",
        example=("relu4_2",),
    ),
    "loss.style_layers": Field(
        None,
        "layers for style; of VGG-19 relu1_1 to relu5_1, as in the 2016 article",
        follows="features.network",
        example=("relu1_1", "relu2_1"),
    ),
    "loss.style_layer_weights": Field(
        None,
        "w_l, one for each style layer; unset: ∝ 1/N² for N filters, summing to 1; (): all equal",
        "number",
        "not negative",
        follows="loss.style_layers",
        example=(0.8, 0.2),
    ),
    "loss.content_weight": Field(1.0, "α, weight of the content loss", "number", "not negative"),
    "loss.style_weight": Field(
        6000.0,
        "β, weight of the style loss: chosen by eye for weights that are not normalized",
        "number",
        "not negative",
    ),
    "loss.tv_weight": Field(
        1e6,
        "weight of the total variation in [0, 1] units: less speckle; the 2016 article has none",
        "number",
        "not negative",
    ),
    "optimizer.name": Field(
        "lbfgs_pyramid", "lbfgs_pyramid (fewer steps), lbfgs (as in the 2016 article), adam"
    ),
    "optimizer.steps": Field(
        60, "steps at the last scale; each costs one loss and gradient", "count", "not negative"
    ),
    "optimizer.learning_rate": Field(
        None,
        "length of a step: 1 for L-BFGS, 0.02 for adam, in [0, 1] units",
        "number",
        "positive",
        follows="optimizer.name",
        example=0.02,
    ),
    "pyramid.scales": Field(
        None,
        "longest sides from coarse to fine, pixels; unset: halves of images.size, rounded up, from 128 on; "
        "(): images.size alone",
        follows="images.size",
        example=(128, 256),
    ),
    "pyramid.steps": Field(100, "steps at each scale but the last", "count", "not negative"),
} | _RUN

_AUDIO = {
    "modality": Field("audio", "what is stylized: image or audio; a config file is of one of them"),
    "audio.content": Field("melody", "content: a path, a folder, or the name of a sample", "input"),
    "audio.style": Field(
        "bells", "style, given likewise; both come with nst, so nothing is fetched", "input"
    ),
    "audio.method": Field("spectrogram", "what is optimized: spectrogram (its magnitudes) or waveform"),
    "audio.rate": Field(22_050, "sampling rate that all audio is brought to, Hz", check="positive"),
    "audio.n_fft": Field(
        2048, "window of the spectrogram, samples; the hop is a quarter of it", check="positive"
    ),
    "audio.filters": Field(
        2048,
        "random filters of each layer; the 4096 of Ulyanov and Lebedev take twice as long",
        check="positive",
    ),
    "audio.init": Field("content", "content, style, noise, or audio that it starts from", "input"),
    "audio.seed": Field(0, "seed of noise and filters", "input", "not negative"),
    "audio.phase_steps": Field(
        64, "iterations of fast Griffin-Lim, which finds phases for magnitudes", check="not negative"
    ),
    "loss.style_loss": Field("gram", "a name of nst.losses.STYLE_LOSSES"),
    "loss.content_weight": Field(
        1.0, "α, share of the content in the gradient at noise", "number", "not negative"
    ),
    "loss.style_weight": Field(1.0, "β, the same share of the style", "number", "not negative"),
    "loss.envelope_weight": Field(
        0.0, "ε, the same share of the content's loudness over time", "number", "not negative"
    ),
    "optimizer.name": Field(
        None,
        "lbfgs for magnitudes; adam for samples, on which L-BFGS may diverge",
        follows="audio.method",
        example="lbfgs",
    ),
    "optimizer.steps": Field(100, "steps; each costs one loss and gradient", "count", "not negative"),
    "optimizer.learning_rate": Field(
        None,
        "length of a step: 1 for L-BFGS; for adam 0.002 on samples, 0.02 on magnitudes",
        "number",
        "positive",
        follows="optimizer.name",
        example=0.002,
    ),
} | _RUN

#: The fields by modality and dotted name. A field that is added here is a flag, is validated and is listed by `--help`.
FIELDS: dict[str, dict[str, Field]] = {"image": _IMAGE, "audio": _AUDIO}


def base(modality: str = "image") -> ConfigDict:
    """Return a locked config with every field at its default; fields that follow others are unset.

    Args:
      modality: One of `FIELDS`.
    """
    config = ConfigDict()
    for name, field in _fields_of(modality).items():
        *groups, last = name.split(".")
        place = config
        for group in groups:
            if group not in place:
                place[group] = ConfigDict()
            place = place[group]
        place[last] = placeholder(field.type) if field.default is None else field.default
    return config.lock()


def fields(config: ConfigDict | Values) -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of every field of a config or a nested mapping; None where it is unset."""
    for name, value in config.items():
        if isinstance(value, ConfigDict | Mapping):
            yield from ((f"{name}.{inner}", leaf) for inner, leaf in fields(value))
        else:
            yield name, value


def modality_of(config: ConfigDict | Values) -> str:
    """Return the modality of a config, or of a mapping from dotted or nested names to values.

    Configs of run directories and plans written before there was a field `modality` have a group `audio` if they are
    of audio.

    Raises:
      InputError: The modality is unknown.
    """
    modality = config.get("modality")
    if modality is None:
        return "audio" if any(name.partition(".")[0] == "audio" for name in config) else "image"
    _fields_of(modality)
    return modality


def _fields_of(modality: Any) -> dict[str, Field]:
    if not isinstance(modality, str) or modality not in FIELDS:
        raise unknown("modality", modality, FIELDS)
    return FIELDS[modality]


def defaults(modality: str = "image") -> dict[str, Any]:
    """Return the default of every field by its dotted name; None where it follows another."""
    return {name: field.default for name, field in _fields_of(modality).items()}


def loss_defaults(modality: str = "image") -> dict[str, Any]:
    """Return the defaults of the group `loss` by name; None where one follows another field."""
    return {
        name.removeprefix("loss."): value
        for name, value in defaults(modality).items()
        if name.startswith("loss.")
    }


def validate(config: ConfigDict) -> None:
    """Raise InputError naming the first field whose name, type or number can't be used."""
    values = dict(fields(config))
    modality = modality_of(values)
    for name in values:
        if name not in FIELDS[modality]:
            raise unknown_field(name, modality)
    for name in FIELDS[modality]:
        if name not in values:
            raise InputError(f"config.{name} is missing: start from nst.config.base()")
        check(name, values[name], modality)
    _check_scales(values.get("pyramid.scales") or ())
    if "loss.style_layers" in values:
        _check_layers(values)


def unknown_field(name: str, modality: str) -> InputError:
    """Return the error for a field that a modality does not have."""
    owners = [other for other, table in FIELDS.items() if name in table]
    if not owners:
        return unknown("config field", name, FIELDS[modality])
    return InputError(
        f"config.{name} is a field of {owners[0]}, this is a config of {modality}: "
        "take another --config, or leave config.modality out"
    )


def check(name: str, value: Any, modality: str = "image") -> None:
    """Raise InputError unless `value` has the type and the range of the field `name`."""
    field = FIELDS[modality][name]
    if value is None and field.follows:
        return
    _check_type(name, value, field)
    if field.check:
        for number in value if isinstance(value, tuple | list) else (value,):
            _check_number(name, number, field)


def _check_type(name: str, value: Any, field: Field) -> None:
    accepted = {float: (float, int), tuple: (tuple, list)}.get(field.type, (field.type,))
    if not isinstance(value, accepted) or (isinstance(value, bool) and field.type is not bool):
        article = "an" if field.type.__name__[0] in "aeiou" else "a"
        example = field.default if field.example is None else field.example
        empty = " or ()" if field.type is tuple and example else ""
        raise InputError(
            f"config.{name} = {value!r}: give {article} {field.type.__name__}, such as {example!r}{empty}"
        )


def _check_number(name: str, value: Any, field: Field) -> None:
    if not isinstance(value, float | int) or not math.isfinite(value) or value < 0:
        raise InputError(f"config.{name} = {value!r}: give a finite number that is not negative")
    if field.check == "positive" and value == 0:
        raise InputError(f"config.{name} = {value!r}: give a number above 0")


def _check_scales(scales: tuple[Any, ...] | list[Any]) -> None:
    for side in scales:
        if type(side) is not int or side < 1:
            raise InputError(
                f"config.pyramid.scales = {side!r}: give longest sides in pixels, such as (128, 256)"
            )


def _check_layers(values: Values) -> None:
    """Check the fields of layers that are set."""
    layers = {name: values[f"loss.{name}"] for name in ("content_layers", "style_layers")}
    weights = [values["loss.content_weight"], values["loss.style_weight"]]
    if any(weights) and not any(names is None or names for names in layers.values()):
        raise InputError("config.loss.style_layers and content_layers are both empty: name a layer")
    for name, names in layers.items():
        if names is not None and len(set(names)) < len(names):
            raise InputError(f"config.loss.{name} = {tuple(names)}: name each layer once")
    weights, names = values["loss.style_layer_weights"], layers["style_layers"]
    if weights and names is not None and len(weights) != len(names):
        raise InputError(
            f"config.loss.style_layer_weights has {len(weights)} numbers for {len(names)} style layers: "
            "give one for each, or none"
        )


def table(modality: str = "image") -> str:
    """Return the fields as rows of a Markdown table, as the documentation has them."""
    rows = (
        f"| `{name}` | {_default(field)} | {field.what} |" for name, field in _fields_of(modality).items()
    )
    return "\n".join(["| field | default | what |", "|---|---|---|", *rows])


def _default(field: Field) -> str:
    return f"follows `{field.follows}`" if field.default is None else f"`{_literal(field.default)}`"


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def help_text(modality: str = "image") -> str:
    """Return the flags of all fields with their defaults and meanings, as `--help` prints them."""
    lines = [f"Fields of the modality {modality}, --config.FIELD=VALUE:"]
    for name, field in _fields_of(modality).items():
        value = f"  (follows {field.follows})" if field.default is None else f"={_literal(field.default)}"
        lines.append(f"  {name}{value}")
        lines += textwrap.wrap(field.what, 100, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines)
