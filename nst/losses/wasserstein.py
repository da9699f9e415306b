"""The squared 2-Wasserstein distance between Gaussians with the means and covariances of the features.

‖μ − μ′‖² + tr C + tr C′ − 2 tr (C′^½ C C′^½)^½ (Dowson and Landau, The Fréchet Distance between Multivariate Normal
Distributions, Journal of Multivariate Analysis 1982), over the number of filters N. As a style loss: crowsonkb,
style-transfer-pytorch.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from nst.losses.gram import gram_matrix, product
from nst.losses.moments import Moments, flat
from nst.types import Array, Mask, Scalar


def _scales(resolution: float, iterations: int) -> tuple[float, ...]:
    """Return the scale ρ of each iteration, which maps x to ρx (3 − ρ²x²) / 2.

    x is the root of an eigenvalue in units of the norm, within [l, 1]; at first l² is the resolution. With this ρ both
    ends of the interval are mapped to the same value, which is the next l.
    """
    scales, low = [], resolution**0.5
    for _ in range(iterations):
        scales.append((3 / (1 + low + low**2)) ** 0.5)
        low = scales[-1] * low * (3 - (scales[-1] * low) ** 2) / 2
    return tuple(scales)


#: Scales of the 7 Newton–Schulz iterations. The roots of eigenvalues down to 3e-4 of the norm have relative errors
#: below 1e-5; 12 iterations of scale 1 leave 6e-3. The roots of smaller eigenvalues are too small and their gradients
#: bounded, so that singular covariances do no harm.
SCALES = _scales(3e-4, 7)


class Gaussian(NamedTuple):
    """The target of `wasserstein_distance` and of its dual form: mean and covariance of the style.

    Attributes:
      mean: μ′.
      C: The covariance C′ in the dual form, otherwise its root C′^½.
      spread: tr C′, the total variance.
      M: The number of positions.
    """

    mean: Float[Array, " n"]
    C: Float[Array, "n n"]
    spread: Scalar
    M: Scalar


class Centered(NamedTuple):
    """The features of a layer with few positions, in place of their covariance. Not additive.

    Attributes:
      mean: μ.
      X: √p (f − μ) of each position, with p its normalized weight: the covariance is XᵀX.
      M: The number of positions.
    """

    mean: Float[Array, " n"]
    X: Float[Array, "m n"]
    M: Scalar


def second_moments(features: Float[Array, "h w n"], mask: Mask | None = None) -> Moments:
    """Return Σ f, Σ f fᵀ and M."""
    F, w = flat(features, mask)
    return Moments(jnp.sum(w * F, 0), gram_matrix(features, mask).G, jnp.sum(w))


def centered(features: Float[Array, "h w n"], mask: Mask | None = None) -> Centered:
    """Return the statistics in dual form; same arguments as `second_moments`."""
    F, w = flat(features, mask)
    total = jnp.sum(w)
    p = w / jnp.where(total > 0, total, 1)
    mean = jnp.sum(p * F, 0)
    return Centered(mean, jnp.sqrt(p) * (F - mean), total)


def gaussian(features: Float[Array, "h w n"], mask: Mask | None = None) -> Gaussian:
    """Return the target of `wasserstein_distance`; same arguments as `second_moments`."""
    target = dual_gaussian(features, mask)
    return target._replace(C=roots(target.C)[0])


def dual_gaussian(features: Float[Array, "h w n"], mask: Mask | None = None) -> Gaussian:
    """Return the target of `dual_wasserstein_distance`; same arguments as `second_moments`."""
    statistics = second_moments(features, mask)
    C = covariance(statistics)
    return Gaussian(statistics.mean, C, jnp.trace(C), statistics.M)


def covariance(statistics: Moments) -> Float[Array, "n n"]:
    """Return E[f fᵀ] − μ μᵀ."""
    return statistics.S / statistics.positions - statistics.mean[:, None] * statistics.mean


def wasserstein_distance(statistics: Moments, target: Gaussian) -> Scalar:
    """Return the squared distance / N, 0 if either has no position."""
    C = covariance(statistics)
    joint = product(target.C, product(C, target.C))
    return _distance(statistics.mean, jnp.trace(C), joint, statistics.M, target)


def dual_wasserstein_distance(statistics: Centered, target: Gaussian) -> Scalar:
    """Return the `wasserstein_distance` of the same features, by inner products of positions."""
    X = statistics.X
    joint = product(X.T, product(target.C, X.T))  # has the nonzero eigenvalues of C′^½ XᵀX C′^½
    return _distance(statistics.mean, jnp.sum(jnp.square(X)), joint, statistics.M, target)


def _distance(mean: Array, spread: Array, joint: Array, M: Array, target: Gaussian) -> Scalar:
    """Return (‖μ − μ′‖² + tr C + tr C′ − 2 tr S^½) / N; S, `joint`, has the eigenvalues of C′^½ C C′^½."""
    apart = jnp.sum(jnp.square(mean - target.mean))
    distance = apart + spread + target.spread - 2 * trace_of_root(joint)
    return jnp.where((M > 0) & (target.M > 0), distance / target.mean.size, 0)


@jax.custom_vjp
def trace_of_root(S: Float[Array, "n n"]) -> Scalar:
    """Return tr S^½ of a symmetric, positive semidefinite matrix. Its gradient is ½ S^−½."""
    return jnp.trace(roots(S)[0])


def _forward(S: Array) -> tuple[Scalar, Array]:
    Y, Z, T, size = _before_last(S)
    return jnp.sum(Y * T.T) * size, product(T.T, Z) / size


def _backward(inverse: Array, cotangent: Scalar) -> tuple[Array]:
    return (cotangent * (inverse + inverse.T) / 4,)


trace_of_root.defvjp(_forward, _backward)


def roots(S: Float[Array, "n n"]) -> tuple[Float[Array, "n n"], Float[Array, "n n"]]:
    """Return S^½ and S^−½ of a symmetric, positive semidefinite matrix.

    By coupled Newton–Schulz iterations (Higham, Functions of Matrices, 2008, equation 6.35), scaled as in Chen and
    Chow, A Stable Scaling of Newton-Schulz for Improving the Sign Function Computation of a Hermitian Matrix, 2014.
    """
    Y, Z, T, size = _before_last(S)
    return product(Y.T, T) * size, product(T.T, Z) / size


def _before_last(S: Array) -> tuple[Array, Array, Array, Array]:
    """Return Y, Z, T and s of the last iteration: S^½ is s Y T, and S^−½ is T Z / s."""
    identity = jnp.eye(S.shape[0], dtype=S.dtype)
    # Avoid a division by 0 for a matrix of zeros.
    norm = jnp.maximum(jnp.linalg.norm(S), 1e-30)

    def factor(ZY: Array, scale: float) -> Array:
        return (3 * scale * identity - scale**3 * ZY) / 2

    first, second, *others = SCALES
    Y = S / norm
    Z = factor(Y, first)  # the first Z is the identity, which needs no product
    Y = product(Y.T, Z)
    T = factor(product(Z.T, Y), second)
    for scale in others:  # unrolled: on a CPU, XLA runs the body of a compiled loop on one thread
        Y, Z = product(Y.T, T), product(T.T, Z)
        T = factor(product(Z.T, Y), scale)
    return Y, Z, T, jnp.sqrt(norm)
