"""Filters rescaled to a mean activation of 1, as in Gatys, Ecker and Bethge, CVPR 2016, section 2."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nst.features.vgg import LAYERS, VGG19
from nst.images import fit, read
from nst.types import Array, Image

_PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket")
_SIDE = 224  # what the network was trained on
# A filter that is silent on all the photographs has no mean to divide by and stays as it is.
_SILENT = 1e-6


def photographs() -> list[np.ndarray]:
    """The photographs that activations are averaged over, `[h, w, 3]`, of one size so that they compile once."""
    return [fit(read(name), _SIDE)[: _SIDE // 2] for name in _PHOTOGRAPHS]


def normalised(network: VGG19, pictures: Sequence[Image]) -> VGG19:
    """The same network with each filter's mean activation over `pictures` brought to 1.

    Every activation is divided by its filter's mean and the next layer's weights make up for it, so the network
    computes what it did up to one factor per channel: rectifier and poolings are positively homogeneous.
    """
    means = _mean_activations(network, pictures)
    state = nnx.to_pure_dict(nnx.state(network))
    before = jnp.ones(3)
    for layer in filter(lambda name: name.startswith("conv"), LAYERS):
        mean = means[layer.replace("conv", "relu")]
        kernel, bias = state[layer]["kernel"], state[layer]["bias"]
        state[layer] = {"kernel": kernel * before[:, None] / mean, "bias": bias / mean}
        before = mean
    result = nnx.clone(network)
    nnx.update(result, state)
    return result


def _mean_activations(network: VGG19, pictures: Sequence[Image]) -> dict[str, Array]:
    rectified = tuple(name for name in LAYERS if name.startswith("relu"))
    mean = jax.jit(lambda network, image: {k: x.mean((0, 1)) for k, x in network(image, rectified).items()})
    means = [mean(network, picture) for picture in pictures]
    average = jax.tree.map(lambda *x: jnp.mean(jnp.stack(x), 0), *means)
    return {layer: jnp.where(x > _SILENT, x, 1.0) for layer, x in average.items()}
