"""The initial matrix of L-BFGS, a preconditioner: weights for the levels of an image pyramid."""

import functools
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata

from nst.types import Array

# Halvings; with three or six, L-BFGS takes a few percent more steps (docs/archive/optimizers.md).
_LEVELS = 4

# A binomial filter: it removes frequencies that the coarser image can't hold. The taps sum to √2, as those of an
# orthonormal low-pass filter do.
_TAPS = np.sqrt(2) * np.array([1, 3, 3, 1]) / 8


def smooth(tree: Any) -> Any:
    """Weight the levels of an image pyramid by 1, 2, 4, …: about 1 / f, like the amplitudes of natural images.

    This is a symmetric and positive definite linear map, H x = x + Σ 2^(k−1) (Dᵏ)ᵀ Dᵏ x with the coarsest level counted
    twice, where D halves an image: the initial matrix of L-BFGS in the coordinates of a Gaussian pyramid (Burt and
    Adelson, The Laplacian Pyramid as a Compact Image Code, IEEE Transactions on Communications 1983). Weighting
    frequencies by an FFT needs as many steps, but XLA's FFT on a CPU gives other bytes once in a hundred times.

    Args:
      tree: Arrays `[h, w, …]`, or `[n]`.

    Returns:
      The weighted arrays, in the same structure.
    """
    # Without this XLA fuses each halving into all its uses, which takes twice as long to compile and runs slower.
    with set_xla_metadata(inlineable="false"):
        return jax.tree.map(_smooth, tree)


# Jitted, so that it is traced once for all its uses in a step.
@partial(jax.jit, static_argnums=1)
def _smooth(x: Array, level: int = 0) -> jax.Array:
    axes = tuple(axis for axis in range(min(2, x.ndim)) if x.shape[axis] > 1)
    if level == _LEVELS or not axes:
        return 2.0**level * jnp.asarray(x)
    halve = partial(_halve, axes=axes)
    transposed = jax.linear_transpose(halve, x)
    own = 1.0 if level == 0 else 2.0 ** (level - 1)
    return own * x + transposed(_smooth(halve(x), level + 1))[0]


@partial(jax.jit, static_argnames="axes")
def _halve(x: Array, axes: tuple[int, ...]) -> Array:
    """Halve `[h, w, …]` to `[⌈h / 2⌉, ⌈w / 2⌉, …]`, mirrored at the borders."""
    for axis in axes:
        cut = partial(jax.lax.slice_in_dim, axis=axis)
        length, size = x.shape[axis], -(-x.shape[axis] // 2)
        beyond = [cut(x, i, i + 1) for i in range(length - 1, 2 * length - 2 * size - 2, -1)]
        padded = jax.lax.concatenate([cut(x, 0, 1), x, *beyond], axis)
        parts = (
            jax.lax.mul(cut(padded, i, i + 2 * size - 1, 2), x.dtype.type(tap)) for i, tap in enumerate(_TAPS)
        )
        x = functools.reduce(jax.lax.add, parts)
    return x
