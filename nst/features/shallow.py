"""One layer of random filters of several sizes, each rectified: a network that needs no weights.

Source: Ustyuzhaninov, Brendel, Gatys and Bethge, Texture Synthesis Using Shallow Convolutional Networks with Random
Filters, 2016, arXiv 1606.00021, the multi-scale model.
"""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nst.errors import InputError
from nst.features.common import (
    PADDINGS,
    as_floats,
    check_choice,
    check_names,
    check_size,
    inverse_square,
    pad,
    preprocess,
)
from nst.features.rectifier import relu
from nst.features.weights import TORCHVISION
from nst.types import Array, Features, Image

#: Sides of the filters, in pixels.
SIZES = (3, 5, 7, 11, 15, 23, 37, 55)

#: Filters of each size.
FILTERS = 128

#: The mean of a rectified activation. With it the terms of the loss have about the same ratio as with VGG-19, for whose
#: original weights the default weights of the loss are chosen.
MEAN = 1.0

LAYERS = tuple(f"{kind}{size}" for size in SIZES for kind in ("conv", "relu"))


class Shallow(nnx.Module):
    """Random filters of 3×3 to 55×55 pixels side by side on the image, each followed by a rectifier.

    The article compares one Gram matrix of all 1024 filters; here each size is a layer with its own, as for any other
    network. The article draws filters by Glorot and Bengio's rule, whose small variance suits its weight of the loss;
    here they are scaled, see `kernel`.
    """

    layers: tuple[str, ...] = LAYERS
    # 128 rectified filters of any size keep content recognizable: results with relu7 and relu15 hardly differ. Filters
    # of 7×7 are cheap, and larger than the detail that fine style has to change.
    content_layers: tuple[str, ...] = ("relu7",)
    style_layers: tuple[str, ...] = tuple(f"relu{size}" for size in SIZES)

    def __init__(self, *, padding: str, seed: int):
        self.padding = padding
        for size in SIZES:
            setattr(self, f"conv{size}", nnx.Param(jax.device_put(kernel(size, seed))))

    def __call__(self, x: Array, layers: Sequence[str], reference: Features | None = None) -> Features:
        """Compute the features of an image.

        Args:
          x: `[h, w, 3]`, RGB, sRGB-encoded, in [0, 1].
          layers: Some of `LAYERS`: `conv7` is before the rectifier, `relu7` after it.
          reference: Not used, as all products are computed in float32.

        Returns:
          Features `[h, w, 128]` by layer.

        Raises:
          InputError: An array that is no image, an unknown layer, or an image too small for the largest filter.
        """
        x = as_floats(x)
        self.check((x.shape[0], x.shape[1]), layers)
        y, features = preprocess(x, TORCHVISION), {}
        for layer in filter(layers.__contains__, LAYERS):
            conv = f"conv{_size(layer)}"
            features[conv] = features[conv] if conv in features else self._convolution(conv, y)
            if layer != conv:
                features[layer] = relu(features[conv])
        return {layer: features[layer] for layer in layers}

    def reference(self, x: Image, layers: Sequence[str]) -> Features:
        """Return an empty dict, as all products are computed in float32."""
        return {}

    def _convolution(self, conv: str, x: Array) -> jax.Array:
        margin = _size(conv) // 2
        if self.padding != "zeros":
            x, margin = pad(x, margin, self.padding), 0
        y = jax.lax.conv_general_dilated(
            jnp.asarray(x)[None],
            getattr(self, conv)[...],
            (1, 1),
            [(margin, margin)] * 2,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            precision=jax.lax.Precision.HIGHEST,
        )
        return y[0]

    def freeze(self, layers: Sequence[str]) -> "Shallow":
        """Return the network with only the filters that `layers` need."""
        self._check(layers)
        network, needed = nnx.clone(self), {_size(layer) for layer in layers}
        for size in SIZES:
            if size not in needed:
                setattr(network, f"conv{size}", nnx.data(None))
        return network

    def check(self, size: tuple[int, int], layers: Sequence[str]) -> None:
        """Raise InputError if `layers` are unknown, dropped by `freeze`, or too large for an image of `size`.

        `size` is the height and width of an image.
        """
        self._check(layers)
        if layers:
            check_size(size, self.least_size(layers), max(layers, key=_size))

    def _check(self, layers: Sequence[str]) -> None:
        check_names(layers, LAYERS)
        for layer in layers:
            if getattr(self, f"conv{_size(layer)}") is None:
                raise InputError(
                    f"the network was frozen without {layer}: freeze the original network for the layers you need"
                )

    def shapes(self, size: tuple[int, int], layers: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        """Return the shape `[h, w, 128]` of each layer for an image of `size`."""
        check_names(layers, LAYERS)
        return dict.fromkeys(layers, (*size, FILTERS))

    def least_size(self, layers: Sequence[str]) -> int:
        """Return the shortest side, in pixels, of an image that has features in all `layers`."""
        margin = self.halo(layers)
        return (
            1 + margin if self.padding == "reflect" else 1
        )  # a reflection needs as many other pixels as it adds

    def layer_weights(self, layers: Sequence[str]) -> tuple[float, ...]:
        """Return equal weights of style layers: all have the same number of filters."""
        check_names(layers, LAYERS)
        return inverse_square(dict.fromkeys(LAYERS, FILTERS), layers)

    def stride(self, layer: str) -> int:
        """Return the distance in pixels between neighboring positions of a layer."""
        check_names([layer], LAYERS)
        return 1

    def halo(self, layers: Sequence[str]) -> int:
        """Return how many pixels the largest filters of `layers` reach beyond their center on each side."""
        check_names(layers, LAYERS)
        return max((_size(layer) // 2 for layer in layers), default=0)

    def activations(self, size: tuple[int, int], layers: Sequence[str]) -> int:
        """Return the number of values that a gradient through `layers` keeps for an image of `size`."""
        return sum(math.prod(shape) for shape in self.shapes(size, layers).values())


def _size(layer: str) -> int:
    return int(layer[4:])  # of `conv7`, `relu55`


def kernel(size: int, seed: int) -> np.ndarray:
    """Draw the filters `[size, size, 3, 128]` of one size: uniform, without bias, the same on every platform.

    The article's bound is Glorot's, √(6/(size² · (3 + 128))). Here the bound gives a rectified activation a mean of
    `MEAN` if the input has a mean square of 1, to which `TORCHVISION` brings photographs. The mean of a rectified
    normal variable is its deviation over √(2π). The mean square of a response is that of the input times 3 · size²
    times the variance of the filters, which is a third of the square of their bound.
    """
    bound = MEAN * math.sqrt(3 * 2 * math.pi / (3 * size**2))
    # A seed for each size, so that the filters of one size do not depend on the other sizes.
    values = np.random.default_rng([seed, size]).uniform(-bound, bound, (size, size, 3, FILTERS))
    return values.astype(np.float32)


def build(*, padding: str = "zeros", seed: int = 0) -> Shallow:
    """Build the network; `padding` is one of `PADDINGS`, `seed` the seed of the filters."""
    check_choice("padding", padding, PADDINGS)
    return Shallow(padding=padding, seed=seed)
