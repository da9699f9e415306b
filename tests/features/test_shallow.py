"""Random filters of several sizes against SciPy, and the scale of their activations."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from nst import features
from nst.errors import InputError
from nst.features import shallow
from nst.features.normalise import photographs
from nst.features.shallow import MEAN

# The paddings by SciPy's names.
MODES = {"zeros": "constant", "reflect": "mirror", "replicate": "nearest"}


@pytest.mark.parametrize("padding", sorted(MODES))
def test_it_is_scipys_correlation(padding):
    image = np.random.default_rng(0).random((17, 22, 3), np.float32)
    x = (image.astype(np.float64) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    layers = ("conv5", "relu5", "relu11")
    computed = features.load("shallow", padding=padding, seed=2)(image, layers)
    assert tuple(computed) == layers
    for size, layer in ((5, "conv5"), (11, "relu11")):
        filters = shallow.kernel(size, seed=2).astype(np.float64)
        for n in (0, 64, 127):
            expected = sum(
                scipy.ndimage.correlate(x[..., c], filters[..., c, n], mode=MODES[padding]) for c in range(3)
            )
            if layer.startswith("relu"):
                expected = np.maximum(expected, 0)
            np.testing.assert_allclose(computed[layer][..., n], expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(computed["relu5"], np.maximum(computed["conv5"], 0))


def test_the_filters_are_the_articles():
    sizes = (3, 5, 7, 11, 15, 23, 37, 55)
    assert sizes == shallow.SIZES
    for size in sizes:
        kernel = shallow.kernel(size, seed=0)
        assert (kernel.shape, kernel.dtype) == ((size, size, 3, 128), np.float32)
        bound = MEAN * np.sqrt(2 * np.pi) / size
        assert 0.99 * bound < np.abs(kernel).max() <= bound * (1 + 1e-6)
        assert kernel.std() == pytest.approx(bound / np.sqrt(3), rel=0.03)  # uniform


def test_the_filters_are_the_same_on_every_platform():
    kernel = shallow.kernel(3, seed=0)
    expected = np.random.default_rng([0, 3]).random((3, 3, 3, 128))[0, 0, 0, :3]
    np.testing.assert_allclose(
        kernel[0, 0, 0, :3], (2 * expected - 1) * MEAN * np.sqrt(2 * np.pi) / 3, rtol=1e-6
    )
    assert not np.array_equal(shallow.kernel(3, seed=1), kernel)


def test_the_mean_activation_of_photographs_is_as_stated():
    network, layers = features.load("shallow"), ("relu3", "relu7", "relu15")
    means = [[float(x.mean()) / MEAN for x in network(image, layers).values()] for image in photographs()]
    assert np.all((np.mean(means, 0) > 0.6) & (np.mean(means, 0) < 1.4)), np.mean(means, 0)


def test_freezing_drops_other_sizes():
    network = features.load("shallow").freeze(["relu7", "conv11"])
    sizes = [size for size in shallow.SIZES if getattr(network, f"conv{size}") is not None]
    assert sizes == [7, 11]
    assert list(network(jnp.zeros((8, 8, 3)), ["relu11", "relu7"])) == ["relu11", "relu7"]


def test_a_small_image_may_be_smaller_than_the_filters_unless_it_is_reflected():
    image = np.random.default_rng(0).random((3, 4, 3), np.float32)
    for padding in ("zeros", "replicate"):
        assert features.load("shallow", padding=padding)(image, ["relu15"])["relu15"].shape == (3, 4, 128)
    with pytest.raises(InputError, match="at least 8 pixels"):
        features.load("shallow", padding="reflect")(image, ["relu15"])
    with pytest.raises(InputError, match="choose from zeros, reflect, replicate"):
        features.load("shallow", padding="wrap")
