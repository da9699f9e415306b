"""The settings of the loss that images, audio and video are stylized with."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from nst import losses, optim
from nst.config import check, loss_defaults
from nst.errors import unknown
from nst.types import Network, Settings


def with_defaults(settings: Settings, optimizer: str, modality: str = "image") -> dict[str, Any]:
    """Return the defaults of the config's group `loss`, replaced by `settings` where these are given.

    Args:
      settings: Settings that replace defaults.
      optimizer: The optimizer. Unless `resample` is set, random directions are drawn anew at each step if the optimizer
        tolerates a random loss.
      modality: `image`, `audio` or `video`.

    Raises:
      InputError: A setting or the optimizer is unknown.
    """
    defaults = loss_defaults(modality)
    for name in settings:
        if name not in defaults:
            raise unknown("setting of the loss", name, defaults)
    stochastic = optim.named(optimizer).stochastic
    result = defaults | dict(settings)
    if result["resample"] is None:
        result["resample"] = stochastic
    return result


def check_arguments(
    function: Callable[..., Any],
    fields: Mapping[str, tuple[str, Any]],
    settings: Settings,
    modality: str = "image",
) -> None:
    """Check the arguments of a library entry as the config fields that they stand for.

    Args:
      function: The entry, for its name and the names of its arguments.
      fields: The config field and the value of each argument that has one.
      settings: The other arguments, which should be settings of the loss.
      modality: `image`, `audio` or `video`.

    Raises:
      InputError: An argument is unknown, or has another type or range than its field.
    """
    names = [name for name in inspect.signature(function).parameters if name != "loss_settings"]
    for name in settings:
        if name not in loss_defaults(modality):
            raise unknown(f"argument of {function.__name__}", name, [*names, *loss_defaults(modality)])
    # Layer weights may also be a mapping from layers, which no config field is.
    own = {name: (f"loss.{name}", x) for name, x in settings.items() if not isinstance(x, Mapping)}
    for name, (field, value) in {**fields, **own}.items():
        check(field, value, modality, name)


def completed(
    network: Network, settings: Settings, optimizer: str = "lbfgs_pyramid", modality: str = "image"
) -> dict[str, Any]:
    """Return complete settings of the loss, from which terms are built.

    Args:
      network: The network. Settings without a default (layers, their weights, the style weight) follow it and the style
        loss if they are not given.
      settings: Settings that replace the defaults of the config's group `loss`.
      optimizer: As in `with_defaults`.
      modality: As in `with_defaults`.

    Raises:
      InputError: A setting is unknown or can't be used.
    """
    result = with_defaults(settings, optimizer, modality)
    family = losses.style_loss(result["style_loss"])
    if result["content_layers"] is None:
        result["content_layers"] = losses.content_layers(result["content_loss"], network)
    if result["style_layers"] is None:
        result["style_layers"] = losses.style_layers(family, network)
    if result["style_layer_weights"] is None:
        result["style_layer_weights"] = losses.layer_weights(family, network, result["style_layers"])
    if result["style_weight"] is None:
        result["style_weight"] = family.weight
    return losses.checked(result)
