"""Effect sizes, with intervals that account for pairs that share a photograph or a painting."""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri, stdtrit

_LEVEL = 0.95
_RESAMPLES = 10_000
_SEED = 0

#: A figure by content and style; NaN if that pair was not run.
Figures = Float[np.ndarray, "contents styles"]


class Effect(NamedTuple):
    """The relative change of a mean, 0.1 for 10 % more, and its 95 % interval."""

    value: float
    low: float
    high: float


def effect(a: Figures, b: Figures) -> Effect:
    """Return the change from the mean of `a` to the mean of `b`, relative to the mean of `a`.

    The interval is that of a pigeonhole bootstrap: contents and styles are resampled independently, since pairs that
    share one of them are not independent (Owen, The Pigeonhole Bootstrap, Annals of Applied Statistics 1(2), 2007).
    Its percentiles alone cover too little with a handful of contents and styles. They are widened on the scale of
    logarithms, which keeps a change above −100 %; see `_widening`.

    Args:
      a: Figures of one side. A mean below 0, which a structural similarity can have, counts as 0.
      b: Figures of the other side, for the same pairs.

    Returns:
      The effect. With a single pair the interval is unbounded: nothing is known about the spread.
    """
    sizes = a.shape
    ones = tuple(np.ones((1, n)) for n in sizes)
    value = _log_ratio(a, b, *ones)[0]
    if max(sizes) == 1:
        return Effect(_relative(value), -1.0, math.inf)
    resampled = _log_ratio(a, b, *_resamples(*sizes))
    tail = (1 - _LEVEL) / 2
    # Each end is one of the resampled values: interpolation fails between infinite ones.
    ends = np.quantile(resampled, [tail, 1 - tail], method="inverted_cdf")
    without_content = _log_ratio(a, b, *_leaving_one_out(ones[0], ones[1]))
    without_style = _log_ratio(a, b, *_leaving_one_out(ones[1], ones[0])[::-1])
    factor = _widening([without_content, without_style])
    low, high = (end if end == value else value + factor * (end - value) for end in ends)
    return Effect(*map(_relative, (value, low, high)))


def _relative(log_ratio: float) -> float:
    return float(np.expm1(log_ratio)) if log_ratio < 700 else math.inf


def _log_ratio(
    a: Figures, b: Figures, contents: Float[np.ndarray, "k contents"], styles: Float[np.ndarray, "k styles"]
) -> Float[np.ndarray, " n"]:
    """Return log(mean of b / mean of a) for each weighting of contents and styles that leaves a pair."""
    present = ~np.isnan(a) & ~np.isnan(b)
    pairs, from_, to = (
        np.sum((contents @ np.where(present, x, 0.0)) * styles, axis=1) for x in (np.ones_like(a), a, b)
    )
    from_, to = np.maximum(from_, 0), np.maximum(to, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(from_ == to, 0.0, np.log(to) - np.log(from_))  # 0 to 0 is no change
    return ratio[pairs > 0]


@functools.cache
def _resamples(contents: int, styles: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the number of times that each content and each style occurs in each resample."""
    generator = np.random.default_rng(_SEED)
    rows, columns = (
        generator.multinomial(n, np.full(n, 1 / n), _RESAMPLES).astype(float) for n in (contents, styles)
    )
    return rows, columns


def _leaving_one_out(ones: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = ones.shape[1]
    return 1 - np.eye(n), np.repeat(others, n, axis=0)


def _widening(leaving_one_out: Sequence[Float[np.ndarray, " _"]]) -> float:
    """Return the factor by which the deviations of the percentiles are multiplied.

    Two corrections for small samples (Hesterberg, What Teachers Should Know About the Bootstrap, The American
    Statistician 69(4), 2015): a resample of n has (n − 1)/n of the variance, and Student's t has longer tails than the
    normal distribution. Hesterberg has one sample; here, contents and styles each have their own n and their own part
    of the variance, by a jackknife, and the degrees of freedom are Satterthwaite's (Biometrics Bulletin 2(6), 1946).

    Args:
      leaving_one_out: The statistic without each content in turn, and without each style.
    """
    parts = [(len(values), _jackknife(values)) for values in leaving_one_out if len(values) > 1]
    # The mean without one of them is 0: the smaller sample decides.
    if any(math.isinf(variance) for _, variance in parts):
        parts = [(min(n for n, _ in parts), 1.0)]
    total = sum(variance for _, variance in parts)
    if total == 0:
        return 1.0
    freedom = total**2 / sum(variance**2 / (n - 1) for n, variance in parts)
    resampled = sum(variance * (n - 1) / n for n, variance in parts)
    end = (1 + _LEVEL) / 2
    return float(stdtrit(freedom, end) / ndtri(end) * math.sqrt(total / resampled))


def _jackknife(values: Float[np.ndarray, " n"]) -> float:
    """Return the jackknife variance of a statistic from its values with each member of the sample left out."""
    if not np.isfinite(values).all():
        return math.inf
    return float((len(values) - 1) * np.var(values))
