"""VGG-19 without its fully connected layers, as a Flax module.

Source: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
configuration E; average pooling as in Gatys, Ecker and Bethge, CVPR 2016, section 2.
"""

import functools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from nst.errors import InputError, unknown
from nst.features.convolution import CONVOLUTIONS, coarse_gradient, direct, pays, transform, winograd
from nst.features.weights import Preprocessing, Weights
from nst.types import Array, Features, Image

_CHANNELS = 3  # of a picture
_WIDTHS = (64, 128, 256, 512, 512)
_CONVOLUTIONS = (2, 2, 4, 4, 4)


def _layers() -> tuple[str, ...]:
    names = []
    for block, count in enumerate(_CONVOLUTIONS, start=1):
        names += [f"{kind}{block}_{i}" for i in range(1, count + 1) for kind in ("conv", "relu")]
        names.append(f"pool{block}")
    return tuple(names)


#: Every layer in the order of computation: `conv1_1`, `relu1_1`, …, `relu5_4`, `pool5`.
LAYERS = _layers()


def _corners(x: Array) -> tuple[Array, Array, Array, Array]:
    """The four values of each window, row by row: an odd last row or column falls away, as in Caffe and PyTorch.

    As slices, not as a sum over two axes of `[h // 2, 2, w // 2, 2, c]`: on a CPU that takes three times as long.
    """
    h, w = (n // 2 * 2 for n in x.shape[:2])
    return x[0:h:2, 0:w:2], x[0:h:2, 1:w:2], x[1:h:2, 0:w:2], x[1:h:2, 1:w:2]


def _average(x: Array) -> Array:
    return functools.reduce(jnp.add, _corners(x)) / 4


def _maximum(x: Array) -> Array:
    return functools.reduce(_first_maximum, _corners(x))


def _first_maximum(a: Array, b: Array) -> Array:
    """The larger; of two equal ones the first gets the gradient, as in PyTorch and Caffe. `max` would share it.

    Equal ones are common: wherever a picture is flat.
    """
    return jnp.where(a >= b, a, b)


def _l2(x: Array) -> Array:
    """The root of the mean square: like the average, it leaves a constant as it is."""
    mean_square = _average(jnp.square(x))
    positive = mean_square > 0
    # The gradient of a root at 0 is NaN, even where the other branch is taken.
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, mean_square, 1)), 0)


#: 2×2 poolings with stride 2, `[h, w, c]` to `[h // 2, w // 2, c]`. All are positively homogeneous channel by channel.
POOLINGS: dict[str, Callable[[Array], Array]] = {"avg": _average, "max": _maximum, "l2": _l2}

#: What stands around a picture or a feature map, by `jnp.pad`'s names.
PADDINGS = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}

#: What the products of convolutions are computed in: `mixed` is float32 for the features and bfloat16 for the gradient.
#: Their sums and all else are float32.
PRECISIONS = ("float32", "mixed", "bfloat16")


def check_layers(layers: Sequence[str]) -> None:
    """Raise InputError if a name is not one of `LAYERS`."""
    for layer in layers:
        if layer not in LAYERS:
            raise unknown("layer", layer, LAYERS)


def _reached(layers: Sequence[str]) -> tuple[str, ...]:
    """What has to be computed for `layers`."""
    return LAYERS[: 1 + max(map(LAYERS.index, layers), default=-1)]


