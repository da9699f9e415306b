"""Laplacian pyramids, whose coefficients can be optimized in place of pixels.

Source: Burt and Adelson, The Laplacian Pyramid as a Compact Image Code, IEEE Transactions on Communications 1983. With
the coefficients as parameters, one step changes both coarse structure and fine detail. Five levels and bilinear
interpolation are those of STROTSS (Kolkin, Salavon and Shakhnarovich, CVPR 2019).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from nst.types import Array, Image

#: Levels below the size of the image; small images have fewer.
LEVELS = 5


def coefficients(image: Image) -> tuple[jax.Array, ...]:
    """Return the Laplacian pyramid of an image; `reconstruct` is the inverse.

    Returns:
      The details of each level, fine to coarse, `[h, w, 3]`, `[h // 2, w // 2, 3]`, …, and last the coarsest image.
    """
    details, rest = [], jnp.asarray(image)
    for _ in range(LEVELS):
        height, width, channels = rest.shape
        if min(height, width) < 2:
            break
        coarser = _resized(rest, (height // 2, width // 2, channels))
        details.append(rest - _resized(coarser, rest.shape))
        rest = coarser
    return (*details, rest)


def reconstruct(levels: Sequence[Array]) -> jax.Array:
    """Return the image `[h, w, 3]` that has the given coefficients."""
    *details, image = levels
    for detail in reversed(details):
        image = detail + _resized(image, detail.shape)
    return jnp.asarray(image)


def _resized(image: Array, shape: tuple[int, ...]) -> jax.Array:
    return jax.image.resize(image, shape, "linear", antialias=False)
