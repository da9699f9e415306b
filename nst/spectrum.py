"""Pictures by their spatial frequencies."""

from typing import Any

import jax
import jax.numpy as jnp

from nst.types import Array

# Of the highest frequency along an axis, half a cycle a pixel: below it the weights stay level. It is five waves over
# 256 pixels; a quarter or five times as much costs a few percent of the steps (docs/performance.md).
_LEVEL = 0.02


def smooth(tree: Any) -> Any:
    """Weigh each frequency f of a picture by 1 / (f + f₀), as the amplitudes of natural pictures fall.

    A symmetric and positive definite linear map: the initial matrix of an L-BFGS in Fourier coordinates, so weighed as
    Olah, Mordvintsev and Schubert, Feature Visualization, Distill 2017, weigh theirs. The picture is taken as
    periodic, which is four times as fast as to mirror it.

    Args:
      tree: Arrays `[h, w, …]`, or `[n]`.

    Returns:
      The same structure; the mean of each array keeps its scale.
    """
    return jax.tree.map(_smooth, tree)


def _smooth(x: Array) -> jax.Array:
    axes = tuple(range(min(2, x.ndim)))
    shape = [x.shape[axis] for axis in axes]
    squares = [
        jnp.square(2 * frequencies(n)) for frequencies, n in zip(_frequencies(len(axes)), shape, strict=True)
    ]
    radius = jnp.sqrt(sum(jnp.ix_(*squares), jnp.zeros(())))
    weights = _LEVEL / (radius + _LEVEL)
    spectrum = jnp.fft.rfftn(x, axes=axes)
    spectrum *= weights.reshape(weights.shape + (1,) * (x.ndim - weights.ndim))
    return jnp.fft.irfftn(spectrum, s=shape, axes=axes)


def _frequencies(axes: int) -> list[Any]:
    """Of the axes of `rfftn`: the last one has no negative frequencies."""
    return [jnp.fft.fftfreq] * (axes - 1) + [jnp.fft.rfftfreq]
