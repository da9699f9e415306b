"""Values of unset fields: each follows other fields, so that none has to be set because another was."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

from ml_collections import ConfigDict

from nst import optimizers
from nst.audio.stylize import OPTIMIZERS, default_rate
from nst.config import base, defaults, fields, modality_of, validate
from nst.errors import unknown
from nst.features import NETWORKS, NetworkSpec, check_layers
from nst.types import Values

# Pixels: at a smaller scale the deepest of the default layers, relu5_1, has fewer than 8×8 positions.
_SMALLEST_SCALE = 128


#: Computes the value of an unset field from the values of the others, by dotted names.
Rule = Callable[[Values], Any]


def _network(values: Values) -> NetworkSpec:
    name = values["features.network"]
    if name not in NETWORKS:
        raise unknown("features.network", name, NETWORKS)
    return NETWORKS[name]


def _layer_weights(values: Values) -> tuple[float, ...]:
    layers = tuple(values["loss.style_layers"])
    check_layers(values["features.network"], layers)
    return _network(values).layer_weights(layers)


def _scales(values: Values) -> tuple[int, ...]:
    """Halve `images.size`, rounding up, while the result is at least 128 pixels."""
    scales = [values["images.size"]]
    while (half := -(-scales[0] // 2)) >= _SMALLEST_SCALE:
        scales.insert(0, half)
    return tuple(scales)


def _audio_optimizer(values: Values) -> str:
    return OPTIMIZERS.get(values["audio.method"], "lbfgs")


def _learning_rate(values: Values) -> float:
    """Return the optimizer's own rate, or that of the audio method."""
    name = values["optimizer.name"]
    if name not in optimizers.OPTIMIZERS:
        raise unknown("optimizer", name, optimizers.OPTIMIZERS)
    return default_rate(values.get("audio.method", ""), name) or optimizers.OPTIMIZERS[name].learning_rate


#: The rule of each field that follows others, by modality. A field comes after those that it follows.
RULES: dict[str, dict[str, Rule]] = {
    "image": {
        "features.weights": lambda values: _network(values).default_weights,
        "loss.content_layers": lambda values: _network(values).content_layers,
        "loss.style_layers": lambda values: _network(values).style_layers,
        "loss.style_layer_weights": _layer_weights,
        "optimizer.learning_rate": _learning_rate,
        "pyramid.scales": _scales,
    },
    "audio": {"optimizer.name": _audio_optimizer, "optimizer.learning_rate": _learning_rate},
}


def resolved(config: ConfigDict) -> ConfigDict:
    """Return a copy of a valid config with every unset field filled; values that are set stay as they are.

    Raises:
      InputError: A field that others follow can't be used.
    """
    result = base(modality_of(config))
    with result.ignore_type():  # `validate` names a wrong type
        result.update_from_flattened_dict(as_tuples(_filled(dict(fields(config)))))
    return result


def checked(config: ConfigDict) -> ConfigDict:
    """Validate a config and return it resolved.

    Raises:
      InputError: A field, or a combination of them, can't be used.
    """
    validate(config)
    result = resolved(config)
    validate(result)
    return result


def recorded(config: Values) -> dict[str, Any]:
    """Return the resolved values of a config that was read from JSON, by dotted names, for comparisons.

    A field that is absent, as in the files of an earlier version, counts as its default. Lists stand for tuples.

    Args:
      config: Nested, or by dotted names.

    Raises:
      InputError: A field that others follow can't be used.
    """
    values = dict(fields(config))
    values = _filled(defaults(modality_of(values)) | {"modality": modality_of(values)} | values)
    if "pyramid.scales" in values:  # no scales mean one
        values["pyramid.scales"] = values["pyramid.scales"] or [values["images.size"]]
    return json.loads(json.dumps(values))


def usual(values: Values) -> dict[str, Any]:
    """Return for each field, by its dotted name, the value that it has if it is not set and the others are.

    None where a rule can't use the values.

    Args:
      values: Of all fields, by dotted names, as `recorded` gives them.
    """
    modality = modality_of(values)
    result = defaults(modality)
    for name, rule in RULES.get(modality, {}).items():
        with contextlib.suppress(ValueError, LookupError, TypeError):
            result[name] = rule(values)
    return result


def as_tuples(values: Values) -> dict[str, Any]:
    """Turn the lists that JSON makes of tuples back into tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Fill what is unset."""
    for name, rule in RULES.get(modality_of(values), {}).items():
        if values[name] is None:
            values = values | {name: rule(values)}
    return values
