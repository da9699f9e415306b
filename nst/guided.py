"""The objective of an image with several styles, with regions, or with parts that are kept or transparent.

Source: Gatys, Ecker, Bethge, Hertzmann and Shechtman, Controlling Perceptual Factors in Neural Style Transfer, CVPR
2017, section 4: the statistics of a style are compared within its region.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nst import images, losses, masks
from nst.errors import InputError
from nst.losses import Input, Recipe, Term
from nst.objective import Composition, Objective, numbered, term_of
from nst.types import Array, Mask, Network, Settings, Style


class Regions(NamedTuple):
    """The parts of an image that are kept or transparent, and how masks reach the layers.

    Attributes:
      keep: `[h, w]`, 1 where the result is the content itself; None to keep nothing.
      guidance: One of `nst.masks.GUIDANCE`.
      alpha: `[h, w]`, the alpha channel of content and result; None if there is none. No term sees what is transparent.
    """

    keep: Mask | None = None
    guidance: str = "simple"
    alpha: Mask | None = None

    @property
    def visible(self) -> Mask | None:
        """The alpha channel; None if the image is opaque everywhere."""
        return images.product(None, self.alpha)


#: Nothing is kept.
WHOLE = Regions()


def guided(
    network: Network,
    content: Array,
    styles: Sequence[Style],
    settings: Settings,
    parameters: str = "pixels",
    regions: Regions = WHOLE,
) -> Objective:
    """Build the objective of an image.

    With several styles there is a term for each: `style_1`, `style_2`, …

    Args:
      network: The network.
      content: `[h, w, 3]`.
      styles: The styles, each image in its size at this scale; masks of the content in the content's size.
      settings: As in `nst.objective.objective`.
      parameters: As in `nst.objective.objective`.
      regions: What is kept or transparent; the masks in the content's size.

    Raises:
      InputError: A setting can't be used, or the style loss can't be masked.
    """
    settings = losses.checked(settings)
    losses.check_masks(settings, any_masks(styles, regions), regions.visible is not None)
    check_layers(styles, settings)
    terms = {}
    for name, recipe in losses.active(settings).items():
        if recipe.source == "style":
            terms |= numbered(name, _style_terms(name, recipe, network, content, styles, settings, regions))
        else:
            terms[name] = term_of(name, recipe, {"content": Input(network, content)}, settings)
    composition = None
    if regions.keep is not None:
        composition = Composition(np.asarray(regions.keep, np.float32), content)
    objective = Objective(network, terms, parameters, composition=composition)
    if (visible := regions.visible) is None:
        return objective
    by_layer = masks.to_layers(visible, network, objective.layers, regions.guidance)
    return replace(objective, masks={**by_layer, "image": visible})


def _style_terms(
    name: str,
    recipe: Recipe,
    network: Network,
    content: Array,
    styles: Sequence[Style],
    settings: Settings,
    regions: Regions,
) -> list[Term]:
    """Return the term of each style."""
    layers, terms = recipe.layers(**settings), []
    by_layer = {layer: shares(styles, regions, layer) for layer in layers}
    for i, (style, region) in enumerate(zip(styles, free(styles, regions), strict=True)):
        own = style.layers or layers
        sources = {
            "content": Input(network, content, _to_layers(region, network, own, regions)),
            "style": Input(network, style.image, _to_layers(style.mask, network, own, regions)),
        }
        factors = {layer: by_layer[layer][i] for layer in own}
        share = max(factors.values(), default=0.0)
        terms.append(term_of(name, recipe, sources, _of_style(settings, factors, share), share))
    return terms


def _of_style(settings: Settings, factors: Mapping[str, float], share: float) -> Settings:
    """Return the settings of one style, with the layers that it has.

    Args:
      settings: The settings of the loss.
      factors: The share of the style in each of its layers.
      share: The factor of its term, by which those of its layers are divided.
    """
    weights = settings["style_layer_weights"]
    own = {
        layer: (weights[layer] if weights else 1 / len(settings["style_layers"])) * factor / (share or 1)
        for layer, factor in factors.items()
    }
    return {**settings, "style_layers": tuple(factors), "style_layer_weights": own}


def check_layers(styles: Sequence[Style], settings: Settings) -> None:
    """Raise InputError if a style has layers of its own that can't be used.

    Args:
      styles: The styles.
      settings: The settings that `nst.losses.checked` returns.
    """
    known = settings["style_layers"]
    for number, style in enumerate(styles, 1):
        if style.layers is None:
            continue
        other = next((layer for layer in style.layers if layer not in known), None)
        if other is not None:
            raise InputError(
                f"style {number} has the layer {other!r}, which is none of loss.style_layers, {', '.join(known)}: "
                "take one of these, or add it there"
            )
        if not style.layers or len(set(style.layers)) < len(style.layers):
            raise InputError(
                f"style {number} has the layers {style.layers}: name each once, and at least one"
            )
        if settings["style_loss"].form is None:
            raise InputError(
                "this style loss compares all layers together, so a style can't have layers of its own: "
                f"take {', '.join(losses.by_layer())}"
            )


def check_inside(network: Network, styles: Sequence[Style], settings: Settings, guidance: str) -> None:
    """Raise InputError if no position of a layer lies inside the mask of a style, so that it has nothing to compare.

    Args:
      network: The network.
      styles: The styles at the size of the last scale.
      settings: The settings that `nst.losses.checked` returns.
      guidance: One of `nst.masks.GUIDANCE`.
    """
    for number, style in enumerate(styles, 1):
        if guidance != "inside" or style.mask is None:
            continue
        layers = tuple(style.layers or settings["style_layers"])
        for layer, mask in masks.to_layers(style.mask, network, layers, guidance).items():
            if not np.any(mask):
                raise InputError(
                    f"style {number}: its mask is smaller than what a position of {layer} sees: "
                    "take guidance simple, a larger style_scale, or a larger mask"
                )


def any_masks(styles: Sequence[Style], regions: Regions) -> bool:
    """Return whether a mask restricts what a style term compares."""
    masks_of_styles = [mask for style in styles for mask in (style.mask, style.content_mask)]
    return any(mask is not None for mask in (regions.keep, *masks_of_styles))


def free(styles: Sequence[Style], regions: Regions) -> list[np.ndarray | None]:
    """Return the region of each style, `[h, w]`, without what is kept; None for the whole image."""
    rest = None if regions.keep is None else 1 - np.asarray(regions.keep, np.float32)
    own = [style.content_mask for style in styles]
    return [
        rest if mask is None else np.asarray(mask, np.float32) * (1 if rest is None else rest) for mask in own
    ]


def shares(styles: Sequence[Style], regions: Regions = WHOLE, layer: str | None = None) -> list[float]:
    """Return the factor of each style's term: w a c / Σ w a.

    w is the weight of a style, a the share of its region in the visible part of the image, and c the share of this part
    that has any style.
    So several styles of the whole image have factors of sum 1; and the factor of a region is its share of the image, so
    that the force on each of its pixels is that of a whole image, since terms are means over the region.

    Args:
      styles: The styles.
      regions: What is kept.
      layer: Count only the styles that have this layer; the others have the factor 0. By default all count.
    """
    visible = np.float32(1) if regions.visible is None else np.asarray(regions.visible)
    parts = [visible if region is None else region * visible for region in free(styles, regions)]
    parts = [
        part if layer is None or style.layers is None or layer in style.layers else 0 * part
        for style, part in zip(styles, parts, strict=True)
    ]
    areas = [style.weight * float(np.mean(part)) for style, part in zip(styles, parts, strict=True)]
    covered = float(np.mean(np.minimum(visible, sum(parts))) / np.mean(visible))
    total = sum(areas)
    return [covered * area / total if total else 0.0 for area in areas]


def _to_layers(
    mask: Mask | None, network: Network, layers: Sequence[str], regions: Regions
) -> dict[str, np.ndarray] | None:
    return None if mask is None else masks.to_layers(mask, network, layers, regions.guidance)
