"""Grids, zips, products and random search against their definitions."""

import itertools
import math

import numpy as np
import pytest

from nst import overrides


def test_a_grid_is_every_combination():
    combinations = [tuple(o.values()) for o in overrides.grid({"a": (1, 2), "b": "xyz"})]
    assert combinations == list(itertools.product((1, 2), "xyz"))
    assert list(overrides.grid({})) == [{}]


def test_a_zip_takes_one_of_each():
    assert list(overrides.zipped({"a": (1, 2), "b": (3, 4)})) == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]
    with pytest.raises(ValueError, match="shorter"):
        list(overrides.zipped({"a": (1, 2), "b": (3,)}))


def test_sweeps_are_crossed():
    crossed = list(overrides.crossed([{"a": 1}, {"a": 2}], [{"b": 3}, {"a": 4}]))
    assert crossed == [{"a": 1, "b": 3}, {"a": 4}, {"a": 2, "b": 3}, {"a": 4}]


def test_random_search_is_seeded_and_grows():
    fields = {
        "rate": overrides.log_uniform(1e-3, 1e1),
        "x": overrides.uniform(2, 3),
        "p": overrides.choice("a", "b"),
    }
    drawn = list(overrides.random(400, fields, seed=1))
    assert drawn[:7] == list(overrides.random(7, fields, seed=1))
    assert drawn[:7] != list(overrides.random(7, fields, seed=2))
    decades = np.array([math.log10(o["rate"]) for o in drawn])
    np.testing.assert_allclose(np.histogram(decades, np.arange(-3, 2))[0] / 400, 0.25, atol=0.08)
    assert all(2 <= o["x"] <= 3 for o in drawn)
    assert {o["p"] for o in drawn} == {"a", "b"}
