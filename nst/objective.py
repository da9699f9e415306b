"""What is minimised: the weighted total of content, style and total variation (Gatys et al. 2016, equation 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst.errors import InputError, unknown
from nst.features import VGG19
from nst.losses import STYLE_LOSSES, StyleLoss, content_loss, total_variation
from nst.types import Features, Image, Scalar, Statistics


class LossWeights(NamedTuple):
    """α, β, the weight of the total variation, and w_l: arrays, so that another value never recompiles."""

    content: Scalar
    style: Scalar
    tv: Scalar
    layers: dict[str, Scalar]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Objective:
    """Everything the loss of a picture depends on.

    A pytree: the network's weights, the targets and the loss weights are its leaves. Which layers count, which
    pooling and which style loss are its structure, so two objectives of one structure share a compilation.
    `known` is what the extractor knows of a picture near by: see `near`.
    """

    extractor: VGG19
    content: Features
    style: Statistics
    weights: LossWeights
    style_loss: StyleLoss = field(metadata={"static": True})
    known: Features = field(default_factory=dict)


def objective(
    extractor: VGG19,
    content: Image,
    style: Image,
    *,
    style_loss: str = "gram",
    content_layers: Sequence[str],
    style_layers: Sequence[str],
    style_layer_weights: Mapping[str, float] | None = None,
    content_weight: float,
    style_weight: float,
    tv_weight: float = 0.0,
) -> Objective:
    """Compute the targets, once per scale.

    Args:
      extractor: The network that both pictures are seen through.
      content: `[h, w, 3]`, the size of the result.
      style: `[h', w', 3]`, any size.
      style_loss: One of `STYLE_LOSSES`.
      content_layers: Where content is compared.
      style_layers: Where style is compared.
      style_layer_weights: w_l by layer, 1 / (number of layers) by default.
      content_weight: α.
      style_weight: β.
      tv_weight: What `total_variation` is multiplied by.

    Raises:
      InputError: An unknown name, or a picture too small for the layers.
    """
    if style_loss not in STYLE_LOSSES:
        raise unknown("style loss", style_loss, STYLE_LOSSES)
    for names in (content_layers, style_layers):
        if len(set(names)) < len(names):
            raise InputError(f"{list(names)}: name each layer once")
    loss = STYLE_LOSSES[style_loss]
    layers = style_layer_weights or {layer: 1 / len(style_layers) for layer in style_layers}
    if set(layers) != set(style_layers):
        raise InputError(
            f"style_layer_weights names {sorted(layers)}: name the style layers {list(style_layers)}"
        )
    numbers = (content_weight, style_weight, tv_weight, dict(layers))
    weights = LossWeights(*jax.device_put(jax.tree.map(np.float32, numbers)))
    return Objective(
        extractor=extractor,
        content=_features(extractor, content, tuple(content_layers)),
        style=_statistics(extractor, style, tuple(style_layers), loss),
        weights=weights,
        style_loss=loss,
    )


def near(objective: Objective, image: Image) -> Objective:
    """The same objective for pictures near `image`; in float32 that is no other.

    Args:
      objective: Targets and weights.
      image: `[h, w, 3]`; the extractor rounds what features change by from here (`VGG19.reference`).
    """
    layers = (*objective.content, *objective.style)
    return replace(objective, known=known(objective.extractor, image, layers))


def loss(image: Image, objective: Objective, batch: None = None) -> tuple[Scalar, dict[str, Scalar]]:
    """α · content + β · style + tv_weight · total variation.

    Args:
      image: `[h, w, 3]`, the pixels that are optimised; not constrained to [0, 1].
      objective: Targets and weights.
      batch: Not used: a picture has no batches. (`minimise` hands one to every loss.)

    Returns:
      The total, and its terms by name as they enter it, weights included.
    """
    weights, target = objective.weights, objective
    features = target.extractor(image, (*target.content, *target.style), near=target.known)
    statistics = target.style_loss.statistics({layer: features[layer] for layer in target.style})
    terms = {
        "content": weights.content * content_loss(features, target.content),
        "style": weights.style * target.style_loss.distance(statistics, target.style, weights.layers),
        "tv": weights.tv * total_variation(image),
    }
    return sum(terms.values(), jnp.zeros(())), terms


@jax.jit(static_argnums=2)
def _features(extractor: VGG19, image: Image, layers: tuple[str, ...]) -> Features:
    return extractor(image, layers)


@jax.jit(static_argnums=(2, 3))
def _statistics(extractor: VGG19, image: Image, layers: tuple[str, ...], style_loss: StyleLoss) -> Statistics:
    return style_loss.statistics(extractor(image, layers))


@jax.jit(static_argnums=2)
def known(extractor: VGG19, image: Image, layers: tuple[str, ...]) -> Features:
    """`VGG19.reference`, compiled once for a size."""
    return extractor.reference(image, layers)
