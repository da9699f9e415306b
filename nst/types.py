"""Names of array types. Shapes are checked by jaxtyping and beartype in the tests."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float

Array = jax.Array | np.ndarray

#: An image: RGB, sRGB-encoded, in [0, 1], without a batch axis. Audio is [1, frames, channels].
Image = Float[Array, "_ _ _"]

#: From layer name (`relu4_2`) to what the network computes there, `[h', w', c']`.
Features = dict[str, Float[Array, "_ _ _"]]

#: Any pytree of arrays.
Pytree = Any

#: What a term compares: a pytree of its own choosing, for style losses by layer name.
Statistics = Pytree

#: Values by name, such as the fields of a config by their dotted names, or an object of a JSON file.
Values = Mapping[str, Any]

#: Settings of the loss by name, as in the group `loss` of a config.
Settings = Values

#: Settings that change nothing.
NO_CHANGES: Settings = MappingProxyType({})

#: The weight of each position: 1 inside, 0 in a halo or outside a region, `[h', w']`.
Mask = Float[Array, "_ _"]

Scalar = Float[Array, ""]

#: One number, or one for each of several problems in lock-step.
Scalars = Float[Array, "..."]


@runtime_checkable
class Extractor(Protocol):
    """A feature extractor: a pytree whose leaves are the weights of a network.

    It owns its preprocessing. Code outside `nst.features` names this protocol and no network.
    """

    def __call__(self, x: Array, /, layers: Sequence[str], reference: Features | None = None) -> Features:
        """Compute features, no deeper than the deepest layer asked for.

        Args:
          x: `[h, w, 3]`, RGB, sRGB-encoded, in [0, 1]; for audio see `nst.audio.AudioFeatures`.
          layers: Names of layers.
          reference: `self.reference` of a nearby image of the same size: only the difference to it is rounded.

        Returns:
          From layer name to features `[h', w', c]`, float32.
        """
        ...

    def reference(self, x: Array, /, layers: Sequence[str]) -> Features:
        """Compute what rounded features of nearby images start from; empty where nothing is rounded."""
        ...

    def freeze(self, layers: Sequence[str]) -> "Extractor":
        """Return the extractor prepared for many calls with `layers`; its weights get no gradient any more."""
        ...


@runtime_checkable
class Layered(Protocol):
    """The layers of a network, known before any weights are loaded."""

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers in the order of computation."""
        ...

    @property
    def content_layers(self) -> tuple[str, ...]:
        """The layers that content is compared in unless a loss names others."""
        ...

    @property
    def style_layers(self) -> tuple[str, ...]:
        """The layers that style is compared in unless a loss names others."""
        ...

    def layer_weights(self, layers: Sequence[str], /) -> tuple[float, ...]:
        """Return weights of style layers, which sum to 1, for a loss that names none."""
        ...


@runtime_checkable
class Network(Extractor, Layered, Protocol):
    """An extractor of images, with the geometry of its layers."""

    def freeze(self, layers: Sequence[str]) -> "Network":
        """Return the network prepared for many calls with `layers`; its weights get no gradient any more."""
        ...

    def check(self, size: tuple[int, int], layers: Sequence[str]) -> None:
        """Raise InputError if a layer is unknown or an image of `size` (height, width) is too small for it."""
        ...

    def shapes(self, size: tuple[int, int], layers: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        """Return the shape `[h', w', c]` of each layer for an image of `size`; nothing is computed."""
        ...

    def least_size(self, layers: Sequence[str]) -> int:
        """Return the shortest side, in pixels, of an image that has features in all `layers`."""
        ...

    def stride(self, layer: str) -> int:
        """Return the distance in pixels between neighboring positions of a layer."""
        ...

    def halo(self, layers: Sequence[str]) -> int:
        """Return how many pixels beyond a position's own the deepest of `layers` sees, to each side."""
        ...

    def activations(self, size: tuple[int, int], layers: Sequence[str]) -> int:
        """Return how many values a gradient through `layers` keeps for an image of `size`."""
        ...
