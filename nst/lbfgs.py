"""Limited-memory BFGS without a line search, as an optax transformation.

Source: Byrd, Nocedal and Schnabel, Representations of Quasi-Newton Matrices and their Use in Limited Memory Methods,
Mathematical Programming 1994, theorem 2.2 (the matrix), and Nocedal and Wright, Numerical Optimization, equation 7.20
(the scaling of the initial one). One loss and gradient a step: near a minimum of this field's losses the unit step is
a good one, and a line search spends two more evaluations to confirm it.

`optax.scale_by_lbfgs` differs in a respect that decides the first twenty steps: it also keeps pairs of negative
curvature, after which its matrix is no longer positive definite. Here such a pair is skipped, as in PyTorch. Beyond
both, the first step and the longest one have a stated length, so that large losses do not diverge.
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

# Root mean squares of a step, in the parameters' units (pixels in [0, 1]): one grey level of 255 to begin with, which
# is enough for the first difference of gradients to rise above their rounding, where PyTorch's step of length
# 1 / ‖g‖₁ is not; and a limit that only a wrong curvature reaches.
_FIRST_STEP = 0.004
_LONGEST_STEP = 0.1

#: A linear map of parameters, or of their gradient, to parameters.
Linear = Callable[[Any], Any]


class LBFGSState(NamedTuple):
    """The last `m` pairs s = x⁺ − x, y = g⁺ − g, in rings, with their products; and what the next pair is made of."""

    kept: jax.Array  # pairs kept so far; the oldest are written over
    s: jax.Array  # [m, n]
    y: jax.Array  # [m, n]
    sy: jax.Array  # [m, m], sᵢᵀyⱼ where pair i is no newer than pair j
    scale: Scalar  # γ = sᵀy / yᵀH₀y of the newest pair, the factor of the initial matrix H₀
    params: Array  # [n], of the step before, as the gradient
    gradient: Array
    started: Array  # whether there was a step before


def scale_by_lbfgs(
    memory_size: int, initial: Linear = lambda x: x, stretch: float = 1.0
) -> optax.GradientTransformation:
    """Multiply a gradient by the L-BFGS approximation of the inverse Hessian.

    Args:
      memory_size: How many pairs are kept; each costs twice the memory of the parameters.
      initial: Multiplies by the initial matrix H₀, up to the factor γ of equation 7.20: any linear map that is
        symmetric and positive definite; the identity by default. It is the same as L-BFGS in the coordinates
        z = H₀^(−½) x.
      stretch: Multiplies γ, which is measured along the newest y, where much curvature prevails: the history holds
        that. In what it does not hold there is less, and so H₀ may be larger there than γ says.
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
        direction = jnp.where(state.kept > 0, quasi_newton, g * (_FIRST_STEP / _rms(g)))
        direction *= jnp.minimum(1.0, _LONGEST_STEP / _rms(direction))
        return unravel(direction), state._replace(params=x, gradient=g, started=jnp.ones((), bool))

    return optax.GradientTransformation(init, update)


def _remember(state: LBFGSState, x: Array, g: Array, initial: Linear) -> LBFGSState:
    """Keep the newest pair if its curvature is positive."""
    s, y = x - state.params, g - state.gradient
    curvature = jnp.vdot(s, y)
    keep = state.started & (curvature > _LEAST_CURVATURE)
    slot = state.kept % state.sy.shape[0]

    # A pair that is not kept is written over the oldest one's slot with what stands there: no branch, no copy.
    def put(ring: jax.Array, new: Array) -> jax.Array:
        return ring.at[slot].set(jnp.where(keep, new, ring[slot]))

    s_ring = put(state.s, s)
    return state._replace(
        kept=state.kept + keep,
        s=s_ring,
        y=put(state.y, y),
        sy=put(state.sy.T, _product(s_ring, y)).T,
        scale=jnp.where(keep, curvature / jnp.vdot(y, initial(y)), state.scale),
    )


def _direction(state: LBFGSState, g: Array, initial: Linear) -> Array:
    """H g by the compact representation: what the two loops compute one pair after the other, as products of matrices.

    The loops read the history six times, a vector at a time; this reads it four times, with all threads.
    """
    size = state.sy.shape[0]
    slots = (state.kept + jnp.arange(size)) % size  # oldest first; those not used yet, all zeros, before
    places = (jnp.arange(size) - state.kept) % size  # the inverse
    R = jnp.triu(state.sy[jnp.ix_(slots, slots)])
    D = jnp.diag(R)
    inverse = _inverse(R + jnp.diag(jnp.where(D > 0, 0, 1)))
    alpha = _product(inverse, _product(state.s, g)[slots])
    r = state.scale * initial(g - _product(alpha[places], state.y))
    c = _product(D * alpha - _product(state.y, r)[slots], inverse)
    return r + _product(c[places], state.s)


def _inverse(R: jax.Array) -> jax.Array:
    """Of an upper triangular `[m, m]`, by blocks of 1, 2, 4, …: [[A, F], [0, C]]⁻¹ = [[A⁻¹, −A⁻¹ F C⁻¹], [0, C⁻¹]].

    With X the inverses of the blocks along the diagonal, and F what joins two of them, that is X − X F X. A solver is
    LAPACK on a CPU, which JAX has from SciPy: two tenths of a second and 15 MiB to import.
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
    """In full float32. A history comes first, or last: its transpose times a vector takes 12 times as long."""
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)


def _rms(x: Array) -> Scalar:
    # Scaled by the maximum: squares of this field's gradients may overflow float32. Never 0: it is divided by.
    tiny = jnp.finfo(x.dtype).tiny
    largest = jnp.maximum(jnp.max(jnp.abs(x)), tiny)
    return jnp.maximum(largest * jnp.sqrt(jnp.mean(jnp.square(x / largest))), tiny)
