"""VGG networks without their fully connected layers, as a Flax module.

Source: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
configurations D (VGG-16) and E (VGG-19); average pooling as in Gatys, Ecker and Bethge, CVPR 2016, section 2.
"""

import math
from collections.abc import Sequence

import jax
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
from nst.features.convolution import CONVOLUTIONS, Convolution, formed, transform, use_winograd
from nst.features.device import least_rounded
from nst.features.pooling import POOLINGS
from nst.features.rectifier import relu
from nst.features.weights import BLOCKS, Blocks, Preprocessing, Weights
from nst.features.weights.network import block_of, layer_names, widths
from nst.types import Array, Features, Image

#: Precisions of the products of convolutions. With `bfloat16`, the factors of products are rounded in two places: in
#: the gradient, and in the difference between features and those of a nearby image (`VGG.reference`). Sums and
#: everything else are float32.
PRECISIONS = ("float32", "bfloat16")


class VGG(nnx.Module):
    """The convolutions and poolings of a VGG network, with the preprocessing that belongs to the weights.

    A plain pytree under `jax.jit` and `jax.grad`: the weights are its leaves, the rest is structure.
    """

    content_layers: tuple[str, ...] = ("relu4_2",)
    style_layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")

    def __init__(
        self,
        blocks: Blocks,
        *,
        pooling: str,
        padding: str,
        convolution: str,
        precision: str,
        preprocessing: Preprocessing,
    ):
        self.blocks = blocks
        self.layers = layer_names(blocks)
        self.pooling = pooling
        self.padding = padding
        self.convolution = convolution
        self.precision = precision
        self.preprocessing = preprocessing
        previous = 3  # channels of an image
        for block, (count, width) in enumerate(blocks, start=1):
            for i in range(1, count + 1):
                setattr(self, f"conv{block}_{i}", Convolution(previous, width))
                previous = width

    def __call__(self, x: Array, layers: Sequence[str], reference: Features | None = None) -> Features:
        """Compute the features of an image, up to the deepest of `layers`.

        Args:
          x: `[h, w, 3]`, RGB, sRGB-encoded, in [0, 1].
          layers: Some of `self.layers`: `conv4_2` is before the rectifier, `relu4_2` after it.
          reference: `self.reference` of a nearby image of the same size. With `bfloat16`, only the difference from it
            is rounded, and nothing without a reference. Empty with `float32`.

        Returns:
          Features `[h', w', c]` by layer, float32; after `pool1` h' is `h // 2`, and so on.

        Raises:
          InputError: An array that is no image, an unknown layer, or an image too small for the deepest one.
        """
        x = as_floats(x)
        self.check((x.shape[0], x.shape[1]), layers)
        reference = reference or {}
        y, y_reference = preprocess(x, self.preprocessing), None
        features = {}
        for layer in self._reached(layers):
            if layer.startswith("conv"):
                y = (
                    self._convolution(layer, y)
                    if y_reference is None
                    else reference[layer] + self._change(layer, y - y_reference)
                )
                y_reference = reference.get(layer)
            else:
                y = self._apply(layer, y)
                y_reference = None if y_reference is None else self._apply(layer, y_reference)
            if layer in layers:
                features[layer] = y
        return features

    def reference(self, x: Image, layers: Sequence[str]) -> Features:
        """Compute the convolution outputs of an image, from which rounded features of nearby images are computed.

        A rounded product is off by half a percent, and late in a descent the loss is the small difference of large
        statistics (docs/archive/precision.md). So only the change since the image of some steps before is rounded: the
        error is proportional to the difference between the images.

        Args:
          x: `[h, w, 3]`.
          layers: The layers whose features will be computed.

        Returns:
          The output `[h', w', c]` of each convolution by layer, in float32, beginning with the last convolution before
          the first rounded one. Empty if the precision is float32.
        """
        convolutions = [layer for layer in self._reached(layers) if layer.startswith("conv")]
        rounded = [i for i, layer in enumerate(convolutions) if self._rounds(getattr(self, layer))]
        return self(x, convolutions[rounded[0] - 1 :]) if rounded else {}

    def _convolution(self, layer: str, x: Array) -> Array:
        convolution = getattr(self, layer)
        # With `auto` in float32 Winograd is faster only once frozen.
        unfrozen = self.convolution == "winograd" or self.precision == "bfloat16"
        if convolution.frozen is None and unfrozen and self._use_winograd(convolution):
            convolution = nnx.clone(convolution)
            # Make the filters depend on `x`: XLA would transform those of all layers at the start, 200 MiB.
            convolution.frozen = nnx.Variable(transform(convolution.kernel[...] + 0 * x[0, 0, 0]))
        return convolution(*self._padded(x))

    def _change(self, layer: str, dx: Array) -> Array:
        convolution = getattr(self, layer)
        if convolution.rounded is None:
            convolution = nnx.clone(convolution)
            convolution.rounded = nnx.Variable(*self._filters([convolution]))
        return convolution.change(*self._padded(dx))

    def _padded(self, x: Array) -> tuple[Array, int]:
        """Return `x` with its padding, and the number of zeros on each side that the convolution has to add."""
        return (x, 1) if self.padding == "zeros" else (pad(x, 1, self.padding), 0)

    def _apply(self, layer: str, x: Array) -> Array:
        return relu(x) if layer.startswith("relu") else POOLINGS[self.pooling](x)

    def freeze(self, layers: Sequence[str]) -> "VGG":
        """Return the network with its filters transformed once for fast convolutions up to the deepest of `layers`.

        Original filters that are no longer needed are dropped, as are deeper layers, and get no gradient. A network
        that isn't frozen transforms its filters in every call.
        """
        self._check_depth(layers)
        network, reached = nnx.clone(self), self._reached(layers)
        unfrozen: list[Convolution] = []
        for layer in filter(lambda name: name.startswith("conv"), self.layers):
            convolution = getattr(network, layer)
            if layer not in reached:
                setattr(network, layer, nnx.data(None))
            elif (convolution.rounded if self._rounds(convolution) else convolution.frozen) is None:
                unfrozen.append(convolution)
        for convolution, filters in zip(unfrozen, self._filters(unfrozen), strict=True):
            if self._rounds(convolution):  # `reference` uses the original filters
                convolution.rounded = nnx.Variable(filters)
            elif self._use_winograd(convolution):
                convolution.frozen = nnx.Variable(filters)
                convolution.kernel = nnx.data(None)
        return network

    def _filters(self, convolutions: Sequence[Convolution]) -> list[jax.Array]:
        """Return the filters in the form that convolutions use.

        One program converts all of them: one program for each shape takes twice as long to start.
        """
        forms = tuple(
            (self._use_winograd(convolution), self._rounds(convolution)) for convolution in convolutions
        )
        return formed([convolution.kernel[...] for convolution in convolutions], forms)

    def _use_winograd(self, convolution: Convolution) -> bool:
        shape = 3, 3, convolution.inputs, convolution.outputs
        return self.convolution == "winograd" or (self.convolution == "auto" and use_winograd(shape))

    def _rounds(self, convolution: Convolution) -> bool:
        return self.precision == "bfloat16" and convolution.inputs >= least_rounded()

    def check(self, size: tuple[int, int], layers: Sequence[str]) -> None:
        """Raise InputError if `layers` are unknown, deeper than the network was frozen for, or too deep for `size`.

        `size` is the height and width of an image.
        """
        self._check_depth(layers)
        if layers:
            check_size(size, self.least_size(layers), self._deepest(layers))

    def shapes(self, size: tuple[int, int], layers: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        """Return the shape `[h', w', c]` of each layer for an image of `size`; nothing is computed."""
        check_names(layers, self.layers)
        height, width = size
        channels = widths(self.blocks)
        return {
            layer: (height // self.stride(layer), width // self.stride(layer), channels[layer])
            for layer in layers
        }

    def least_size(self, layers: Sequence[str]) -> int:
        """Return the shortest side, in pixels, of an image that has features in all `layers`."""
        check_names(layers, self.layers)
        reached = self._reached(layers)
        poolings = [layer for layer in reached if layer.startswith("pool")]
        # A reflection needs a second pixel to reflect, except where nothing is convolved after the last pooling.
        reflects = self.padding == "reflect" and not (reached and reached[-1].startswith("pool"))
        return 2 ** (len(poolings) + reflects)

    def layer_weights(self, layers: Sequence[str]) -> tuple[float, ...]:
        """Return weights of style layers in proportion to 1/N² for N filters."""
        check_names(layers, self.layers)
        return inverse_square(widths(self.blocks), layers)

    def stride(self, layer: str) -> int:
        """Return the distance in pixels between neighboring positions of a layer."""
        check_names([layer], self.layers)
        return 2 ** (block_of(layer) - (not layer.startswith("pool")))

    def halo(self, layers: Sequence[str]) -> int:
        """Return the margin in pixels that a position of the deepest layer sees around its own `stride` × `stride`.

        Each 3×3 convolution adds one position of its layer. The poolings add nothing, as their windows don't overlap:
        relu5_1 of VGG-19 sees 16 + 2 · 70 = 156 pixels.
        """
        check_names(layers, self.layers)
        return sum(self.stride(layer) for layer in self._reached(layers) if layer.startswith("conv"))

    def activations(self, size: tuple[int, int], layers: Sequence[str]) -> int:
        """Return the number of values that a gradient through `layers` keeps for an image of `size`.

        The outputs of rectifiers and poolings are kept, that of a convolution only if it is among `layers`.
        """
        check_names(layers, self.layers)
        stored = [layer for layer in self._reached(layers) if not layer.startswith("conv") or layer in layers]
        return sum(math.prod(shape) for shape in self.shapes(size, stored).values())

    def _reached(self, layers: Sequence[str]) -> tuple[str, ...]:
        """Return the layers to compute for `layers`."""
        return self.layers[: 1 + max(map(self.layers.index, layers), default=-1)]

    def _deepest(self, layers: Sequence[str]) -> str:
        return max(layers, key=self.layers.index)

    def _check_depth(self, layers: Sequence[str]) -> None:
        check_names(layers, self.layers)
        if any(getattr(self, layer, layer) is None for layer in self._reached(layers)):
            raise InputError(
                f"the network was frozen for shallower layers than {self._deepest(layers)}: "
                "freeze the original network for the layers you need"
            )


def build(
    weights: Weights,
    *,
    pooling: str = "avg",
    padding: str = "zeros",
    convolution: str = "auto",
    precision: str = "float32",
) -> VGG:
    """Build the VGG network that the weights belong to.

    Args:
      weights: Kernels `[3, 3, in, out]` and biases `[out]` of all convolutions, and their preprocessing.
      pooling: One of `POOLINGS`.
      padding: One of `PADDINGS`.
      convolution: One of `CONVOLUTIONS`. In float32, `auto` differs from `direct` only in a frozen network.
      precision: One of `PRECISIONS`.

    Raises:
      InputError: An unknown pooling, padding, convolution or precision.
    """
    settings = {"pooling": pooling, "padding": padding, "convolution": convolution, "precision": precision}
    choices = {"pooling": POOLINGS, "padding": PADDINGS, "convolution": CONVOLUTIONS, "precision": PRECISIONS}
    for name, value in settings.items():
        check_choice(name, value, choices[name])
    blocks = BLOCKS[weights.network]
    network = nnx.eval_shape(lambda: VGG(blocks, **settings, preprocessing=weights.preprocessing))
    nnx.update(network, jax.device_put(weights.parameters))  # unlike `asarray`, without a program per shape
    return network
