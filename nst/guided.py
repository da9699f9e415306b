"""The objective of an image with several styles, with regions, or with parts that are kept or transparent.

Source: Gatys, Ecker, Bethge, Hertzmann and Shechtman, Controlling Perceptual Factors in Neural Style Transfer, CVPR
2017, section 4: the statistics of a style are compared within its region.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nst import images, losses, masks
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
    for style, region, share in zip(styles, free(styles, regions), shares(styles, regions), strict=True):
        sources = {
            "content": Input(network, content, _to_layers(region, network, layers, regions)),
            "style": Input(network, style.image, _to_layers(style.mask, network, layers, regions)),
        }
        terms.append(term_of(name, recipe, sources, settings, share))
    return terms


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


def shares(styles: Sequence[Style], regions: Regions = WHOLE) -> list[float]:
    """Return the factor of each style's term: w a c / Σ w a.

    w is the weight of a style, a the share of its region in the visible part of the image, and c the share of this part
    that has any style.
    So several styles of the whole image have factors of sum 1; and the factor of a region is its share of the image, so
    that the force on each of its pixels is that of a whole image, since terms are means over the region.
    """
    visible = np.float32(1) if regions.visible is None else np.asarray(regions.visible)
    parts = [visible if region is None else region * visible for region in free(styles, regions)]
    areas = [style.weight * float(np.mean(part)) for style, part in zip(styles, parts, strict=True)]
    covered = float(np.mean(np.minimum(visible, sum(parts))) / np.mean(visible))
    total = sum(areas)
    return [covered * area / total if total else 0.0 for area in areas]


def _to_layers(
    mask: Mask | None, network: Network, layers: Sequence[str], regions: Regions
) -> dict[str, np.ndarray] | None:
    return None if mask is None else masks.to_layers(mask, network, layers, regions.guidance)
