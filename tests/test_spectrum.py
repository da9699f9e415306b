"""`smooth` against SciPy's transforms in float64, and what L-BFGS asks of an initial matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.fft

from nst.spectrum import smooth


def weights(*shape):
    """1 / (f + 0.02), f in units of half a cycle a pixel, 1 at the mean."""
    squares = [np.square(2 * scipy.fft.fftfreq(n)) for n in shape]
    f = np.sqrt(sum(np.ix_(*squares), np.zeros(())))
    return 0.02 / (f + 0.02)


@pytest.mark.parametrize("shape", [(8, 6, 3), (7, 9, 1), (1, 5, 2)])
def test_it_weighs_the_spectrum(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    spectrum = scipy.fft.fft2(x, axes=(0, 1)) * weights(*shape[:2])[..., None]
    expected = scipy.fft.ifft2(spectrum, axes=(0, 1)).real
    np.testing.assert_allclose(smooth(jnp.asarray(x, jnp.float32)), expected, atol=1e-6)


def test_it_is_symmetric_and_positive_definite():
    matrix = np.asarray(jax.jacobian(smooth)(jnp.zeros((5, 4))), np.float64).reshape(20, 20)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-6)
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), np.sort(weights(5, 4).ravel()), atol=1e-6)


def test_it_takes_any_structure():
    tree = {"a": jnp.ones((3, 2)), "b": jnp.arange(7.0)}
    smoothed = smooth(tree)
    np.testing.assert_allclose(smoothed["a"], 1, rtol=1e-6)
    assert smoothed["b"].shape == (7,)
    np.testing.assert_allclose(smoothed["b"].mean(), 3, rtol=1e-6)
