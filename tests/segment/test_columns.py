import numpy as np
import pytest

from nst import features
from nst.errors import InputError
from nst.segment.columns import LAYERS, aligned, hypercolumns

GENERATOR = np.random.default_rng(0)
WIDTHS = (256, 512, 512, 2)  # of the layers, then of the position


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random", padding="replicate")


@pytest.fixture(scope="module")
def columns(network):
    return hypercolumns(network, GENERATOR.uniform(0, 1, (64, 96, 3)).astype(np.float32))


def test_each_layer_has_mean_0_and_mean_squared_length_1(columns):
    assert columns.shape == (8, 12, sum(WIDTHS))
    np.testing.assert_allclose(columns.mean(axis=(0, 1), dtype=np.float64), 0, atol=1e-5)
    parts = np.split(columns.astype(np.float64), np.cumsum(WIDTHS)[:-1], axis=2)
    lengths = [np.mean(np.sum(part**2, axis=2)) for part in parts]
    np.testing.assert_allclose(lengths, [*[1] * len(LAYERS), 0.1], rtol=1e-4)


def test_the_position_grows_downward_and_to_the_right(columns):
    assert (np.diff(columns[..., -2], axis=0) > 0).all()
    assert (np.diff(columns[..., -1], axis=1) > 0).all()


def test_layers_of_a_constant_image_are_zero(network):
    constant = hypercolumns(network, np.full((64, 64, 3), 0.3, np.float32))
    np.testing.assert_array_equal(constant[..., :-2], 0)


def test_an_image_smaller_than_a_layer_is_refused(network):
    with pytest.raises(InputError, match="relu5_1"):
        hypercolumns(network, np.zeros((8, 64, 3), np.float32))


def test_aligned_images_share_the_least_variance_of_each_channel():
    spread = np.array([1.0, 2.0, 3.0])
    first, second = (GENERATOR.normal(size=(9, 9, 3)) * s for s in (spread, spread[::-1]))
    first, second = (each - each.mean(axis=(0, 1)) for each in (first, second))
    expected = np.minimum(first.var(axis=(0, 1)), second.var(axis=(0, 1)))
    for each in aligned([first, second]):
        np.testing.assert_allclose(each.var(axis=(0, 1)), expected)


def test_one_image_twice_or_alone_is_aligned_already():
    x = GENERATOR.normal(size=(9, 9, 3))
    x -= x.mean(axis=(0, 1))
    np.testing.assert_array_equal(aligned([x])[0], x)
    for each in aligned([x, x]):
        np.testing.assert_array_equal(each, x)


def test_a_channel_of_one_image_alone_counts_in_neither():
    x = GENERATOR.normal(size=(9, 9, 2))
    first, second = aligned([x - x.mean(axis=(0, 1)), np.zeros((9, 9, 2))])
    assert not first.any()
    assert not second.any()
