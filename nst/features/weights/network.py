"""The 16 convolutions of VGG-19 as a table of shapes, and weights for them."""

from typing import NamedTuple

import numpy as np

from nst.features.weights.preprocessing import CAFFE, Preprocessing

_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))

#: From layer to its arrays: `{"kernel": [3, 3, in, out], "bias": [out]}`.
Parameters = dict[str, dict[str, np.ndarray]]


class Weights(NamedTuple):
    """The weights of VGG-19's convolutions with all that must not be separated from them.

    `parameters["conv1_1"]` is `{"kernel": [3, 3, in, out], "bias": [out]}`, float32, for a cross-correlation,
    with the input channels in the order of `preprocessing`. `source` is a source's name or the path given,
    `sha256` that of the ported file (empty for random weights).
    """

    parameters: Parameters
    preprocessing: Preprocessing
    source: str
    licence: str
    sha256: str


def _kernels() -> dict[str, tuple[int, int, int, int]]:
    shapes, previous = {}, 3
    for block, (width, count) in enumerate(_BLOCKS, start=1):
        for i in range(1, count + 1):
            shapes[f"conv{block}_{i}"] = (3, 3, previous, width)
            previous = width
    return shapes


#: From layer to the shape of its kernel, `[height, width, in, out]`, in the order of computation.
KERNELS = _kernels()


def random(seed: int) -> Weights:
    """Untrained weights for ablations: normal kernels of variance 2/fan-in, no biases.

    Source: He, Zhang, Ren and Sun, Delving Deep into Rectifiers, ICCV 2015, equation 10.
    """
    generator = np.random.default_rng(seed)
    parameters = {}
    for layer, shape in KERNELS.items():
        std = np.float32(np.sqrt(2 / np.prod(shape[:3])))
        kernel = generator.standard_normal(shape, np.float32) * std
        parameters[layer] = {"kernel": kernel, "bias": np.zeros(shape[3], np.float32)}
    return Weights(parameters, CAFFE, "random", "drawn by nst, Apache-2.0", "")
