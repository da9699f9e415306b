"""The table of config fields; configs, validation, help, documentation and sweeps derive from it."""

import json
import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from ml_collections import ConfigDict
from ml_collections.config_dict import FieldReference, placeholder

from nst.config.audio import AUDIO
from nst.config.field import Field
from nst.config.image import IMAGE
from nst.config.video import VIDEO
from nst.errors import InputError, unknown
from nst.types import Values

#: The fields by modality and dotted name. A field that is added here is a flag, is validated and is listed by `--help`.
FIELDS: dict[str, dict[str, Field]] = {"image": IMAGE, "audio": AUDIO, "video": VIDEO}


def base(modality: str = "image") -> ConfigDict:
    """Return a locked config with all fields at their defaults; fields that follow others are unset.

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
        place[last] = _initial(field)
    return config.lock()


def _initial(field: Field) -> Any:
    """Return the default as `ConfigDict` stores it: with the types that the field may get."""
    kind = object if field.also else field.type
    if field.default is None:
        return placeholder(kind)
    return FieldReference(field.default, field_type=object) if field.also else field.default


def fields(config: ConfigDict | Values) -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of every field of a config or a nested mapping; None if it is unset."""
    for name, value in config.items():
        if isinstance(value, ConfigDict | Mapping):
            yield from ((f"{name}.{inner}", leaf) for inner, leaf in fields(value))
        else:
            yield name, value


def modality_of(config: ConfigDict | Values) -> str:
    """Return the modality of a config, or of a mapping from dotted or nested names to values.

    Configs in run directories and plans of versions without the field `modality` are of audio if they have a group
    `audio`.

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
    """Return the default of every field by its dotted name; None for a field that follows another."""
    return {name: field.default for name, field in _fields_of(modality).items()}


def loss_defaults(modality: str = "image") -> dict[str, Any]:
    """Return the defaults of the group `loss` by name without `loss.`; None for a field that follows another."""
    return {
        name.removeprefix("loss."): value
        for name, value in defaults(modality).items()
        if name.startswith("loss.")
    }


def validate(config: ConfigDict) -> None:
    """Raise InputError for the first field that is unknown, missing or invalid."""
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
    article = "an" if modality[0] in "aeiou" else "a"
    return InputError(
        f"config.{name} is a field of {owners[0]} configs, but this is {article} {modality} config: "
        "give another --config, or leave config.modality out"
    )


def check(name: str, value: Any, modality: str = "image", label: str | None = None) -> None:
    """Raise InputError unless `value` has the type and the range of the field `name`, which messages call `label`."""
    field = FIELDS[modality][name]
    label = label or f"config.{name}"
    if value is None and field.follows:
        return
    _check_type(label, value, field)
    if field.check:
        for number in value if isinstance(value, tuple | list) else (value,):
            _check_number(label, number, field)


def _check_type(label: str, value: Any, field: Field) -> None:
    accepted: tuple[type, ...] = {float: (float, int), tuple: (tuple, list)}.get(field.type, (field.type,))
    accepted += () if field.also is None else (field.also,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        article = "an" if field.type.__name__[0] in "aeiou" else "a"
        example = field.default if field.example is None else field.example
        empty = " or ()" if field.type is tuple and example else ""
        raise InputError(
            f"{label} = {value!r}: give {article} {field.type.__name__}, such as {example!r}{empty}"
        )


def _check_number(label: str, value: Any, field: Field) -> None:
    if not isinstance(value, float | int) or not math.isfinite(value) or value < 0:
        raise InputError(f"{label} = {value!r}: give a finite number that is not negative")
    if field.check == "positive" and value == 0:
        raise InputError(f"{label} = {value!r}: give a number above 0")


def _check_scales(scales: tuple[Any, ...] | list[Any]) -> None:
    for side in scales:
        if type(side) is not int or side < 1:
            raise InputError(
                f"config.pyramid.scales = {side!r}: give longest sides in pixels, such as (128, 256)"
            )


def _check_layers(values: Values) -> None:
    """Raise InputError if the layers or layer weights that are set can't be used."""
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
            "give one for each, None for the defaults, or () for equal weights"
        )


def table(modality: str = "image", without: str = "") -> str:
    """Return the fields as rows of a Markdown table, as the documentation has them.

    Args:
      modality: One of `FIELDS`.
      without: Leave out fields that are the same in this modality.
    """
    other = FIELDS.get(without, {})
    rows = (
        f"| `{name}` | {_default(field)} | {field.what} |"
        for name, field in _fields_of(modality).items()
        if field != other.get(name)
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
