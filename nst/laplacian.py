"""An image as the coefficients of a Laplacian pyramid.

Source: Burt and Adelson, The Laplacian Pyramid as a Compact Image Code, IEEE Transactions on Communications 1983. As
parameters of a descent they let one step change coarse structure and fine detail alike: STROTSS (Kolkin, Salavon and
Shakhnarovich, CVPR 2019) takes five levels and bilinear interpolation.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from nst.types import Array, Image

#: Levels below the image's own size, fewer where an image is too small.
LEVELS = 5


def coefficients(image: Image) -> tuple[jax.Array, ...]:
    """Return the detail of each level, from fine to coarse, and what is left: `reconstruct` gives the image."""
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
    """Return the image of some coefficients, `[h, w, 3]`."""
    *details, image = levels
    for detail in reversed(details):
        image = detail + _resized(image, detail.shape)
    return jnp.asarray(image)


def _resized(image: Array, shape: tuple[int, ...]) -> jax.Array:
    return jax.image.resize(image, shape, "linear", antialias=False)
