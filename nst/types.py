"""Array types and protocols. The tests check shapes by jaxtyping and beartype."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float

Array = jax.Array | np.ndarray

#: An image `[h, w, 3]`: RGB, sRGB-encoded, in [0, 1], without a batch axis.
Image = Float[Array, "_ _ _"]


class Audio(NamedTuple):
    """Audio in memory: float32 samples `[n, channels]` and their rate in Hz.

    Full scale is ±1; files of floats may exceed it. One channel is mono, two are left and right.
    """

    samples: np.ndarray
    rate: int


#: Features `[h', w', c']` by layer name, such as `relu4_2`; those of audio are `[1, frames, filters]`.
Features = dict[str, Float[Array, "_ _ _"]]

#: Any pytree of arrays.
Pytree = Any

#: The statistics that a term compares: any pytree; of style losses a dict by layer name.
Statistics = Pytree

#: Values by name, such as the fields of a config by their dotted names, or an object of a JSON file.
Values = Mapping[str, Any]

#: Settings of the loss by name, as in the group `loss` of a config.
Settings = Values

#: No settings: all defaults apply.
NO_CHANGES: Settings = MappingProxyType({})

#: The weight of each position: 1 inside, 0 in a halo or outside a region, `[h', w']`.
Mask = Float[Array, "_ _"]


class Style(NamedTuple):
    """A style image, how much it counts, and where. Styles of audio have a weight only.

    Attributes:
      image: `[h, w, 3]`, or `[h, w, 4]` with alpha, whose transparent part does not count; of audio, its samples.
      weight: Its weight among the styles of a transfer; only the ratio of weights matters.
      scale: Longest side of the style image, in units of what it would be otherwise.
      mask: `[h, w]`, the part of the style image that counts, of any size with its aspect; None for all of it.
      content_mask: `[h', w']`, the region of the result that gets this style, of any size with the aspect of the
        content; None for all of it.
    """

    image: Array
    weight: float = 1.0
    scale: float = 1.0
    mask: Mask | None = None
    content_mask: Mask | None = None


Scalar = Float[Array, ""]

#: One number, or one for each of several batched trials.
Scalars = Float[Array, "..."]


@runtime_checkable
class Extractor(Protocol):
    """A feature extractor: a pytree whose leaves are the weights of a network.

    The preprocessing is part of it. Code outside `nst.features` depends on this protocol, not on a network.
    """

    def __call__(self, x: Array, /, layers: Sequence[str], reference: Features | None = None) -> Features:
        """Compute features; no layer deeper than the requested ones is computed.

        Args:
          x: `[h, w, 3]`, RGB, sRGB-encoded, in [0, 1]; for audio see `nst.transfer.audio.AudioFeatures`.
          layers: Names of layers.
          reference: `self.reference` of a nearby image of the same size. An extractor of reduced precision rounds only
            the difference from it.

        Returns:
          Features `[h', w', c]` by layer name, float32.
        """
        ...

    def reference(self, x: Array, /, layers: Sequence[str]) -> Features:
        """Compute the reference for features of nearby images; empty if the extractor computes in full float32."""
        ...

    def freeze(self, layers: Sequence[str]) -> "Extractor":
        """Return the extractor prepared for many calls with `layers`; its weights no longer get a gradient."""
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
        """The layers of the content loss, unless a loss names others."""
        ...

    @property
    def style_layers(self) -> tuple[str, ...]:
        """The layers of the style loss, unless a loss names others."""
        ...

    def layer_weights(self, layers: Sequence[str], /) -> tuple[float, ...]:
        """Return weights of style layers, which sum to 1, for a loss that does not set them."""
        ...


@runtime_checkable
class Network(Extractor, Layered, Protocol):
    """An extractor of images, with the geometry of its layers."""

    def freeze(self, layers: Sequence[str]) -> "Network":
        """Return the network prepared for many calls with `layers`; its weights no longer get a gradient."""
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
        """Return the margin, in pixels, of the receptive field of the deepest of `layers`.

        A position of a layer stands for `stride` × `stride` pixels; its receptive field extends beyond these by the
        margin on each side.
        """
        ...

    def activations(self, size: tuple[int, int], layers: Sequence[str]) -> int:
        """Return the number of values that a gradient through `layers` keeps in memory for an image of `size`."""
        ...
