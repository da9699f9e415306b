"""The convolutions of each VGG network as a table of shapes, and weights for them."""

import functools
from typing import NamedTuple

import numpy as np

from nst.features.weights.preprocessing import CAFFE, Preprocessing

#: For each block between poolings, the number of convolutions and the number of filters of each.
Blocks = tuple[tuple[int, int], ...]

#: The blocks of each network: configurations E and D of Simonyan and Zisserman, ICLR 2015.
BLOCKS: dict[str, Blocks] = {
    "vgg19": ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512)),
    "vgg16": ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)),
}

#: The network of ported files that don't name one: they were written while there was only one network.
VGG19 = "vgg19"

#: The shape of each layer's kernel, `[height, width, in, out]`, in the order of computation.
Kernels = dict[str, tuple[int, int, int, int]]

#: The arrays of each layer: `{"kernel": [3, 3, in, out], "bias": [out]}`.
Parameters = dict[str, dict[str, np.ndarray]]


@functools.cache
def layer_names(blocks: Blocks) -> tuple[str, ...]:
    """Return every layer in the order of computation: `conv1_1`, `relu1_1`, …, `pool1`, `conv2_1`, …"""
    names = []
    for block, (count, _) in enumerate(blocks, start=1):
        names += [f"{kind}{block}_{i}" for i in range(1, count + 1) for kind in ("conv", "relu")]
        names.append(f"pool{block}")
    return tuple(names)


def widths(blocks: Blocks) -> dict[str, int]:
    """Return the number of filters of each layer."""
    return {layer: blocks[block_of(layer) - 1][1] for layer in layer_names(blocks)}


def block_of(layer: str) -> int:
    """Return the number of the block of a layer: 4 of `conv4_2` and of `pool4`."""
    return int(layer[4])


class Weights(NamedTuple):
    """The weights of a network's convolutions, with their preprocessing and origin.

    Attributes:
      parameters: By layer `{"kernel": [3, 3, in, out], "bias": [out]}`, float32, for a cross-correlation, with input
        channels in the order of `preprocessing`.
      preprocessing: The preprocessing of images that the weights expect.
      source: The name of a source, or the path that was given.
      licence: The license, and the authors.
      sha256: The SHA-256 of the ported file; empty for random weights.
      network: One of `KERNELS`.
    """

    parameters: Parameters
    preprocessing: Preprocessing
    source: str
    licence: str
    sha256: str
    network: str = VGG19


def _kernels(blocks: Blocks) -> Kernels:
    shapes, previous = {}, 3
    for block, (count, width) in enumerate(blocks, start=1):
        for i in range(1, count + 1):
            shapes[f"conv{block}_{i}"] = (3, 3, previous, width)
            previous = width
    return shapes


#: The shapes of each network's kernels.
KERNELS: dict[str, Kernels] = {network: _kernels(blocks) for network, blocks in BLOCKS.items()}


def title(network: str) -> str:
    """Return the name of a network in sentences, such as `VGG-19`."""
    return network.replace("vgg", "VGG-")


def random(seed: int, network: str = VGG19) -> Weights:
    """Draw untrained weights for ablations: normal kernels of variance 2/fan-in, no biases.

    Source: He, Zhang, Ren and Sun, Delving Deep into Rectifiers, ICCV 2015, equation 10.
    """
    generator = np.random.default_rng(seed)
    parameters = {}
    for layer, shape in KERNELS[network].items():
        std = np.float32(np.sqrt(2 / np.prod(shape[:3])))
        kernel = generator.standard_normal(shape, np.float32) * std
        parameters[layer] = {"kernel": kernel, "bias": np.zeros(shape[3], np.float32)}
    return Weights(parameters, CAFFE, "random", "drawn by nst, Apache-2.0", "", network)