class Convolution(nnx.Module):
    """The filters and biases of a 3×3 convolution; a frozen one may have its filters in Winograd's form instead."""

    def __init__(self, inputs: int, outputs: int):
        self.kernel = nnx.Param(jnp.zeros((3, 3, inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs))
        self.frozen = nnx.data(None)

    def __call__(self, x: jax.Array, padding: int = 0, *, mixed: bool = False) -> jax.Array:
        """`[h, w, c]` to `[h + 2 · padding − 2, w + 2 · padding − 2, n]`, with zeros around `x`.

        `mixed` computes the gradient by products of bfloat16.
        """
        if self.frozen is None:
            y = _convolve(direct, x, self.kernel[...], padding, mixed)
        else:
            y = _convolve(winograd, x, self.frozen[...], padding, mixed)
        return y + self.bias[...]


def _convolve(convolve: Any, x: jax.Array, filters: jax.Array, padding: int, mixed: bool) -> jax.Array:
    return coarse_gradient(convolve, x, filters, padding) if mixed else convolve(x, filters, padding)  # type: ignore[return-value]


class VGG19(nnx.Module):
    """The 16 convolutions and 5 poolings of VGG-19, with the preprocessing that belongs to the weights.

    A plain pytree under `jax.jit` and `jax.grad`: the weights are its leaves, the rest is structure.
    """

    def __init__(
        self, *, pooling: str, padding: str, convolution: str, precision: str, preprocessing: Preprocessing
    ):
        self.pooling = pooling
        self.padding = padding
        self.convolution = convolution
        self.precision = precision
        self.preprocessing = preprocessing
        previous = _CHANNELS
        for block, (count, width) in enumerate(zip(_CONVOLUTIONS, _WIDTHS, strict=True), start=1):
            for i in range(1, count + 1):
                setattr(self, f"conv{block}_{i}", Convolution(previous, width))
                previous = width

    def __call__(self, image: Image, layers: Sequence[str]) -> Features:
        """Compute the features of a picture, no deeper than the deepest layer asked for.

        Args:
          image: `[h, w, 3]`, RGB, sRGB-encoded, in [0, 1].
          layers: Names out of `LAYERS`: `conv4_2` is before the rectifier, `relu4_2` after it.

        Returns:
          From layer name to features `[h', w', c]`, float32; after `pool1` h' is `h // 2`, and so on.

        Raises:
          InputError: An unknown layer, or a picture too small for the deepest one.
        """
        self.check(image.shape[0], image.shape[1], layers)
        changes = self.convolution == "winograd" or self.precision == "bfloat16"
        network = self.freeze(layers) if changes else self
        x = self._preprocess(image)
        features = {}
        for layer in _reached(layers):
            x = network._layer(layer, x)
            if layer in layers:
                features[layer] = x
        return features

    def _layer(self, layer: str, x: Array) -> Array:
        if layer.startswith("relu"):
            return jax.nn.relu(x)
        if layer.startswith("pool"):
            return POOLINGS[self.pooling](x)
        # The pixels themselves are not rounded, nor their gradient: that would cost most and save least.
        mixed = self.precision == "mixed" and x.shape[2] != _CHANNELS
        convolution = partial(getattr(self, layer), mixed=mixed)
        if self.padding == "zeros":
            return convolution(x, 1)
        return convolution(jnp.pad(x, ((1, 1), (1, 1), (0, 0)), mode=PADDINGS[self.padding]), 0)

    def freeze(self, layers: Sequence[str]) -> "VGG19":
        """The same network, its filters transformed once for fast convolutions as far as `layers` need them.

        They are also brought to the precision that products are computed in. The filters themselves are given up,
        and get no gradient any more. What is not frozen before does the same whenever the network is called.
        """
        check_layers(layers)
        network = nnx.clone(self)
        for layer in filter(lambda name: name.startswith("conv"), _reached(layers)):
            convolution = getattr(network, layer)
            kernel = convolution.kernel
            if kernel is None:  # frozen before
                continue
            if self._gains(kernel.shape):
                convolution.frozen = nnx.Variable(transform(kernel[...]).astype(self._dtype(kernel.shape)))
                convolution.kernel = nnx.data(None)
            else:
                convolution.kernel = nnx.Param(kernel[...].astype(self._dtype(kernel.shape)))
        return network

    def _gains(self, shape: tuple[int, ...]) -> bool:
        return self.convolution == "winograd" or (self.convolution == "auto" and pays(shape))

    def _dtype(self, shape: tuple[int, ...]) -> Any:
        rounded = self.precision == "bfloat16" and shape[2] != _CHANNELS
        return jnp.bfloat16 if rounded else jnp.float32

    def _preprocess(self, image: Image) -> Array:
        order, scale, mean, std = self.preprocessing
        channels = jnp.array(["RGB".index(channel) for channel in order])
        return (image[..., channels] * scale - jnp.array(mean)) / jnp.array(std)

    def least_side(self, layers: Sequence[str]) -> int:
        """The shortest side, in pixels, of a picture that still has features in all `layers`."""
        check_layers(layers)
        reached = _reached(layers)
        poolings = [layer for layer in reached if layer.startswith("pool")]
        # A reflection needs a second pixel to reflect, except where nothing is convolved after the last pooling.
        reflects = self.padding == "reflect" and not (reached and reached[-1].startswith("pool"))
        return 2 ** (len(poolings) + reflects)

    def check(self, height: int, width: int, layers: Sequence[str]) -> None:
        """Raise InputError if a picture of this size is too small for one of `layers`."""
        least = self.least_side(layers)
        if min(height, width) < least:
            raise InputError(
                f"a picture of {width}×{height} pixels is too small for {max(layers, key=LAYERS.index)}: "
                f"its shorter side needs at least {least} pixels; take a larger size or shallower layers"
            )


def build(
    weights: Weights,
    *,
    pooling: str = "avg",
    padding: str = "zeros",
    convolution: str = "auto",
    precision: str = "float32",
) -> VGG19:
    """A VGG-19 with these weights.

    Args:
      weights: Kernels `[3, 3, in, out]` and biases `[out]` of all 16 convolutions, and their preprocessing.
      pooling: One of `POOLINGS`.
      padding: One of `PADDINGS`.
      convolution: One of `CONVOLUTIONS`; `auto` and `direct` differ only in what `freeze` does.
      precision: One of `PRECISIONS`.

    Raises:
      InputError: An unknown pooling, padding, convolution or precision.
    """
    if pooling not in POOLINGS:
        raise unknown("pooling", pooling, POOLINGS)
    if padding not in PADDINGS:
        raise unknown("padding", padding, PADDINGS)
    if convolution not in CONVOLUTIONS:
        raise unknown("convolution", convolution, CONVOLUTIONS)
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    settings = {"pooling": pooling, "padding": padding, "convolution": convolution, "precision": precision}
    network = nnx.eval_shape(lambda: VGG19(**settings, preprocessing=weights.preprocessing))
    nnx.update(network, jax.tree.map(jnp.asarray, weights.parameters))
    return network
