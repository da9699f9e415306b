"""VGG-19 without its fully connected layers, as a Flax module.

Source: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
configuration E; average pooling as in Gatys, Ecker and Bethge, CVPR 2016, section 2.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from nst.errors import InputError, unknown
from nst.features.convolution import CONVOLUTIONS, direct, formed, pays, transform, winograd
from nst.features.pooling import POOLINGS
from nst.features.rectifier import relu
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


#: What stands around a picture or a feature map, by `jnp.pad`'s names.
PADDINGS = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}

#: What the products of convolutions are computed in. `bfloat16` rounds the factors of the gradient, and of what
#: features change by from those of a picture near by; sums and all else are float32.
PRECISIONS = ("float32", "bfloat16")


def _least_rounded() -> int:
    """Channels from which on rounding pays: on a CPU transforms take the time of narrow layers, not products."""
    return 128 if jax.default_backend() == "cpu" else 64  # docs/performance.md


def check_layers(layers: Sequence[str]) -> None:
    """Raise InputError if a name is not one of `LAYERS`."""
    for layer in layers:
        if layer not in LAYERS:
            raise unknown("layer", layer, LAYERS)


def _reached(layers: Sequence[str]) -> tuple[str, ...]:
    """What has to be computed for `layers`."""
    return LAYERS[: 1 + max(map(LAYERS.index, layers), default=-1)]


class Convolution(nnx.Module):
    """The filters and biases of a 3×3 convolution; once frozen, also or only in the form that products take."""

    def __init__(self, inputs: int, outputs: int):
        self.inputs, self.outputs = inputs, outputs
        self.kernel: Any = nnx.Param(jnp.zeros((3, 3, inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs))
        self.frozen: Any = nnx.data(None)
        self.rounded: Any = nnx.data(None)

    def __call__(self, x: jax.Array, padding: int = 0) -> jax.Array:
        """`[h, w, c]` to `[h + 2 · padding − 2, w + 2 · padding − 2, n]`, with zeros around `x`."""
        return _convolve(x, self.kernel if self.frozen is None else self.frozen, padding) + self.bias[...]

    def change(self, dx: jax.Array, padding: int = 0) -> jax.Array:
        """What the output changes by if the input does by `dx`, by products of bfloat16."""
        return _convolve(dx, self.rounded, padding)


def _convolve(x: jax.Array, filters: Any, padding: int) -> jax.Array:
    transformed = filters.ndim == 3
    return (winograd if transformed else direct)(x, filters[...], padding)


class VGG19(nnx.Module):
    """The 16 convolutions and 5 poolings of VGG-19, with the preprocessing that belongs to the weights.

    A plain pytree under `jax.jit` and `jax.grad`: the weights are its leaves, the rest is structure.
    """

    layers = LAYERS
    content_layers = ("relu4_2",)
    style_layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")

    def stride(self, layer):
        return 1

    def halo(self, layers):
        return 1

    def shapes(self, size, layers):
        return {l: self.shape(l, *size) for l in layers}

    def activations(self, size, layers):
        return 1

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

    def __call__(self, image: Image, layers: Sequence[str], reference: Features | None = None) -> Features:
        """Compute the features of a picture, no deeper than the deepest layer asked for.

        Args:
          image: `[h, w, 3]`, RGB, sRGB-encoded, in [0, 1].
          layers: Names out of `LAYERS`: `conv4_2` is before the rectifier, `relu4_2` after it.
          near: `reference` of a picture of this size that differs little, or nothing: what it gives in float32 is
            nothing. In bfloat16 only the change from there is rounded; without one, nothing is.

        Returns:
          From layer name to features `[h', w', c]`, float32; after `pool1` h' is `h // 2`, and so on.

        Raises:
          InputError: An unknown layer, or a picture too small for the deepest one.
        """
        self.check(image.shape[:2], layers)
        near = reference or {}
        x, known = self._preprocess(image), None
        features = {}
        for layer in _reached(layers):
            if layer.startswith("conv"):
                x = (
                    self._convolution(layer, x)
                    if known is None
                    else near[layer] + self._change(layer, x - known)
                )
                known = near.get(layer)
            else:
                x = self._apply(layer, x)
                known = None if known is None else self._apply(layer, known)
            if layer in layers:
                features[layer] = x
        return features

    def reference(self, image: Image, layers: Sequence[str]) -> Features:
        """The convolutions of a picture, exactly, as far as features of pictures near it are computed from them.

        A rounded product is off by half a percent, and what is minimised late in a descent is the small difference of
        large statistics (docs/performance.md). So what is rounded is the change from a picture of some steps before:
        rounding is in proportion to how far the pictures are from each other.

        Args:
          image: `[h, w, 3]`.
          layers: Those that will be asked for.

        Returns:
          `near` of a call: by layer name, from the one before the first that is rounded. Nothing in float32.
        """
        convolutions = [layer for layer in _reached(layers) if layer.startswith("conv")]
        rounded = [i for i, layer in enumerate(convolutions) if self._rounds(getattr(self, layer))]
        return self(image, convolutions[rounded[0] - 1 :]) if rounded else {}

    def _convolution(self, layer: str, x: Array) -> Array:
        convolution = getattr(self, layer)
        # With `auto` in float32 it pays only once frozen.
        asked = self.convolution == "winograd" or self.precision == "bfloat16"
        if convolution.frozen is None and asked and self._gains(convolution):
            convolution = nnx.clone(convolution)
            # XLA would transform the filters of all layers at the start, 200 MiB: these depend on what they are for.
            convolution.frozen = nnx.Variable(transform(convolution.kernel[...] + 0 * x[0, 0, 0]))
        return convolution(*self._padded(x))

    def _change(self, layer: str, dx: Array) -> Array:
        convolution = getattr(self, layer)
        if convolution.rounded is None:
            convolution = nnx.clone(convolution)
            convolution.rounded = nnx.Variable(*self._filters([convolution]))
        return convolution.change(*self._padded(dx))

    def _padded(self, x: Array) -> tuple[Array, int]:
        """Zeros around it are left to the convolution."""
        if self.padding == "zeros":
            return x, 1
        return jnp.pad(x, ((1, 1), (1, 1), (0, 0)), mode=PADDINGS[self.padding]), 0

    def _apply(self, layer: str, x: Array) -> Array:
        return relu(x) if layer.startswith("relu") else POOLINGS[self.pooling](x)

    def freeze(self, layers: Sequence[str]) -> "VGG19":
        """The same network, its filters transformed once for fast convolutions as far as `layers` need them.

        The filters themselves are given up where nothing needs them, as are deeper layers, and get no gradient any
        more. What is not frozen before does the same whenever the network is called.
        """
        self._check_depth(layers)
        network, reached = nnx.clone(self), _reached(layers)
        unfrozen: list[Convolution] = []
        for layer in filter(lambda name: name.startswith("conv"), LAYERS):
            convolution = getattr(network, layer)
            if layer not in reached:
                setattr(network, layer, nnx.data(None))
            elif (convolution.rounded if self._rounds(convolution) else convolution.frozen) is None:
                unfrozen.append(convolution)
        for convolution, filters in zip(unfrozen, self._filters(unfrozen), strict=True):
            if self._rounds(convolution):  # references are computed from the filters themselves
                convolution.rounded = nnx.Variable(filters)
            elif self._gains(convolution):
                convolution.frozen = nnx.Variable(filters)
                convolution.kernel = nnx.data(None)
        return network

    def _filters(self, convolutions: Sequence[Convolution]) -> list[jax.Array]:
        """In the form that products take, all by one program: one for each shape takes twice the time to begin."""
        forms = tuple((self._gains(convolution), self._rounds(convolution)) for convolution in convolutions)
        return formed([convolution.kernel[...] for convolution in convolutions], forms)

    def _gains(self, convolution: Convolution) -> bool:
        shape = 3, 3, convolution.inputs, convolution.outputs
        return self.convolution == "winograd" or (self.convolution == "auto" and pays(shape))

    def _rounds(self, convolution: Convolution) -> bool:
        return self.precision == "bfloat16" and convolution.inputs >= _least_rounded()

    def _preprocess(self, image: Image) -> Array:
        order, scale, mean, std = self.preprocessing
        channels = jnp.array(["RGB".index(channel) for channel in order])
        return (image[..., channels] * scale - jnp.array(mean)) / jnp.array(std)

    def least_size(self, layers: Sequence[str]) -> int:
        """The shortest side, in pixels, of a picture that still has features in all `layers`."""
        check_layers(layers)
        reached = _reached(layers)
        poolings = [layer for layer in reached if layer.startswith("pool")]
        # A reflection needs a second pixel to reflect, except where nothing is convolved after the last pooling.
        reflects = self.padding == "reflect" and not (reached and reached[-1].startswith("pool"))
        return 2 ** (len(poolings) + reflects)

    def shape(self, layer: str, height: int, width: int) -> tuple[int, int, int]:
        """The shape `[h', w', c]` of a picture's features in a layer; none is computed."""
        check_layers([layer])
        block = int(layer[4])  # of `conv4_2`, `pool4`
        halvings = block if layer.startswith("pool") else block - 1
        return height >> halvings, width >> halvings, _WIDTHS[block - 1]

    def _check_depth(self, layers: Sequence[str]) -> None:
        check_layers(layers)
        if any(getattr(self, layer, layer) is None for layer in _reached(layers)):
            raise InputError(
                f"the network was frozen for shallower layers than {max(layers, key=LAYERS.index)}: "
                "freeze the whole one for these"
            )

    def check(self, size: tuple[int, int], layers: Sequence[str]) -> None:
        """Raise InputError if a picture of this size is too small for one of `layers`, or the network too shallow."""
        height, width = size
        self._check_depth(layers)
        least = self.least_size(layers)
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
    nnx.update(network, jax.device_put(weights.parameters))  # `asarray` compiles a program for each shape
    return network
