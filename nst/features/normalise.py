"""Rescaling of filters, layers or a whole network to a mean activation of 1.

Source: Gatys, Ecker and Bethge, CVPR 2016, section 2, which rescales filters.
"""

import contextlib
import hashlib
import zipfile
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nst.features.vgg import VGG, build
from nst.features.weights import Weights
from nst.files import cache_dir, replacing
from nst.images import read
from nst.images.resize import cover
from nst.images.samples import in_scikit_image
from nst.types import Image

# People, animals, things, landscapes and close-up textures: all the natural images of scikit-image.
_PHOTOGRAPHS = (
    "astronaut.png",
    "coffee.png",
    "chelsea.png",
    "rocket.jpg",
    "camera.png",
    "motorcycle_left.png",
    "clock_motion.png",
    "coins.png",
    "moon.png",
    "brick.png",
    "grass.png",
    "gravel.png",
)
#: The values of `features.normalise`; True means `filter`, False means `none`.
NORMALISATIONS = ("none", "filter", "layer", "network")

_HEIGHT, _WIDTH = 168, 224  # the network was trained at 224

# The paper averages over the training set. For a filter that hardly responds to a dozen photographs (about one in 300)
# the mean is no usable divisor: amplified a thousandfold, single pixels would dominate the loss. So no filter is
# divided by less than this fraction of the median of its layer.
_LEAST = 0.1


def photographs() -> list[np.ndarray]:
    """Return the photographs `[h, w, 3]` to average activations over, of one size, so that one program serves all."""
    return [cover(read(in_scikit_image(name)), _HEIGHT, _WIDTH) for name in _PHOTOGRAPHS]


#: The mean activation of each filter by layer.
Means = Mapping[str, np.ndarray]


def normalize_weights(weights: Weights, means: Means, by: str = "filter") -> Weights:
    """Return the weights of a VGG network, rescaled to mean activations of 1.

    Every activation is divided by its mean and the next layer's weights compensate for it, so the network computes the
    same function up to one factor per channel: the rectifier and the poolings are positively homogeneous.

    Args:
      weights: Kernels `[3, 3, in, out]` and biases `[out]` of all convolutions.
      means: Mean activations `[out]` of all rectified layers (`mean_activations`).
      by: `filter` divides each filter by its own mean, as the paper does; a faint one stays below 1. `layer` divides
        all filters of a layer by the mean of the layer, so that filters keep their proportions. `network` divides all
        layers by the mean of the layers' means, so that layers keep their proportions, too.
    """
    divisors = _DIVISORS[by](means)
    parameters, before = {}, np.ones(3, np.float32)
    for layer, values in sorted(weights.parameters.items()):  # in the order of computation
        mean = divisors[layer.replace("conv", "relu")]
        kernel = np.asarray(values["kernel"]) * before[:, None] / mean
        parameters[layer] = {"kernel": kernel, "bias": np.asarray(values["bias"]) / mean}
        before = mean
    return weights._replace(parameters=parameters)


def _filter_divisors(means: Means) -> Means:
    return {
        layer: np.maximum(mean, _nonzero(_LEAST * np.median(mean))).astype(np.float32)
        for layer, mean in means.items()
    }


def _layer_divisors(means: Means) -> Means:
    return {layer: np.full_like(mean, _nonzero(np.mean(mean)), np.float32) for layer, mean in means.items()}


def _network_divisors(means: Means) -> Means:
    whole = _nonzero(np.mean([np.mean(mean) for mean in means.values()]))
    return {layer: np.full_like(mean, whole, np.float32) for layer, mean in means.items()}


_DIVISORS = {"filter": _filter_divisors, "layer": _layer_divisors, "network": _network_divisors}


def _nonzero(mean: float | np.floating) -> float:
    """Return `mean`, or 1 if it is 0, as where no filter responds."""
    return float(mean) if mean > 0 else 1.0


def mean_activations(network: VGG, images: Sequence[Image]) -> dict[str, np.ndarray]:
    """Return the mean activation of each filter, `[c]` by rectified layer, over `images` of `[h, w, 3]` each.

    Means are rounded to four digits, so that they are the same on every processor.
    """
    rectified = tuple(name for name in network.layers if name.startswith("relu"))
    mean = jax.jit(lambda network, image: {k: x.mean((0, 1)) for k, x in network(image, rectified).items()})
    means = [mean(network, image) for image in images]
    return {
        layer: _rounded(np.mean([np.asarray(x[layer], np.float64) for x in means], axis=0))
        for layer in rectified
    }


def _rounded(x: np.ndarray) -> np.ndarray:
    return np.array([float(f"{value:.4g}") for value in x], np.float32)


def of_photographs(weights: Weights, pooling: str, padding: str) -> dict[str, np.ndarray]:
    """Return `mean_activations` over `photographs`, from the cache folder if they were computed before.

    Computing them takes three seconds, more than everything else that building a network takes.

    Args:
      weights: The weights of a VGG network.
      pooling: The pooling of the network.
      padding: The padding of the network.
    """
    key = hashlib.sha256(f"1 {weights.network} {weights.preprocessing} {pooling} {padding}".encode())
    for layer, values in sorted(weights.parameters.items()):
        for name, array in sorted(values.items()):
            key.update(f"{layer} {name}".encode() + np.ascontiguousarray(array).tobytes())
    path = cache_dir() / "activations" / f"{key.hexdigest()[:32]}.npz"
    # A damaged file, which NumPy detects by its checksums, is written again.
    with contextlib.suppress(OSError, ValueError, zipfile.BadZipFile), np.load(path) as file:
        return dict(file.items())
    network = build(weights, pooling=pooling, padding=padding, convolution="direct")
    means = mean_activations(network, photographs())
    # If the cache folder can't be written, the only cost is three seconds each time.
    with contextlib.suppress(OSError), replacing(path) as beside:
        np.savez(beside, allow_pickle=False, **means)
    return means
