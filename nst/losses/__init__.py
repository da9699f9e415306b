"""The terms of the loss: pure functions, one file for each family, and their registries."""

from collections.abc import Mapping
from typing import Any

from nst.errors import InputError, unknown
from nst.losses import remd, style
from nst.losses.content import CONTENT, CONTENT_LOSSES, ContentLoss
from nst.losses.defaults import (
    GRAM_BLOCKS,
    NINE_LAYERS,
    WASSERSTEIN_BLOCKS,
    content_layers,
    layer_weights,
    style_layers,
)
from nst.losses.envelope import ENVELOPE
from nst.losses.gram import Gram, gram_distance, gram_matrix
from nst.losses.gram_dual import dual_gram, dual_gram_distance
from nst.losses.matting import MATTING, matting_energy
from nst.losses.moments import deviations, moments, moments_distance
from nst.losses.patches import patch_distance, result_patches, style_patches
from nst.losses.reduction import REDUCTIONS
from nst.losses.sliced import (
    Positions,
    fresh_distance,
    fresh_projections,
    projections,
    quantiles,
    sliced_distance,
)
from nst.losses.smoothness import TOTAL_VARIATION, VARIATIONS, total_variation
from nst.losses.style import STYLE, LayerLoss, StyleLoss
from nst.losses.temporal import TEMPORAL
from nst.losses.term import Input, Recipe, Term, View
from nst.losses.wasserstein import (
    centered,
    dual_gaussian,
    dual_wasserstein_distance,
    gaussian,
    second_moments,
    wasserstein_distance,
)
from nst.types import Settings

__all__ = [
    "CONTENT_LOSSES",
    "REDUCTIONS",
    "STYLE_LOSSES",
    "TERMS",
    "VARIATIONS",
    "ContentLoss",
    "Gram",
    "Input",
    "LayerLoss",
    "Recipe",
    "StyleLoss",
    "Term",
    "View",
    "active",
    "check_masks",
    "check_positions",
    "check_strength",
    "checked",
    "content_layers",
    "dual_gram",
    "dual_gram_distance",
    "gram_distance",
    "gram_matrix",
    "layer_weights",
    "layers",
    "matting_energy",
    "stochastic",
    "style_layers",
    "style_loss",
    "total_variation",
]

#: Style losses by name.
STYLE_LOSSES: dict[str, StyleLoss] = {
    "gram": StyleLoss(
        LayerLoss(gram_matrix, gram_distance, dual=LayerLoss(dual_gram, dual_gram_distance, additive=False)),
        weight=200.0,
        by_block=GRAM_BLOCKS,
        balance=30.0,
    ),
    "moments": StyleLoss(LayerLoss(moments, moments_distance, deviations), weight=34.0, balance=3.5),
    "wasserstein": StyleLoss(
        LayerLoss(
            second_moments,
            wasserstein_distance,
            gaussian,
            dual=LayerLoss(centered, dual_wasserstein_distance, dual_gaussian, additive=False),
            dual_of_result=True,
        ),
        weight=20.0,
        layers=NINE_LAYERS,
        by_block=WASSERSTEIN_BLOCKS,
        balance=2.5,
    ),
    "sliced": StyleLoss(
        LayerLoss(
            projections,
            sliced_distance,
            quantiles,
            additive=False,
            fresh=LayerLoss(fresh_projections, fresh_distance, Positions, additive=False, stochastic=True),
        ),
        weight=34.0,
        balance=2.4,
    ),
    "patches": StyleLoss(
        LayerLoss(result_patches, patch_distance, style_patches, additive=False, least=3),
        weight=2.0,
        balance=0.75,
        layers=("relu3_1", "relu4_1"),
        even=True,
        image_only="its patches are 3×3 positions, and the features of audio are one position high",
    ),
    "remd": StyleLoss(
        build=remd.style,
        weight=30.0,
        layers=remd.LAYERS,
        even=True,
        stochastic=True,
        image_only="it compares colors, which audio does not have",
    ),
}

#: Terms by name. The setting `NAME_weight` is the factor of a term; a term of weight 0 is not computed.
TERMS: dict[str, Recipe] = {
    "content": CONTENT,
    "style": STYLE,
    "tv": TOTAL_VARIATION,
    "matting": MATTING,
    "envelope": ENVELOPE,
    "temporal": TEMPORAL,
}


def active(settings: Settings) -> dict[str, Recipe]:
    """Return the terms whose weight is not 0.

    Args:
      settings: Settings of the loss by name; a weight that is not among them is 0.
    """
    return {name: recipe for name, recipe in TERMS.items() if settings.get(f"{name}_weight", 0) != 0}


