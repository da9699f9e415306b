"""The style term: a distance between the statistics of two images, layer by layer."""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Optional

import jax
import jax.numpy as jnp
import numpy as np

from nst.errors import InputError
from nst.losses.box import Box, bounding_box, crop, whole
from nst.losses.term import Input, Recipe, Term, View
from nst.types import Array, Mask, Pytree, Scalar


class LayerLoss(NamedTuple):
    """The comparison of one layer: statistics, and a distance between them.

    Attributes:
      statistics: `statistics(F, mask)` gives the statistics of a layer's features `[h, w, N]`, each position weighted
        by `mask` `[h, w]`, or once if that is None. A stochastic loss takes a random key as a third argument.
      distance: `distance(statistics, target)` gives a scalar: a mean over positions, so that it means the same at
        any size.
      target: `target(F, mask)` gives the target of `distance`, computed from the style once per scale; by default
        `statistics`.
      additive: Whether the statistics of two parts of an image add up to those of the whole.
      stochastic: Whether the value is random.
      fresh: The form that draws random numbers at each step instead of once; None if nothing is drawn.
      least: The minimum height and width of a layer, in positions.
      dual: The form for layers with fewer positions than filters; None if there is none.
      dual_of_result: Whether the dual form pays off if only the result has few positions; otherwise result and style
        together need fewer positions than filters.
    """

    statistics: Callable[..., Pytree]
    distance: Callable[[Pytree, Pytree], Scalar]
    target: Callable[..., Pytree] | None = None
    additive: bool = True
    stochastic: bool = False
    fresh: Optional["LayerLoss"] = None
    least: int = 1
    dual: Optional["LayerLoss"] = None
    dual_of_result: bool = False


class StyleLoss(NamedTuple):
    """A family of style losses.

    Attributes:
      form: The comparison of each layer; None if layers are compared together.
      build: Builds the term if there is no `form`; same arguments as `Recipe.build`.
      weight: The default β, for features of mean activation 1.
      layers: The default style layers of a VGG network; empty for the network's own.
      even: Whether the default weights of style layers are equal; otherwise they are those of `by_block`.
      by_block: The default weights of style layers in blocks 1 to 5 of a VGG network. If empty, or if a layer is in no
        block, the weights are the network's own.
      stochastic: Whether the value of a term from `build` is random.
      balance: The ratio of the weighted gradients of style and content at `images.strength=0.5` (`nst.strength`), the
        median over five pairs with the default weights; 0 if there is none, as gradients at the content are irregular.
      image_only: The reason why audio has no such loss; empty if it has.
    """

    form: LayerLoss | None = None
    build: Callable[..., Term] | None = None
    weight: float = 1.0
    layers: tuple[str, ...] = ()
    even: bool = False
    by_block: tuple[float, ...] = ()
    stochastic: bool = False
    balance: float = 0.0
    image_only: str = ""


#: Pairs of a layer's name and its comparison.
Forms = tuple[tuple[str, LayerLoss], ...]


def _build(inputs: Mapping[str, Input], *, style_loss: StyleLoss, **settings: Any) -> Term:
    if style_loss.form is None:
        assert style_loss.build is not None
        return style_loss.build(inputs, **settings)
    return by_layers(inputs, form=style_loss.form, **settings)


