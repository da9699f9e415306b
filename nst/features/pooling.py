"""2×2 poolings with stride 2; average pooling as in Gatys, Ecker and Bethge, CVPR 2016, section 2."""

import functools
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from nst.types import Array

_Corners = tuple[Array, Array, Array, Array]


def _corners(x: Array) -> _Corners:
    """The four values of each window, row by row: an odd last row or column falls away, as in Caffe and PyTorch."""
    return _cut(x, x.shape)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _cut(x: Array, shape: tuple[int, ...]) -> _Corners:
    """As slices, not as a sum over two axes of `[h // 2, 2, w // 2, 2, c]`: on a CPU that takes three times as long."""
    h, w = (n // 2 * 2 for n in shape[:2])
    return x[0:h:2, 0:w:2], x[0:h:2, 1:w:2], x[1:h:2, 0:w:2], x[1:h:2, 1:w:2]


def _forward(x: Array, shape: tuple[int, ...]) -> tuple[_Corners, None]:
    return _cut(x, shape), None


def _backward(shape: tuple[int, ...], _: None, gradients: _Corners) -> tuple[jax.Array]:
    """The four, woven: differentiated, slices are four pictures of zeros to be added."""
    odd_row, odd_column = (jnp.arange(2).reshape(form) == 1 for form in ((2, 1, 1, 1), (2, 1)))
    a, b, c, d = (jnp.asarray(g)[:, None, :, None] for g in gradients)
    woven = jnp.where(odd_row, jnp.where(odd_column, d, c), jnp.where(odd_column, b, a))
    h, w = (n // 2 * 2 for n in shape[:2])
    return (jnp.pad(woven.reshape(h, w, *shape[2:]), ((0, shape[0] - h), (0, shape[1] - w), (0, 0))),)


_cut.defvjp(_forward, _backward)


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
