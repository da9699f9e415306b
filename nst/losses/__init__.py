"""The terms of the loss: pure functions, a file for each family, and the registries that name them."""

from collections.abc import Mapping
from typing import Any

from nst.errors import InputError, unknown
from nst.losses.content import CONTENT
from nst.losses.dual import dual_distance, dual_statistics, in_dual_form
from nst.losses.envelope import ENVELOPE
from nst.losses.gram import Gram, gram_distance, gram_matrix, gram_statistics
from nst.losses.smoothness import TOTAL_VARIATION, total_variation
from nst.losses.style import STYLE, StyleLoss
from nst.losses.term import Input, Recipe, Term, View
from nst.types import Settings

__all__ = [
    "STYLE_LOSSES",
    "TERMS",
    "Gram",
    "Input",
    "Recipe",
    "StyleLoss",
    "Term",
    "View",
    "active",
    "checked",
    "gram_distance",
    "gram_matrix",
    "gram_statistics",
    "in_dual_form",
    "layers",
    "stochastic",
    "total_variation",
]

#: Style losses by name.
STYLE_LOSSES: dict[str, StyleLoss] = {
    "gram": StyleLoss(
        gram_statistics, gram_distance, dual=StyleLoss(dual_statistics, dual_distance, additive=False)
    ),
}

#: Terms by name. The setting `NAME_weight` is the factor of a term; a term of weight 0 is not computed.
TERMS: dict[str, Recipe] = {
    "content": CONTENT,
    "style": STYLE,
    "tv": TOTAL_VARIATION,
    "envelope": ENVELOPE,
}


def active(settings: Settings) -> dict[str, Recipe]:
    """Return the terms whose weight is not 0.

    Args:
      settings: Settings of the loss by name; a weight that is not among them is 0.
    """
    return {name: recipe for name, recipe in TERMS.items() if settings.get(f"{name}_weight", 0) != 0}


def checked(settings: Settings) -> dict[str, Any]:
    """Return the settings in the form that terms are built from.

    Args:
      settings: Settings of the loss by name. `style_loss` may be a name or a `StyleLoss`; `style_layer_weights` a
        mapping, a number for each style layer, or empty for equal weights.

    Raises:
      InputError: An unknown term or style loss, a layer named twice, or weights that do not fit the layers.
    """
    for key in settings:
        if key.endswith("_weight") and key.removesuffix("_weight") not in TERMS:
            raise unknown("term", key.removesuffix("_weight"), TERMS)
    result = dict(settings)
    family = settings.get("style_loss", "gram")
    if isinstance(family, str):
        if family not in STYLE_LOSSES:
            raise unknown("style loss", family, STYLE_LOSSES)
        result["style_loss"] = STYLE_LOSSES[family]
    for key in ("content_layers", "style_layers"):
        names = result[key] = tuple(settings.get(key, ()))
        if len(set(names)) < len(names):
            raise InputError(f"loss.{key} = {names}: name each layer once")
    weights, style_layers = settings.get("style_layer_weights"), result["style_layers"]
    if weights and not isinstance(weights, Mapping):
        if len(weights) != len(style_layers):
            raise InputError(
                f"loss.style_layer_weights has {len(weights)} numbers for {len(style_layers)} style layers: "
                "give one for each, or none"
            )
        weights = dict(zip(style_layers, weights, strict=True))
    result["style_layer_weights"] = dict(weights) if weights else None
    for recipe in active(result).values():
        recipe.check(**result)
    return result


def layers(settings: Settings, source: str | None = None) -> tuple[str, ...]:
    """Return the layers that the terms read, each once.

    Args:
      settings: As `checked` returns them.
      source: Only of terms whose target is taken from this input; of all terms by default.
    """
    recipes = [recipe for recipe in active(settings).values() if source in (None, recipe.source)]
    return tuple(dict.fromkeys(layer for recipe in recipes for layer in recipe.layers(**settings)))


def stochastic(settings: Settings) -> list[str]:
    """Return the names of the terms whose value is random; `settings` are those of `checked`."""
    return [name for name, recipe in active(settings).items() if recipe.stochastic(**settings)]
