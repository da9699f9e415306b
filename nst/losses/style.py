"""The style term: a distance between the statistics of two images."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Optional, Protocol

import jax
import numpy as np

from nst.errors import InputError
from nst.losses.term import Input, Recipe, Term, View
from nst.types import Features, Mask, Scalar, Statistics


class StatisticsOf(Protocol):
    """The statistics that a style loss compares."""

    def __call__(self, features: Features, masks: dict[str, Mask] | None = None) -> Statistics:
        """Return the statistics of each layer, positions weighted by `masks[layer]`."""
        ...


class StyleLoss(NamedTuple):
    """A family of style losses.

    Attributes:
      statistics: `statistics(features, masks)` gives the statistics by layer.
      distance: `distance(statistics, target, layer_weights)` gives a scalar.
      dual: The dual (M×M) form, for layers with fewer positions than filters; None if there is none.
      additive: Whether the statistics of two parts of an image add up to those of the whole.
    """

    statistics: StatisticsOf
    distance: Callable[[Statistics, Statistics, dict[str, Scalar]], Scalar]
    dual: Optional["StyleLoss"] = None
    additive: bool = True


def style(
    inputs: Mapping[str, Input],
    *,
    style_loss: StyleLoss,
    style_layers: Sequence[str],
    style_layer_weights: Mapping[str, float] | None = None,
    **_: Any,
) -> Term:
    """Build the style term.

    Args:
      inputs: The target is taken from `inputs["style"]`.
      style_loss: The family.
      style_layers: The layers to compare.
      style_layer_weights: w_l by layer, 1 / (number of layers) by default.
    """
    layers = tuple(style_layers)
    weights = style_layer_weights or {layer: 1 / len(layers) for layer in layers}
    statistics, value = _functions(style_loss, layers)
    target = inputs["style"].measure(statistics, layers)
    layer_weights = jax.device_put({layer: np.float32(weights[layer]) for layer in layers})
    return Term(statistics, value, layers, target=(target, layer_weights), additive=style_loss.additive)


# Cached, so that equal terms have equal functions and share what is compiled.
@functools.cache
def _functions(loss: StyleLoss, layers: tuple[str, ...]) -> tuple[Callable, Callable]:
    def statistics(view: View, region: dict[str, Mask] | None) -> Statistics:
        features = {layer: view.features[layer] for layer in layers}
        return loss.statistics(features, _combined(view.masks, region))

    def value(statistics: Statistics, target: tuple[Statistics, dict[str, Scalar]]) -> Scalar:
        return loss.distance(statistics, *target)

    return statistics, value


def _combined(masks: Mapping[str, Mask] | None, region: dict[str, Mask] | None) -> dict[str, Mask] | None:
    if masks is None or region is None:
        return region if masks is None else dict(masks)
    return {layer: masks[layer] * mask for layer, mask in region.items()}


def _check(
    *, style_layers: Sequence[str], style_layer_weights: Mapping[str, float] | None = None, **_: Any
) -> None:
    if style_layer_weights and set(style_layer_weights) != set(style_layers):
        raise InputError(
            f"style_layer_weights names {sorted(style_layer_weights)}: name the style layers {list(style_layers)}"
        )


def _layers(*, style_layers: Sequence[str], **_: Any) -> tuple[str, ...]:
    return tuple(style_layers)


STYLE = Recipe(style, layers=_layers, check=_check, source="style")
