"""What the arrays are called. Shapes are checked by jaxtyping and beartype in the tests."""

from collections.abc import Sequence
from typing import Any, Protocol, Self, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float

Array = jax.Array | np.ndarray

#: A picture: RGB, sRGB-encoded, in [0, 1], without a batch axis. Sounds come as [1, frames, channels].
Image = Float[Array, "_ _ _"]

#: From layer name (`relu4_2`) to what the network computes there, `[h', w', c']`.
Features = dict[str, Float[Array, "_ _ _"]]

#: From layer name to the statistics that a style loss compares there (a pytree of its own choosing).
Statistics = dict[str, Any]

#: Where features count: 1 inside, 0 in a halo or a masked region, `[h', w']`.
Weight = Float[Array, "_ _"]

Scalar = Float[Array, ""]

#: One number, or one for each of several problems in lock-step.
Scalars = Float[Array, "..."]


@runtime_checkable
class Extractor(Protocol):
    """A network that terms see an image through: a pytree whose leaves are its weights.

    It owns its preprocessing. Code outside `nst.features` names this protocol and no network.
    """

    #: All layers in the order of computation.
    layers: tuple[str, ...]

    #: The layers that a loss uses unless it names others.
    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]

    def __call__(self, x: Array, layers: Sequence[str], reference: Features | None = None) -> Features:
        """Compute features, no deeper than the deepest layer asked for.

        Args:
          x: `[h, w, 3]`, RGB, sRGB-encoded, in [0, 1].
          layers: Some of `self.layers`.
          reference: `self.reference` of a nearby image of the same size: only the difference to it is rounded.

        Returns:
          From layer name to features `[h', w', c]`, float32.
        """
        ...

    def reference(self, x: Array, layers: Sequence[str]) -> Features:
        """Compute what rounded features of nearby images start from; empty where nothing is rounded."""
        ...

    def freeze(self, layers: Sequence[str]) -> Self:
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
