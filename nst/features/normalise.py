"""Filters rescaled to a mean activation of 1, as in Gatys, Ecker and Bethge, CVPR 2016, section 2."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nst.features.vgg import VGG
from nst.images import read
from nst.images.resize import cover
from nst.images.samples import in_scikit_image
from nst.types import Array, Image, Scalar

# People, animals, things, landscapes, and textures near by: all the natural pictures that the package holds.
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
_HEIGHT, _WIDTH = 168, 224  # the network was trained on 224

# The paper averages over the training set. A filter that hardly responds to a dozen photographs (about one in 300)
# has no mean worth dividing by: amplified a thousandfold, single pixels of it would rule the loss. So no filter is
# divided by less than this part of its layer's median.
_LEAST = 0.1


def photographs() -> list[np.ndarray]:
    """Return the photographs that activations are averaged over, `[h, w, 3]`, of one size so that they compile once."""
    return [cover(read(in_scikit_image(name)), _HEIGHT, _WIDTH) for name in _PHOTOGRAPHS]


def normalised(network: VGG, images: Sequence[Image]) -> VGG:
    """Return the network with each filter's mean activation over `images` brought to 1, or below if it is faint.

    Every activation is divided by its filter's mean and the next layer's weights make up for it, so the network
    computes what it did up to one factor per channel: rectifier and poolings are positively homogeneous.
    """
    means = _mean_activations(network, images)
    state = nnx.to_pure_dict(nnx.state(network))
    before = jnp.ones(3)
    for layer in filter(lambda name: name.startswith("conv"), network.layers):
        mean = means[layer.replace("conv", "relu")]
        kernel, bias = state[layer]["kernel"], state[layer]["bias"]
        state[layer] = {"kernel": kernel * before[:, None] / mean, "bias": bias / mean}
        before = mean
    result = nnx.clone(network)
    nnx.update(result, state)
    return result


def _mean_activations(network: VGG, images: Sequence[Image]) -> dict[str, Array]:
    rectified = tuple(name for name in network.layers if name.startswith("relu"))
    mean = jax.jit(lambda network, image: {k: x.mean((0, 1)) for k, x in network(image, rectified).items()})
    means = [mean(network, image) for image in images]
    average = jax.tree.map(lambda *x: jnp.mean(jnp.stack(x), 0), *means)
    return {layer: jnp.maximum(x, _least(x)) for layer, x in average.items()}


def _least(means: Array) -> Scalar:
    median = jnp.median(means)
    return jnp.where(median > 0, _LEAST * median, 1.0)
