"""The content loss of Gatys, Ecker and Bethge (CVPR 2016, equation 1), in the paper's symbols."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from nst.losses.term import Input, Recipe, Term, View
from nst.types import Array, Features, Scalar


def features_of(view: View, local: None) -> Features:
    """Return the features of all layers in view."""
    return view.features


def squared_differences(view: View, P: Features) -> dict[str, Scalar]:
    """Return Σ (F − P)² of each layer, in float32; additive over positions.

    Args:
      view: The image that is optimized.
      P: Features of the content image by layer, of the same shapes.
    """
    sums = {}
    for layer, target in P.items():
        square = jnp.square(_float32(view.features[layer]) - _float32(target))
        mask = view.mask(layer)
        sums[layer] = jnp.sum(square if mask is None else mask[..., None] * square)
    return sums


def half_sum(statistics: Mapping[str, Scalar], target: None) -> Scalar:
    """Return ½ Σ over the layers (equation 1)."""
    return sum((0.5 * statistics[layer] for layer in statistics), jnp.zeros(()))


def _build(inputs: Mapping[str, Input], *, content_layers: Sequence[str], **_: Any) -> Term:
    layers = tuple(content_layers)
    P = inputs["content"].measure(features_of, layers)
    return Term(squared_differences, half_sum, layers, local=P)


def _layers(*, content_layers: Sequence[str], **_: Any) -> tuple[str, ...]:
    return tuple(content_layers)


CONTENT = Recipe(_build, layers=_layers, source="content")


def _float32(x: Array) -> Array:
    return jnp.asarray(x, jnp.float32)
