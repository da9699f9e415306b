"""A term of the loss: statistics of an image, and a value of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from nst.types import Array, Extractor, Features, Mask, Pytree, Scalar, Statistics


class View(NamedTuple):
    """All that a term sees of an image.

    Attributes:
      image: `[h, w, 3]`, or another input of the extractor.
      features: Features by layer; they are computed once for all terms.
      masks: The weight of each position by layer, `[h', w']`, if only a part of the image counts; the mask of the
        image itself has the name `image`. None counts every position once.
      key: A random key that differs by step and term; None unless a term is stochastic.
    """

    image: Array
    features: Features
    masks: Mapping[str, Mask] | None = None
    key: jax.Array | None = None

    def mask(self, layer: str) -> Mask | None:
        """Return the mask of a layer, or None."""
        return None if self.masks is None else self.masks[layer]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Term:
    """One weighted term of the loss. A pytree: another target or weight never recompiles.

    Its functions are part of the key of compiled programs: define them once, in a module. New functions recompile.

    Attributes:
      statistics: `statistics(view, local)` gives a pytree. If the term is additive, the statistics of two parts of
        one image add up to those of the whole.
      value: `value(statistics, target)` gives a scalar.
      layers: The layers that `statistics` reads from the view.
      target: The statistics that `value` compares with.
      local: Data for each position of the image that `statistics` takes, such as the features of the content.
      weight: The factor of the value.
      additive: Whether an image can be evaluated in parts.
    """

    statistics: Callable[[View, Pytree], Statistics] = field(metadata={"static": True})
    value: Callable[[Statistics, Pytree], Scalar] = field(metadata={"static": True})
    layers: tuple[str, ...] = field(default=(), metadata={"static": True})
    target: Pytree = None
    local: Pytree = None
    weight: Pytree = field(
        default_factory=lambda: np.float32(1)
    )  # a scalar, or one for each of stacked terms
    additive: bool = field(default=True, metadata={"static": True})


class Input(NamedTuple):
    """An input of the run, such as the style image, from which a term takes its target.

    Attributes:
      extractor: The network.
      image: The input in the extractor's form.
      masks: The weight of each position by layer, as in `View`. Those of the content are the region of the result in
        which a style term applies.
    """

    extractor: Extractor
    image: Array
    masks: Mapping[str, Mask] | None = None

    def measure(
        self, statistics: Callable[[View, Pytree], Statistics], layers: tuple[str, ...]
    ) -> Statistics:
        """Return `statistics` of the input, which read `layers`; compiled once for each size."""
        return _measure(statistics, layers, self.extractor, self.image, self.masks)

    def shapes(self, layers: Sequence[str]) -> dict[str, tuple[int, ...]]:
        """Return the shape of each layer's features; nothing is computed."""
        features = jax.eval_shape(lambda image: self.extractor(image, tuple(layers)), self.image)
        return {layer: F.shape for layer, F in features.items()}


@partial(jax.jit, static_argnums=(0, 1))
def _measure(
    statistics: Callable[[View, Pytree], Statistics],
    layers: tuple[str, ...],
    extractor: Extractor,
    image: Array,
    masks: Mapping[str, Mask] | None,
) -> Statistics:
    return statistics(View(image, extractor(image, layers), masks), None)


def _no_layers(**settings: Any) -> tuple[str, ...]:
    return ()


def _accept(**settings: Any) -> None:
    return None


def _never(**settings: Any) -> bool:
    return False


class Recipe(NamedTuple):
    """A recipe for a term: how to build it from the inputs and the settings of the loss.

    Each function takes all settings of the loss as keyword arguments and reads those it needs.

    Attributes:
      build: `build(inputs, **settings)` gives the term, its weight left at 1; `inputs` is a mapping from name
        (`content`, `style`) to `Input`.
      layers: Returns the layers that the term reads.
      check: Raises InputError for settings that `build` could not use.
      stochastic: Returns whether the value is random, so that each step needs a key.
      source: The input that the target is taken from; empty if there is none.
    """

    build: Callable[..., Term]
    layers: Callable[..., tuple[str, ...]] = _no_layers
    check: Callable[..., None] = _accept
    stochastic: Callable[..., bool] = _never
    source: str = ""
