"""Content losses; the squared one in the symbols of Gatys, Ecker and Bethge (CVPR 2016, equation 1)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

from nst.errors import unknown
from nst.losses import remd
from nst.losses.reduction import Total, reduced, total
from nst.losses.term import Input, Recipe, Term, View
from nst.types import Array, Features, Scalar


def features_of(view: View, local: None) -> Features:
    """Return the features of all layers of the view."""
    return view.features


def squared_differences(view: View, P: Features) -> dict[str, Total]:
    """Return Σ (F − P)² of each layer and its number of values; additive over positions.

    Args:
      view: The image that is optimized.
      P: Features of the content image by layer, of the same shapes.
    """
    return {
        layer: total(jnp.square(_float32(view.features[layer]) - _float32(target)), view.mask(layer))
        for layer, target in P.items()
    }


def half_sum(statistics: Mapping[str, Total], target: None) -> Scalar:
    """Return ½ Σ (F − P)² over all layers (equation 1)."""
    return 0.5 * reduced("sum", statistics)


def mean(statistics: Mapping[str, Total], target: None) -> Scalar:
    """Return the sum over the layers of the mean of (F − P)²."""
    return reduced("mean", statistics)


class ContentLoss(NamedTuple):
    """A content loss.

    Attributes:
      build: As in `Recipe.build`.
      layers: The default content layers of a VGG network; empty for the network's own.
      stochastic: Whether the value is random.
    """

    build: Callable[..., Term]
    layers: tuple[str, ...] = ()
    stochastic: bool = False


def _squared(
    inputs: Mapping[str, Input], *, content_layers: Sequence[str], reduction: str = "mean", **_: Any
) -> Term:
    layers = tuple(content_layers)
    P = inputs["content"].measure(features_of, layers)
    return Term(squared_differences, half_sum if reduction == "sum" else mean, layers, local=P)


def _layers(*, content_layers: Sequence[str], **_: Any) -> tuple[str, ...]:
    return tuple(content_layers)


#: Content losses by name.
CONTENT_LOSSES: dict[str, ContentLoss] = {
    "squared": ContentLoss(_squared),
    "self_similarity": ContentLoss(remd.self_similarity, remd.LAYERS, stochastic=True),
}


def _build(inputs: Mapping[str, Input], *, content_loss: str = "squared", **settings: Any) -> Term:
    return CONTENT_LOSSES[content_loss].build(inputs, **settings)


def _check(*, content_loss: str = "squared", **_: Any) -> None:
    if content_loss not in CONTENT_LOSSES:
        raise unknown("content loss", content_loss, CONTENT_LOSSES)


def _stochastic(*, content_loss: str = "squared", **_: Any) -> bool:
    return CONTENT_LOSSES[content_loss].stochastic


CONTENT = Recipe(_build, layers=_layers, check=_check, stochastic=_stochastic, source="content")


def _float32(x: Array) -> Array:
    return jnp.asarray(x, jnp.float32)
