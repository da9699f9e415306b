"""Distances between the features of one layer and those of the style image, in four forms.

Each is 0 for the same features in any order, and relative to the size of the style's features: a layer of zeros would
have 1. So figures are comparable between layers and image sizes. Statistics are float64 on the host.
"""

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

#: Random directions of `sliced`. They never change, so that figures are comparable.
DIRECTIONS = 64
_SEED = 0


@dataclass(frozen=True)
class Moments:
    """The statistics of a layer's features f at M positions."""

    second: Float[np.ndarray, "n n"]  # E[f fᵀ], which is G / M
    mean: Float[np.ndarray, " n"]
    slices: Float[np.ndarray, "d m"]  # θᵀf for each direction θ, sorted
    shares: Float[np.ndarray, "d m"] | None = (
        None  # the share of each of them in its region; None for equal ones
    )

    @functools.cached_property
    def root(self) -> Float[np.ndarray, "n n"]:
        """Σ^½, symmetric; cached, as every result is compared with the same style."""
        return _root(self.covariance)

    @property
    def covariance(self) -> Float[np.ndarray, "n n"]:
        """Σ = E[f fᵀ] − μμᵀ."""
        return self.second - np.outer(self.mean, self.mean)

    @property
    def deviation(self) -> Float[np.ndarray, " n"]:
        """σ of each channel."""
        return np.sqrt(np.maximum(np.diag(self.second) - np.square(self.mean), 0))


@functools.cache
def directions(channels: int) -> Float[np.ndarray, "n d"]:
    """Return directions θ, uniform on the sphere, that depend only on the number of channels."""
    drawn = np.random.Generator(np.random.PCG64(_SEED)).standard_normal((channels, DIRECTIONS))
    return (drawn / np.linalg.norm(drawn, axis=0)).astype(np.float32)


def gram(x: Moments, style: Moments) -> float:
    """Return ‖G/M − A/M′‖² / ‖A/M′‖², in the Frobenius norm."""
    return _ratio(np.sum(np.square(x.second - style.second)), np.sum(np.square(style.second)))


def moments(x: Moments, style: Moments) -> float:
    """Return (‖μ − μ′‖² + ‖σ − σ′‖²) / E‖f′‖²."""
    apart = np.sum(np.square(x.mean - style.mean)) + np.sum(np.square(x.deviation - style.deviation))
    return _ratio(apart, np.trace(style.second))


def wasserstein(x: Moments, style: Moments) -> float:
    """Return W₂² of the Gaussians with these means and covariances, / E‖f′‖².

    W₂² = ‖μ − μ′‖² + tr Σ + tr Σ′ − 2 tr (Σ′^½ Σ Σ′^½)^½: Dowson and Landau, The Fréchet distance between multivariate
    normal distributions, 1982, in the symmetric form that needs no root of an asymmetric matrix.
    """
    if not (np.isfinite(x.second).all() and np.isfinite(style.second).all()):
        return float("nan")  # eigenvalues are only defined for finite values
    eigenvalues = np.linalg.eigvalsh(style.root @ x.covariance @ style.root)
    shared = np.sum(np.sqrt(np.maximum(eigenvalues, 0)))
    apart = np.sum(np.square(x.mean - style.mean))
    spread = np.trace(x.covariance) + np.trace(style.covariance) - 2 * shared
    return _ratio(max(apart + spread, 0.0), np.trace(style.second))  # rounding may go below 0


def sliced(x: Moments, style: Moments) -> float:
    """Return N · mean over directions θ of W₂²(θᵀf, θᵀf′), / E‖f′‖².

    The mean of (θᵀv)² over all directions is ‖v‖² / N, so the factor N makes it comparable to `wasserstein`.
    """
    none = [None] * len(x.slices)
    columns = (x.slices, style.slices, none if x.shares is None else x.shares)
    columns += (none if style.shares is None else style.shares,)
    apart = [line_distance(*row) for row in zip(*columns, strict=True)]
    return _ratio(len(style.mean) * np.mean(apart), np.trace(style.second))


def ordered(
    samples: Float[np.ndarray, "*d m"], weights: Float[np.ndarray, " m"] | None
) -> tuple[Float[np.ndarray, "*d k"], Float[np.ndarray, "*d k"] | None]:
    """Return samples in ascending order and their shares; samples of weight 0 are left out.

    Args:
      samples: One sample for each direction.
      weights: The weights of positions; None for equal ones, whose shares are None.
    """
    if weights is None:
        return np.sort(samples, axis=-1), None
    present = weights > 0
    samples, shares = samples[..., present], (weights / np.sum(weights, dtype=np.float64))[present]
    order = np.argsort(samples, axis=-1)
    return np.take_along_axis(samples, order, axis=-1), shares[order]


def line_distance(
    a: Float[np.ndarray, " m"],
    b: Float[np.ndarray, " k"],
    p: Float[np.ndarray, " m"] | None = None,
    q: Float[np.ndarray, " k"] | None = None,
) -> np.floating:
    """Return W₂² of two sorted samples: the mean square difference of their quantile functions, which are steps.

    Args:
      a: A sample.
      b: The other one.
      p: The share of each value of `a`; None for equal ones.
      q: The same for `b`.
    """
    if p is not None or q is not None:
        return _weighted_distance(*_float64(a, p), *_float64(b, q))
    if len(a) == len(b):
        return np.mean(np.square(a - b), dtype=np.float64)
    i, j, width = _steps(len(a), len(b))
    return np.sum(width * np.square(a[i] - b[j], dtype=np.float64))


def _float64(a: np.ndarray, p: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(a, np.float64), np.full(len(a), 1 / len(a)) if p is None else p


def _weighted_distance(a: np.ndarray, p: np.ndarray, b: np.ndarray, q: np.ndarray) -> np.floating:
    """Return ∫ (A − B)² of quantile functions, as Σ p a² + Σ q b² − 2 ∫ A B: the integral of B is piecewise linear."""
    ends, others, integral = (np.concatenate([[0.0], np.cumsum(x)]) for x in (p, q, q * b))
    joint = np.sum(a * np.diff(np.interp(ends, others, integral)))
    return np.maximum(np.sum(p * a**2) + np.sum(q * b**2) - 2 * joint, 0)  # rounding may go below 0


@functools.lru_cache(maxsize=2)
def _steps(m: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the intervals in which both quantile functions are constant: the index into each sample, and the width."""
    ends = np.union1d(np.arange(1, m + 1) * k, np.arange(1, k + 1) * m)  # in units of 1 / (m k)
    starts = np.concatenate([[0], ends[:-1]])
    return starts // k, starts // m, (ends - starts) / (m * k)


def _root(A: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """Return the symmetric root of a covariance, whose eigenvalues may be below 0 by rounding."""
    eigenvalues, Q = np.linalg.eigh(A)
    return (Q * np.sqrt(np.maximum(eigenvalues, 0))) @ Q.T


def _ratio(value: float | np.floating, unit: float | np.floating) -> float:
    """Return the ratio, or NaN if the style has no features to compare with; the caller reports that by name."""
    return float(value / unit) if unit > 0 else float("nan")
