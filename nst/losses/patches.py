"""The distance of patches of features to the most similar patches of the style.

Source: Li and Wand, Combining Markov Random Fields and Convolutional Neural Networks for Image Synthesis, CVPR 2016,
equations 2 and 3.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nst.losses.gram import product
from nst.types import Array, Mask, Scalar

#: Side of a patch, in positions.
SIDE = 3

#: Maximum number of patches of the style; a larger style is read with a longer stride. The article's stride is 2.
MOST_PATCHES = 1024


class Patches(NamedTuple):
    """The target of `patch_distance`: patches of the style.

    Attributes:
      Phi: The features of each patch.
      present: The mask at the center of each patch; a patch may be matched if it is above 0.
    """

    Phi: Float[Array, "k d"]
    present: Float[Array, " k"]


class Result(NamedTuple):
    """Patches of the image, one around each position except those at the border. Not additive: patches overlap.

    Attributes:
      Phi: The features of each patch.
      w: The weight of each patch: the mask at its center.
    """

    Phi: Float[Array, "m d"]
    w: Float[Array, " m"]


def style_patches(features: Float[Array, "h w n"], mask: Mask | None = None) -> Patches:
    """Return the target of `patch_distance`."""
    height, width, _ = features.shape
    stride = 2
    while -(-(height - 2) // stride) * -(-(width - 2) // stride) > MOST_PATCHES:
        stride += 1
    Phi, w = patches(features, mask, stride)
    return Patches(Phi, w)


def result_patches(features: Float[Array, "h w n"], mask: Mask | None = None) -> Result:
    """Return the patches of the image."""
    return Result(*patches(features, mask, 1))


def patches(
    features: Float[Array, "h w n"], mask: Mask | None, stride: int
) -> tuple[Float[Array, "m d"], Float[Array, " m"]]:
    """Return patches of 3×3 positions, with d = 9 N values each for N filters, and the mask at their centers."""
    F = jnp.asarray(features, jnp.float32)
    height, width, _ = F.shape
    rows, columns = range(0, height - SIDE + 1, stride), range(0, width - SIDE + 1, stride)
    parts = [
        F[i : i + rows[-1] + 1 : stride, j : j + columns[-1] + 1 : stride]
        for i in range(SIDE)
        for j in range(SIDE)
    ]
    Phi = jnp.concatenate(parts, -1)
    w = jnp.ones((height, width)) if mask is None else jnp.asarray(mask, jnp.float32)
    centers = w[1 : rows[-1] + 2 : stride, 1 : columns[-1] + 2 : stride]
    return Phi.reshape(-1, Phi.shape[-1]), centers.reshape(-1)


def patch_distance(statistics: Result, target: Patches) -> Scalar:
    """Return the mean over patches of ‖Φ − Φ′‖² / 9N, with Φ′ the patch of the style that correlates most.

    The choice of matches has no gradient. The distance is 0 if either image has no patch.
    """
    constant = jax.lax.stop_gradient(statistics.Phi)
    correlation = product(constant.T, _normalized(target.Phi).T)
    best = jnp.argmax(jnp.where(target.present > 0, correlation, -jnp.inf), axis=1)
    apart = jnp.mean(jnp.square(statistics.Phi - target.Phi[best]), axis=1)
    total = jnp.sum(statistics.w)
    mean = jnp.sum(statistics.w * apart) / jnp.where(total > 0, total, 1)
    return jnp.where(jnp.any(target.present > 0), mean, 0)


def _normalized(Phi: Float[Array, "k d"]) -> Float[Array, "k d"]:
    """Divide each patch by its norm. The norm of the image's patch does not change which one correlates most."""
    return Phi / jnp.maximum(jnp.linalg.norm(Phi, axis=1, keepdims=True), np.finfo(np.float32).tiny)
