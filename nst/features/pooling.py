"""2×2 poolings with stride 2; average pooling as in Gatys, Ecker and Bethge, CVPR 2016, section 2."""

import functools
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from nst.types import Array

_Corners = tuple[Array, Array, Array, Array]


def _corners(x: Array) -> _Corners:
    """Return the four values of each window, row by row; an odd last row or column is dropped, as in PyTorch."""
    return _cut(x, x.shape)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _cut(x: Array, shape: tuple[int, ...]) -> _Corners:
    """Return the four corners as slices.

    Sums over two axes of `[h // 2, 2, w // 2, 2, c]` take three times as long on a CPU.
    """
    h, w = (n // 2 * 2 for n in shape[:2])
    return x[0:h:2, 0:w:2], x[0:h:2, 1:w:2], x[1:h:2, 0:w:2], x[1:h:2, 1:w:2]


def _forward(x: Array, shape: tuple[int, ...]) -> tuple[_Corners, None]:
    return _cut(x, shape), None


def _backward(shape: tuple[int, ...], _: None, gradients: _Corners) -> tuple[jax.Array]:
    """Interleave the four gradients. The gradient of slices would add four arrays that are mostly zeros."""
    odd_row, odd_column = (jnp.arange(2).reshape(form) == 1 for form in ((2, 1, 1, 1), (2, 1)))
    a, b, c, d = (jnp.asarray(g)[:, None, :, None] for g in gradients)
    interleaved = jnp.where(odd_row, jnp.where(odd_column, d, c), jnp.where(odd_column, b, a))
    h, w = (n // 2 * 2 for n in shape[:2])
    return (jnp.pad(interleaved.reshape(h, w, *shape[2:]), ((0, shape[0] - h), (0, shape[1] - w), (0, 0))),)


_cut.defvjp(_forward, _backward)


def _average(x: Array) -> Array:
    return functools.reduce(jnp.add, _corners(x)) / 4


def _maximum(x: Array) -> Array:
    return functools.reduce(_first_maximum, _corners(x))


def _first_maximum(a: Array, b: Array) -> Array:
    """Return the larger value; of two equal ones the first gets the gradient, as in PyTorch and Caffe.

    `jnp.maximum` would split it. Equal values are common: wherever an image is flat.
    """
    return jnp.where(a >= b, a, b)


def _l2(x: Array) -> Array:
    """Return the root of the mean square, which leaves a constant as it is, like the average."""
    mean_square = _average(jnp.square(x))
    positive = mean_square > 0
    # The inner `where` avoids the root of 0, whose gradient is NaN even in the branch that is not selected.
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, mean_square, 1)), 0)


#: 2×2 poolings with stride 2, `[h, w, c]` to `[h // 2, w // 2, c]`. All are positively homogeneous channel by channel.
POOLINGS: dict[str, Callable[[Array], Array]] = {"avg": _average, "max": _maximum, "l2": _l2}