def by_layers(
    inputs: Mapping[str, Input],
    *,
    form: LayerLoss,
    style_layers: Sequence[str],
    style_layer_weights: Mapping[str, float] | None = None,
    dual_layers: Collection[str] | None = None,
    cropped: bool = True,
    **_: Any,
) -> Term:
    """Build the style term of a loss that compares layers one by one.

    Args:
      inputs: The target is taken from `inputs["style"]`; the masks of `inputs["content"]`, if any, are the region in
        which the image is compared.
      form: The comparison of each layer.
      style_layers: The layers to compare.
      style_layer_weights: w_l by layer, 1 / (number of layers) by default.
      dual_layers: The layers to compare in the dual form, if the loss has one. By default, with `dual_of_result` the
        layers in which the region has fewer positions than filters, otherwise none.
      cropped: Whether to crop a region to its bounding box, which takes less time but differs in shape between regions.
    """
    layers = tuple(style_layers)
    if form.least > 1:
        for each in inputs.values():
            check_positions(form, each.shapes(layers))
    weights = style_layer_weights or {layer: 1 / len(layers) for layer in layers}
    masks = inputs["content"].masks
    region = None if masks is None else {layer: _box(masks[layer], form, cropped) for layer in layers}
    if dual_layers is None:
        dual_layers = _few_positions(inputs["content"], layers, region) if form.dual_of_result else ()
    forms = tuple(
        (layer, form.dual if form.dual is not None and layer in dual_layers else form) for layer in layers
    )
    statistics, value, targets = _functions(forms)
    target = inputs["style"].measure(targets, layers)
    layer_weights = jax.device_put({layer: np.float32(weights[layer]) for layer in layers})
    additive = all(form.additive for _, form in forms)
    return Term(statistics, value, layers, target=(target, layer_weights), local=region, additive=additive)


def check_positions(form: LayerLoss, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise InputError if a style layer has fewer positions than the style loss needs.

    Args:
      form: The comparison of each layer.
      shapes: The shape of the features of each style layer, `[h, w, N]`.
    """
    for layer, (height, width, *_) in shapes.items():
        if min(height, width) < form.least:
            raise InputError(
                f"{layer} has {width}×{height} positions and this style loss needs {form.least}×{form.least}: "
                "take a larger size or shallower loss.style_layers"
            )


def _few_positions(source: Input, layers: tuple[str, ...], region: Mapping[str, Box] | None) -> list[str]:
    """Return the layers in which an input, or its region, has fewer positions than there are filters."""
    result = []
    for layer, (height, width, N) in source.shapes(layers).items():
        positions = height * width if region is None else region[layer].mask.size
        result += [layer] if positions < N else []
    return result


# Cached, so that equal terms have equal functions and share compiled programs.
@functools.cache
def _functions(forms: Forms) -> tuple[Callable, Callable, Callable]:
    def statistics(view: View, region: Mapping[str, Box] | None) -> dict[str, Pytree]:
        result = {}
        for i, (layer, form) in enumerate(forms):
            box = None if region is None else region[layer]
            arguments: list[Any] = [*_in_box(view.features[layer], view.mask(layer), box)]
            if form.stochastic:
                assert view.key is not None
                arguments.append(jax.random.fold_in(view.key, i))
            result[layer] = form.statistics(*arguments)
        return result

    def value(statistics: dict[str, Pytree], target: tuple[dict[str, Pytree], dict[str, Scalar]]) -> Scalar:
        targets, weights = target
        values = (weights[layer] * form.distance(statistics[layer], targets[layer]) for layer, form in forms)
        return sum(values, jnp.zeros(()))

    def targets(view: View, local: None) -> dict[str, Pytree]:
        return {
            layer: (form.target or form.statistics)(view.features[layer], view.mask(layer))
            for layer, form in forms
        }

    return statistics, value, targets


def _box(mask: Mask, form: LayerLoss, cropped: bool) -> Box:
    return bounding_box(mask, form.least) if cropped else whole(mask)


def _in_box(features: Array, mask: Mask | None, box: Box | None) -> tuple[Array, Mask | None]:
    """Return the features in a box, and the weight of each position; without a box, the arguments."""
    if box is None:
        return features, mask
    return crop(features, box), box.mask if mask is None else box.mask * crop(mask, box)


def _check(
    *, style_layers: Sequence[str], style_layer_weights: Mapping[str, float] | None = None, **_: Any
) -> None:
    if style_layer_weights and set(style_layer_weights) != set(style_layers):
        raise InputError(
            f"style_layer_weights names {sorted(style_layer_weights)}: name the style layers {list(style_layers)}"
        )


def _layers(*, style_layers: Sequence[str], **_: Any) -> tuple[str, ...]:
    return tuple(style_layers)


def _stochastic(*, style_loss: StyleLoss, **_: Any) -> bool:
    return style_loss.stochastic if style_loss.form is None else style_loss.form.stochastic


STYLE = Recipe(_build, layers=_layers, check=_check, stochastic=_stochastic, source="style")