def checked(settings: Settings) -> dict[str, Any]:
    """Return the checked settings, in the form that the functions of a `Recipe` take.

    Args:
      settings: Settings of the loss by name. `style_loss` may be a name or a `StyleLoss`; `style_layer_weights` a
        mapping, a number for each style layer, or empty for equal weights. With `resample` a loss draws its random
        numbers at each step instead of once.

    Returns:
      The settings with `style_loss` as a `StyleLoss`, layers as tuples, `style_layer_weights` as a dict by layer (None
      for equal weights), and `tv_reduction` set.

    Raises:
      InputError: An unknown term or style loss, a layer named twice, weights that do not fit the layers, or no weight
        above 0.
    """
    for key in settings:
        if key.endswith("_weight") and key.removesuffix("_weight") not in TERMS:
            raise unknown("term", key.removesuffix("_weight"), TERMS)
    result = dict(settings)
    family = style_loss(settings.get("style_loss", "gram"))
    if settings.get("resample") and family.form is not None and family.form.fresh is not None:
        family = family._replace(form=family.form.fresh)
    result["style_loss"] = family
    if result.get("tv_reduction") is None:
        result["tv_reduction"] = result.get("reduction", "mean")
    for key in ("reduction", "tv_reduction"):
        if result.get(key, "mean") not in REDUCTIONS:
            raise unknown(key, result[key], REDUCTIONS)
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
    if not active(result):
        raise InputError("nothing to minimize: give a weight above 0 to a term, such as loss.style_weight")
    return result


def check_positions(settings: Settings, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise InputError if a style layer has fewer positions than the style loss needs.

    Args:
      settings: The settings that `checked` returns.
      shapes: The shapes of the features by layer, `[h, w, N]`; layers that are not compared are ignored.
    """
    form = settings["style_loss"].form
    if form is not None and "style" in active(settings):
        style.check_positions(form, {layer: shapes[layer] for layer in settings["style_layers"]})


def check_masks(settings: Settings, masked: bool, transparent: bool = False) -> None:
    """Raise InputError if a term can't be restricted to a part of the image.

    Args:
      settings: The settings that `checked` returns.
      masked: Whether there are masks.
      transparent: Whether a part of an image is transparent.
    """
    if not masked and not transparent:
        return
    cause, remedy = ("masks", "take") if masked else ("transparency", "set images.alpha=flatten, or take")
    if "style" in active(settings) and settings["style_loss"].form is None:
        usable = ", ".join(name for name, loss in STYLE_LOSSES.items() if loss.form is not None)
        raise InputError(f"this style loss compares whole images and takes no {cause}: {remedy} {usable}")
    if "content" in active(settings) and settings.get("content_loss", "squared") != "squared":
        raise InputError(f"content loss {settings['content_loss']} takes no {cause}: {remedy} squared")


def check_strength(settings: Settings, strength: float | None) -> None:
    """Raise InputError if a strength can't be used.

    Args:
      settings: The settings that `checked` returns.
      strength: `images.strength`, or None.
    """
    if strength is None:
        return
    if not 0 <= strength <= 1:
        raise InputError(f"strength = {strength}: give a number from 0 (the content) to 1 (the style alone)")
    if not settings["style_loss"].balance:
        raise InputError("this style loss has no strength: set content_weight and style_weight")
    if not {"content", "style"} <= {*active(settings)}:
        raise InputError("strength weighs content against style: give both a weight above 0")


def style_loss(family: str | StyleLoss) -> StyleLoss:
    """Return a style loss by name; a `StyleLoss` is returned as it is.

    Raises:
      InputError: There is no style loss of that name.
    """
    if isinstance(family, str):
        if family not in STYLE_LOSSES:
            raise unknown("style loss", family, STYLE_LOSSES)
        return STYLE_LOSSES[family]
    return family


def layers(settings: Settings, source: str | None = None) -> tuple[str, ...]:
    """Return the layers that the terms read, each once.

    Args:
      settings: The settings that `checked` returns.
      source: Count only terms whose target is taken from this input; by default all terms.
    """
    recipes = [recipe for recipe in active(settings).values() if source in (None, recipe.source)]
    return tuple(dict.fromkeys(layer for recipe in recipes for layer in recipe.layers(**settings)))


def stochastic(settings: Settings) -> list[str]:
    """Return the names of the terms whose value is random; `settings` are those of `checked`."""
    return [name for name, recipe in active(settings).items() if recipe.stochastic(**settings)]
