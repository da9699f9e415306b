"""2×2 poolings with stride 2; average pooling as in Gatys, Ecker and Bethge, CVPR 2016, section 2."""

import functools
from collections.abc import Callable

import jax.numpy as jnp

from nst.types import Array


def _corners(x: Array) -> tuple[Array, Array, Array, Array]:
    """The four values of each window, row by row: an odd last row or column falls away, as in Caffe and PyTorch.

    As slices, not as a sum over two axes of `[h // 2, 2, w // 2, 2, c]`: on a CPU that takes three times as long.
    """
    h, w = (n // 2 * 2 for n in x.shape[:2])
    return x[0:h:2, 0:w:2], x[0:h:2, 1:w:2], x[1:h:2, 0:w:2], x[1:h:2, 1:w:2]


def _average(x: Array) -> Array:
    return functools.reduce(jnp.add, _corners(x)) / 4


def _maximum(x: Array) -> Array:
    return functools.reduce(_first_maximum, _corners(x))


def _first_maximum(a: Array, b: Array) -> Array:
    """The larger; of two equal ones the first gets the gradient, as in PyTorch and Caffe. `max` would share it.

    Equal ones are common: wherever a picture is flat.
    """
    return jnp.where(a >= b, a, b)


def _l2(x: Array) -> Array:
    """The root of the mean square: like the average, it leaves a constant as it is."""
    mean_square = _average(jnp.square(x))
    positive = mean_square > 0
    # The gradient of a root at 0 is NaN, even where the other branch is taken.
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, mean_square, 1)), 0)


#: 2×2 poolings with stride 2, `[h, w, c]` to `[h // 2, w // 2, c]`. All are positively homogeneous channel by channel.
POOLINGS: dict[str, Callable[[Array], Array]] = {"avg": _average, "max": _maximum, "l2": _l2}
