"""Values of unset fields, derived from other fields: setting one field never requires setting another."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

from ml_collections import ConfigDict

from nst import inputs, losses, optim
from nst.config import FIELDS, base, defaults, fields, modality_of, validate
from nst.errors import unknown
from nst.features import NETWORKS, NetworkSpec, check_layers
from nst.transfer.audio.stylize import OPTIMIZERS, default_rate
from nst.types import Values

#: Computes the value of an unset field from the values of the others, by dotted names.
Rule = Callable[[Values], Any]


def _network(values: Values) -> NetworkSpec:
    name = values["features.network"]
    if name not in NETWORKS:
        raise unknown("features.network", name, NETWORKS)
    return NETWORKS[name]


def _style_layers(values: Values) -> tuple[str, ...]:
    return losses.style_layers(losses.style_loss(values["loss.style_loss"]), _network(values))


def _layer_weights(values: Values) -> tuple[float, ...]:
    layers = tuple(values["loss.style_layers"])
    check_layers(values["features.network"], layers)
    return losses.layer_weights(losses.style_loss(values["loss.style_loss"]), _network(values), layers)


def _scales(values: Values) -> tuple[int, ...]:
    """Halve `images.size`, rounding up, while the result is at least `pyramid.min_size`."""
    scales = [values["images.size"]]
    while scales[0] > 1 and (half := -(-scales[0] // 2)) >= values["pyramid.min_size"]:
        scales.insert(0, half)
    return tuple(scales)


def _audio_optimizer(values: Values) -> str:
    return OPTIMIZERS.get(values["audio.method"], "lbfgs")


def _resample(values: Values) -> bool:
    return optim.named(values["optimizer.name"]).stochastic


def _learning_rate(values: Values) -> float:
    """Return the default rate of the audio method for the optimizer, or else that of the optimizer."""
    name = values["optimizer.name"]
    chosen = optim.named(name)
    return default_rate(values.get("audio.method", ""), name) or chosen.learning_rate


_RUN: dict[str, Rule] = {"run.frame_every": lambda values: values["run.save_every"]}

_IMAGE: dict[str, Rule] = {
    "images.strength": lambda values: None,  # the weights apply
    "images.alpha": lambda values: None,  # as the format of --output allows
    "features.weights": lambda values: _network(values).default_weights,
    "features.normalise": lambda values: _network(values).normalise,
    "loss.content_layers": lambda values: losses.content_layers(
        values["loss.content_loss"], _network(values)
    ),
    "loss.style_layers": _style_layers,
    "loss.style_layer_weights": _layer_weights,
    "loss.style_weight": lambda values: losses.style_loss(values["loss.style_loss"]).weight,
    "loss.resample": _resample,
    "loss.tv_reduction": lambda values: values["loss.reduction"],
    "optimizer.learning_rate": _learning_rate,
    "pyramid.scales": _scales,
    "pyramid.first_steps": lambda values: values["pyramid.steps"],
    **_RUN,
}

#: The rule of each field that follows others, by modality. A field comes after those that it follows.
RULES: dict[str, dict[str, Rule]] = {
    "image": _IMAGE,
    "audio": {
        "optimizer.name": _audio_optimizer,
        "loss.resample": _resample,
        "optimizer.learning_rate": _learning_rate,
        **_RUN,
    },
    "video": {name: rule for name, rule in _IMAGE.items() if name in FIELDS["video"]}
    | {"video.end": lambda values: None},  # the end of the video
}


def resolved(config: ConfigDict) -> ConfigDict:
    """Return a copy of a valid config with every unset field filled; values that are set stay as they are.

    Raises:
      InputError: A field that others follow is invalid.
    """
    return as_config(_filled(_joined(dict(fields(config)))))


def _joined(values: Values) -> dict[str, Any]:
    """Return values with tuples of names as one string, the form that run directories record.

    Raises:
      InputError: A name has a comma.
    """
    table = FIELDS[modality_of(values)]
    names = [name for name in values if name in table and table[name].also is tuple]
    return {**values, **{name: inputs.joined(values[name]) for name in names}}


def checked(config: ConfigDict) -> ConfigDict:
    """Validate a config and return it resolved.

    Raises:
      InputError: A field, or a combination of fields, is invalid.
    """
    validate(config)
    result = resolved(config)
    validate(result)
    return result


#: Values of fields that are absent from configs of earlier versions, where they differ from the current defaults.
FORMERLY = {"loss.reduction": "sum", "loss.variation": "squared", "audio.scaled": False}


def recorded(config: Values) -> dict[str, Any]:
    """Return the resolved values of a config that was read from JSON, by dotted name, for comparisons.

    A field that is absent, as in files of an earlier version, gets the value that it had in that version. Tuples
    become lists.

    Args:
      config: Nested, or by dotted names.

    Raises:
      InputError: A field that others follow is invalid.
    """
    values = dict(fields(config))
    modality = modality_of(values)
    absent = defaults(modality)
    absent |= {name: value for name, value in FORMERLY.items() if name in absent}
    values = _filled(_joined(absent | {"modality": modality} | values))
    if "pyramid.scales" in values:  # empty scales mean a single one
        values["pyramid.scales"] = values["pyramid.scales"] or [values["images.size"]]
    return json.loads(json.dumps(values))


def reloaded(config: Values) -> ConfigDict:
    """Return the config that was recorded, to repeat the run: fields that follow others do so again.

    Args:
      config: Nested, or by dotted names, as in the file config.json of a run.

    Raises:
      InputError: A field that others follow is invalid.
    """
    values = recorded(config)
    default, rules = usual(values), RULES.get(modality_of(values), {})
    for name in rules:
        if values.get(name) == json.loads(json.dumps(default[name])):
            values[name] = None
    return as_config(values)


def usual(values: Values) -> dict[str, Any]:
    """Return the value that each field would have if only that field were unset, by dotted name.

    The value is None if a rule can't use the values of the other fields.

    Args:
      values: All fields by dotted name, as `recorded` returns them.
    """
    modality = modality_of(values)
    result = defaults(modality)
    for name, rule in RULES.get(modality, {}).items():
        with contextlib.suppress(ValueError, LookupError, TypeError):
            result[name] = rule(values)
    return result


def as_config(values: Values) -> ConfigDict:
    """Return the config with all fields by dotted name, of any type (`validate` reports wrong ones)."""
    config = base(modality_of(values))
    with config.ignore_type():
        config.update_from_flattened_dict(as_tuples(values))
    return config


def as_tuples(values: Values) -> dict[str, Any]:
    """Convert the lists that JSON makes of tuples back to tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Fill unset fields by their rules."""
    for name, rule in RULES.get(modality_of(values), {}).items():
        if values[name] is None:
            values = values | {name: rule(values)}
    return values
