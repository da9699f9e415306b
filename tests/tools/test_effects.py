"""Effect sizes and their intervals: coverage on simulated pairs, an exact bootstrap by enumeration, and edge cases."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from tools.findings import effect

#: Deviations of the effects of photographs, of paintings and of single pairs.
SPREADS = {
    "photographs": (1.0, 0.0, 0.3),
    "paintings": (0.0, 1.0, 0.3),
    "both": (1.0, 1.0, 0.5),
    "pairs": (0.0, 0.0, 1.0),
}


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("size", [(5, 3), (8, 4)])
def test_coverage_of_crossed_random_effects(size, spread):
    """The true effect is 20 %. Intervals of two standard errors, as for independent pairs, cover it far too seldom."""
    generator = np.random.default_rng(0)
    photograph, painting, rest = SPREADS[spread]
    simulations, covered, covered_before = 300, 0, 0
    for _ in range(simulations):
        difference = (
            2
            + photograph * generator.normal(size=(size[0], 1))
            + painting * generator.normal(size=(1, size[1]))
            + rest * generator.normal(size=size)
        )
        a = 10 + generator.normal(size=size)
        _, low, high = effect(a, a + difference)
        covered += low <= 0.2 <= high
        error = difference.std(ddof=1) / difference.size**0.5
        covered_before += abs(difference.mean() - 2) <= 2 * error
    # 0.95 ± two standard errors of 300 simulations. The bootstrap counts the spread of single pairs more than once.
    assert covered / simulations > 0.92
    if spread != "pairs":
        assert covered / simulations < 0.99
        assert covered_before / simulations < 0.75


def test_percentiles_are_those_of_all_resamples():
    """Enumerate every resample of three contents and two styles, and widen the interval by hand."""
    a = np.array([[1.0, 2.0], [3.0, 2.5], [2.0, 4.0]])
    b = np.array([[1.5, 2.1], [3.9, 3.5], [2.9, 4.1]])

    def log_ratio(rows, columns):
        chosen = np.ix_(rows, columns)
        return math.log(b[chosen].mean() / a[chosen].mean())

    every = [
        log_ratio(rows, columns)
        for rows in itertools.product(range(3), repeat=3)
        for columns in itertools.product(range(2), repeat=2)
    ]
    contents = [log_ratio([i for i in range(3) if i != out], [0, 1]) for out in range(3)]
    styles = [log_ratio([0, 1, 2], [1 - out]) for out in range(2)]
    parts = {3: 2 * np.var(contents), 2: 1 * np.var(styles)}
    total = sum(parts.values())
    freedom = total**2 / sum(part**2 / (n - 1) for n, part in parts.items())
    factor = stats.t.ppf(0.975, freedom) / stats.norm.ppf(0.975)
    factor *= math.sqrt(total / sum(part * (n - 1) / n for n, part in parts.items()))
    value = log_ratio([0, 1, 2], [0, 1])
    ends = np.quantile(every, [0.025, 0.975], method="inverted_cdf")
    expected = np.expm1([value, *(value + factor * (ends - value))])
    assert effect(a, b) == pytest.approx(expected)


def test_the_effect_is_the_change_of_the_mean_and_contents_and_styles_are_alike():
    generator = np.random.default_rng(1)
    a, b = generator.uniform(1, 2, (2, 4, 4))
    assert effect(a, b).value == pytest.approx(b.mean() / a.mean() - 1)
    assert effect(a, b) == effect(a, b)
    assert effect(a.T, b.T) == pytest.approx(effect(a, b), abs=0.02)  # other random numbers
    assert effect(1000 * a, 1000 * b) == pytest.approx(effect(a, b))


def test_pairs_that_were_not_run_are_left_out():
    generator = np.random.default_rng(2)
    a, b = generator.uniform(1, 2, (2, 4, 3))
    a[0, 0] = b[1, 2] = math.nan
    both = ~np.isnan(a) & ~np.isnan(b)
    value, low, high = effect(a, b)
    assert value == pytest.approx(b[both].mean() / a[both].mean() - 1)
    assert -1 < low < value < high < math.inf


def test_one_pair_has_no_interval():
    assert effect(np.array([[10.0]]), np.array([[5.0]])) == (pytest.approx(-0.5), -1, math.inf)


@pytest.mark.parametrize("size", [(1, 4), (4, 1)])
def test_one_painting_leaves_the_spread_of_photographs(size):
    a, b = np.full(4, 10.0), np.array([14.9, 15.0, 15.1, 15.0])
    value, low, high = effect(a.reshape(size), b.reshape(size))
    assert 0.4 < low < value < high < 0.6


@pytest.mark.parametrize("size", [(2, 2), (1, 3), (5, 3)])
def test_a_constant_ratio_has_an_interval_of_no_width(size):
    a = np.random.default_rng(3).uniform(1, 2, size)
    assert effect(a, a) == (0, 0, 0)
    assert effect(a, 1.5 * a) == pytest.approx((0.5, 0.5, 0.5))


def test_a_side_of_zeros():
    zeros, ones = np.zeros((3, 3)), np.ones((3, 3))
    assert effect(zeros, ones) == (math.inf, math.inf, math.inf)
    assert effect(ones, zeros) == (-1, -1, -1)
    assert effect(zeros, zeros) == (0, 0, 0)
    some = zeros.copy()
    some[0, 0] = 1.0  # many resamples have a mean of 0
    value, low, high = effect(some, ones)
    assert value == pytest.approx(8)
    assert low < 0 < high == math.inf
    assert effect(-ones, ones) == effect(zeros, ones)  # a mean below 0 counts as 0
