"""Limited-memory BFGS without a line search, as an optax transformation.

Source: Byrd, Nocedal and Schnabel, Representations of Quasi-Newton Matrices and their Use in Limited Memory Methods,
Mathematical Programming 1994, theorem 2.2 (the matrix), and Nocedal and Wright, Numerical Optimization, equation 7.20
(the scaling of the initial one). A step takes one evaluation of loss and gradient: near a minimum of these losses the
unit step is a good one, and a line search would spend two more evaluations to confirm it.

`optax.scale_by_lbfgs` differs in a respect that decides the first twenty steps: it also keeps pairs of negative
curvature, after which its matrix is no longer positive definite. Here such a pair is skipped, as in PyTorch. Unlike in
both, the lengths of the first step and of the longest step are fixed, so that large losses do not diverge.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree

from nst.types import Array, Scalar

_LEAST_CURVATURE = 1e-10

# Root mean squares of a step, in the units of the parameters (pixels in [0, 1]). The first step is one gray level of
# 255: the first difference of gradients is then above their rounding errors, which it is not with PyTorch's step of
# length 1 / ‖g‖₁. Only with a wrong estimate of the curvature does a step reach the longest length.
_FIRST_STEP = 0.004
_LONGEST_STEP = 0.1

#: A linear map of parameters, or of their gradient, to parameters.
Linear = Callable[[Any], Any]


class LBFGSState(NamedTuple):
    """Ring buffers of the last `m` pairs s = x⁺ − x, y = g⁺ − g, their products, and the last point and gradient."""

    pairs: jax.Array  # number of pairs so far; the oldest are overwritten
    s: jax.Array  # [m, n]
    y: jax.Array  # [m, n]
    sy: jax.Array  # [m, m], sᵢᵀyⱼ where pair i is no newer than pair j
    scale: Scalar  # γ = sᵀy / yᵀH₀y of the newest pair, the factor of the initial matrix H₀
    params: Array  # [n], of the last step
    gradient: Array  # [n], of the last step
    started: Array  # whether there was a last step


def scale_by_lbfgs(
    memory_size: int, initial: Linear = lambda x: x, stretch: float = 1.0
) -> optax.GradientTransformation:
    """Multiply a gradient by the L-BFGS approximation of the inverse Hessian.

    Args:
      memory_size: The number of pairs to keep; each takes twice the memory of the parameters.
      initial: Multiplication by the initial matrix H₀ up to the factor γ of equation 7.20: any symmetric and positive
        definite linear map; by default the identity. The result is L-BFGS in the coordinates z = H₀^(−½) x.
      stretch: Factor of γ. γ is measured along the newest y, in directions of high curvature, which the history covers.
        H₀ matters in the other directions, where the curvature is lower and a larger factor than γ is suitable.
    """

    def init(params: optax.Params) -> LBFGSState:
        x, _ = ravel_pytree(params)
        ring = jnp.zeros((memory_size, x.size), x.dtype)
        zero = jnp.zeros((), jnp.int32)
        return LBFGSState(
            zero,
            ring,
            ring,
            jnp.zeros((memory_size, memory_size), x.dtype),
            jnp.ones((), x.dtype),
            x,
            jnp.zeros_like(x),
            zero.astype(bool),
        )

    def update(
        updates: optax.Updates, state: Any, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        x, _ = ravel_pytree(params)
        g, unravel = ravel_pytree(updates)

        def matrix(v: Array) -> Array:
            return ravel_pytree(initial(unravel(jnp.asarray(v))))[0]

        state = _remember(state, x, g, matrix)
        quasi_newton = _direction(state, g, lambda v: stretch * matrix(v))
        direction = jnp.where(state.pairs > 0, quasi_newton, g * (_FIRST_STEP / _rms(g)))
        direction *= jnp.minimum(1.0, _LONGEST_STEP / _rms(direction))
        return unravel(direction), state._replace(params=x, gradient=g, started=jnp.ones((), bool))

    return optax.GradientTransformation(init, update)


def _remember(state: LBFGSState, x: Array, g: Array, initial: Linear) -> LBFGSState:
    """Add the newest pair to the history if its curvature is positive."""
    s, y = x - state.params, g - state.gradient
    curvature = jnp.vdot(s, y)
    keep = state.started & (curvature > _LEAST_CURVATURE)
    slot = state.pairs % state.sy.shape[0]

    # If the pair is skipped, the oldest slot is overwritten with its own value: no branch, no copy.
    def put(ring: jax.Array, new: Array) -> jax.Array:
        return ring.at[slot].set(jnp.where(keep, new, ring[slot]))

    s_ring = put(state.s, s)
    return state._replace(
        pairs=state.pairs + keep,
        s=s_ring,
        y=put(state.y, y),
        sy=put(state.sy.T, _product(s_ring, y)).T,
        scale=jnp.where(keep, curvature / jnp.vdot(y, initial(y)), state.scale),
    )


def _direction(state: LBFGSState, g: Array, initial: Linear) -> Array:
    """Return H g by the compact representation: matrix products in place of the two loops over pairs.

    The loops read the history six times, one vector at a time; this reads it four times, with all threads.
    """
    size = state.sy.shape[0]
    slots = (state.pairs + jnp.arange(size)) % size  # unused ones, which are zero, then the oldest first
    places = (jnp.arange(size) - state.pairs) % size  # the inverse permutation
    R = jnp.triu(state.sy[jnp.ix_(slots, slots)])
    D = jnp.diag(R)
    inverse = _inverse(R + jnp.diag(jnp.where(D > 0, 0, 1)))
    alpha = _product(inverse, _product(state.s, g)[slots])
    r = state.scale * initial(g - _product(alpha[places], state.y))
    c = _product(D * alpha - _product(state.y, r)[slots], inverse)
    return r + _product(c[places], state.s)


def _inverse(R: jax.Array) -> jax.Array:
    """Invert an upper triangular `[m, m]` in blocks of 1, 2, 4, …: [[A, F], [0, C]]⁻¹ = [[A⁻¹, −A⁻¹ F C⁻¹], [0, C⁻¹]].

    With X the inverse of the diagonal blocks and F the blocks that join two of them, this is X − X F X. A triangular
    solver is LAPACK on a CPU, which JAX takes from SciPy: two tenths of a second and 15 MiB to import.
    """
    X = jnp.diag(1 / jnp.diag(R))
    k = 1
    while k < len(R):
        block = np.arange(len(R)) // k
        joins = (block[:, None] // 2 == block // 2) & (block[:, None] < block)
        X -= _product(_product(X, jnp.where(joins, R, 0)), X)
        k *= 2
    return X


def _product(a: Array, b: Array) -> jax.Array:
    """Multiply in full float32. Use history @ vector or vector @ history: history.T @ vector takes 12 times as long."""
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)


def _rms(x: Array) -> Scalar:
    # Scaled by the maximum, as squares of large gradients may overflow float32. Never 0, as it is a divisor.
    tiny = jnp.finfo(x.dtype).tiny
    largest = jnp.maximum(jnp.max(jnp.abs(x)), tiny)
    return jnp.maximum(largest * jnp.sqrt(jnp.mean(jnp.square(x / largest))), tiny)
