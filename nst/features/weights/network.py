"""The convolutions of each VGG network as a table of shapes, and weights for them."""

from typing import NamedTuple

import numpy as np

from nst.features.weights.preprocessing import CAFFE, Preprocessing

#: Of each block between poolings, the number of convolutions and of filters in each.
Blocks = tuple[tuple[int, int], ...]

#: From network to its blocks: configurations E and D of Simonyan and Zisserman, ICLR 2015.
BLOCKS: dict[str, Blocks] = {
    "vgg19": ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512)),
    "vgg16": ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)),
}

#: The network of weights that don't say which they belong to: files of ours did not before there were others.
VGG19 = "vgg19"

#: From layer to the shape of its kernel, `[height, width, in, out]`, in the order of computation.
Kernels = dict[str, tuple[int, int, int, int]]

#: From layer to its arrays: `{"kernel": [3, 3, in, out], "bias": [out]}`.
Parameters = dict[str, dict[str, np.ndarray]]


class Weights(NamedTuple):
    """The weights of a network's convolutions with all that must not be separated from them.

    `parameters["conv1_1"]` is `{"kernel": [3, 3, in, out], "bias": [out]}`, float32, for a cross-correlation,
    with the input channels in the order of `preprocessing`. `source` is a source's name or the path given,
    `sha256` that of the ported file (empty for random weights), `network` one of `KERNELS`.
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


#: From network to the shapes of its kernels.
KERNELS: dict[str, Kernels] = {network: _kernels(blocks) for network, blocks in BLOCKS.items()}


def title(network: str) -> str:
    """Return a network's name as it is written in a sentence, such as `VGG-19`."""
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
