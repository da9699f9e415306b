"""Filters or layers rescaled to a mean activation of 1, as in Gatys, Ecker and Bethge, CVPR 2016, section 2."""

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
#: What `features.normalise` may be; True is the same as `filter`, False as `none`.
NORMALISATIONS = ("none", "filter", "layer")

_HEIGHT, _WIDTH = 168, 224  # the network was trained on 224

# The paper averages over the training set. A filter that hardly responds to a dozen photographs (about one in 300)
# has no mean worth dividing by: amplified a thousandfold, single pixels of it would rule the loss. So no filter is
# divided by less than this part of its layer's median.
_LEAST = 0.1


def photographs() -> list[np.ndarray]:
    """Return the photographs that activations are averaged over, `[h, w, 3]`, of one size so that they compile once."""
    return [cover(read(in_scikit_image(name)), _HEIGHT, _WIDTH) for name in _PHOTOGRAPHS]


def normalised(network: VGG, images: Sequence[Image], by: str = "filter") -> VGG:
    """Return the network with its mean activations over `images` brought to 1.

    Every activation is divided by the mean and the next layer's weights make up for it, so the network computes what
    it did up to one factor per channel: rectifier and poolings are positively homogeneous.

    Args:
      network: The network.
      images: `[h, w, 3]` each.
      by: `filter` divides each filter by its own mean, as the paper does; one that is faint stays below 1. `layer`
        divides all filters of a layer by the mean of the layer, so that they keep their proportions.
    """
    means = _mean_activations(network, images)
    if by == "layer":
        means = {layer: jnp.full_like(mean, _or_one(jnp.mean(mean))) for layer, mean in means.items()}
    else:
        means = {layer: jnp.maximum(mean, _least(mean)) for layer, mean in means.items()}
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
    return jax.tree.map(lambda *x: jnp.mean(jnp.stack(x), 0), *means)


def _least(means: Array) -> Scalar:
    return _or_one(_LEAST * jnp.median(means))


def _or_one(mean: Scalar) -> Scalar:
    """1 where nothing responds: there is nothing to divide."""
    return jnp.where(mean > 0, mean, 1.0)
