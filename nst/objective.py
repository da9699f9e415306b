"""The objective: a weighted sum of terms (Gatys, Ecker and Bethge, CVPR 2016, equation 7)."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst import losses
from nst.laplacian import coefficients, reconstruct
from nst.losses import Input, Recipe, Term, View
from nst.types import Array, Extractor, Features, Mask, Network, Pytree, Scalar, Settings


class Composition(NamedTuple):
    """The part of the image that is not optimized, and its image.

    Attributes:
      mask: `[h, w]`, 1 where `image` is shown, 0 where the parameters are.
      image: `[h, w, 3]`, the image that is kept.
    """

    mask: Mask
    image: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Objective:
    """Everything that the loss depends on, except the parameters.

    A pytree: network weights, targets and the weights of terms are its leaves; the terms and their functions are its
    structure. Objectives of one structure share a compilation.

    Attributes:
      extractor: The network that computes the features for all terms.
      terms: The terms by name.
      parameters: The parameterization of the image, one of `PARAMETERS`.
      reference: `Extractor.reference` of a nearby image; empty if features are computed in float32.
      composition: The part of the image that is not optimized; None if there is none.
      masks: The part of the image that counts for all terms, as in `View`; None for all of it.
    """

    extractor: Extractor
    terms: dict[str, Term]
    parameters: str = field(default="pixels", metadata={"static": True})
    reference: Pytree = field(default_factory=dict)  # features by layer, or those of stacked trials
    composition: Composition | None = None
    masks: Pytree = None  # masks by layer, or those of stacked trials

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the terms read, each once."""
        return tuple(dict.fromkeys(layer for term in self.terms.values() for layer in term.layers))

    def image(self, params: Pytree, batch: Pytree = None) -> Array:
        """Return the image that the terms see, from the parameters."""
        image = PARAMETERS[self.parameters].image(params)
        if self.composition is None:
            return image
        mask = self.composition.mask[..., None]
        return mask * self.composition.image + (1 - mask) * image


class Parameters(NamedTuple):
    """A parameterization: `of(image)` returns the parameters of an image, `image(parameters)` the image."""

    of: Callable[[Array], Pytree]
    image: Callable[[Pytree], Array]


def _same(image: Array) -> Array:
    return image


#: Parameterizations of an image, by name.
PARAMETERS = {
    "pixels": Parameters(_same, _same),
    "laplacian": Parameters(coefficients, reconstruct),
}


def objective(
    extractor: Extractor, inputs: Mapping[str, Array], settings: Settings, parameters: str = "pixels"
) -> Objective:
    """Build the terms whose weight is not 0 and compute their targets, once per scale.

    Args:
      extractor: The network that computes the features of all inputs.
      inputs: The inputs by name, in the extractor's form: `content`, of the size of the result, and `style`, of any
        size.
      settings: Settings of the loss, by the names of the config's group `loss`: the weight of each term
        (`content_weight`, α; `style_weight`, β; …) and the settings of the terms (see `nst.losses`).
      parameters: The parameterization of the image, one of `PARAMETERS`.

    Raises:
      InputError: A setting can't be used, or an image is too small for a layer.
    """
    settings = losses.checked(settings)
    sources = {name: Input(extractor, image) for name, image in inputs.items()}
    terms = {
        name: term_of(name, recipe, sources, settings) for name, recipe in losses.active(settings).items()
    }
    return Objective(extractor, terms, parameters)


def term_of(
    name: str, recipe: Recipe, sources: Mapping[str, Input], settings: Settings, share: float = 1.0
) -> Term:
    """Build a term by its recipe.

    Args:
      name: The name of the term in `nst.losses.TERMS`.
      recipe: Its recipe.
      sources: The inputs by name.
      settings: The settings that `nst.losses.checked` returns.
      share: The factor of its weight in the settings.
    """
    weight = jax.device_put(np.float32(settings[f"{name}_weight"] * share))
    return replace(recipe.build(sources, **settings), weight=weight)


def numbered(name: str, terms: Sequence[Term]) -> dict[str, Term]:
    """Return the terms of several styles by name: `style_1`, `style_2`, …; a single term is called `name`."""
    if len(terms) == 1:
        return {name: terms[0]}
    return {f"{name}_{number}": term for number, term in enumerate(terms, 1)}


def refreshed(objective: Objective, params: Pytree) -> Objective:
    """Return the objective with a new reference; for extractors that compute in reduced precision.

    Args:
      objective: The objective.
      params: Parameters of the image to take as the reference.
    """
    image = objective.image(params)
    return replace(objective, reference=reference(objective.extractor, image, objective.layers))


def rounds(extractor: Network, layers: Sequence[str]) -> bool:
    """Return whether features of `layers` are computed in reduced precision, so that an objective needs a reference."""
    side = extractor.least_size(layers)
    image = jax.ShapeDtypeStruct((side, side, 3), jnp.float32)
    return bool(reference.eval_shape(extractor, image, tuple(layers)))


@partial(jax.jit, static_argnums=2)
def reference(extractor: Extractor, image: Array, layers: tuple[str, ...]) -> Features:
    """Return `extractor.reference`, compiled once for each size."""
    return extractor.reference(image, layers)


def loss(params: Pytree, objective: Objective, batch: Pytree = None) -> tuple[Scalar, dict[str, Scalar]]:
    """Return the weighted sum of all terms.

    Args:
      params: The parameters, such as pixels `[h, w, 3]`; not constrained to [0, 1].
      objective: The terms with their targets and weights.
      batch: The random key of this step, or None if no term is stochastic.

    Returns:
      The sum, and the weighted value of each term by name.
    """
    image = objective.image(params, batch)
    features = objective.extractor(image, objective.layers, reference=objective.reference)
    values = {}
    for name, term in objective.terms.items():
        key = None if batch is None else _key_of(name, batch)
        view = View(image, features, objective.masks, key)
        values[name] = term.weight * term.value(term.statistics(view, term.local), term.target)
    return sum(values.values(), jnp.zeros(())), values


def _key_of(name: str, key: jax.Array) -> jax.Array:
    """Return the random key of a term; it does not depend on which other terms there are."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()))
