"""`smooth` against its definition in float64, and the properties that L-BFGS needs of an initial matrix."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst.optim.preconditioner import smooth


def halving(n):
    """Return D of one axis as a matrix: each row has the taps (1, 3, 3, 1) √2 / 8, mirrored at the borders."""
    D = np.zeros((-(-n // 2), n))
    for row in range(len(D)):
        for i, tap in enumerate((1, 3, 3, 1)):
            j = 2 * row - 1 + i
            D[row, -1 - j if j < 0 else min(j, 2 * n - 1 - j)] += np.sqrt(2) * tap / 8
    return D if n > 1 else np.eye(1)


def matrix(h, w):
    """Return H of images `[h, w]`, flattened by rows."""
    total, D = np.eye(h * w), np.eye(h * w)
    for level in range(1, 5):
        if h == w == 1:
            break
        D = np.kron(halving(h), halving(w)) @ D
        h, w = -(-h // 2), -(-w // 2)
        last = level == 4 or h == w == 1
        total += (2**level if last else 2 ** (level - 1)) * D.T @ D
    return total


@pytest.mark.parametrize("shape", [(8, 6), (7, 9), (1, 5), (33, 20), (1, 1)])
def test_smooth_weights_the_levels(shape):
    basis = jnp.eye(np.prod(shape)).reshape(-1, *shape)
    H = np.asarray(jax.jit(jax.vmap(smooth))(basis), np.float64).reshape(len(basis), -1)
    np.testing.assert_allclose(H, matrix(*shape), rtol=1e-5, atol=1e-5)
    assert np.linalg.eigvalsh(H).min() > 0.99


def test_low_frequencies_have_larger_weights():
    x = np.arange(128)
    waves = np.cos(np.pi * (x + 0.5) * np.array([[4], [8], [16], [32], [64]]) / 128)
    gains = [
        float(np.vdot(wave, smooth(jnp.asarray(wave[:, None], jnp.float32))[:, 0]) / np.vdot(wave, wave))
        for wave in waves
    ]
    assert all(1.3 < a / b < 3 for a, b in itertools.pairwise(gains)), gains


def test_smooth_takes_any_structure():
    tree = {"a": jnp.ones((3, 2, 4)), "b": jnp.arange(7.0)}
    smoothed = jax.jit(smooth)(tree)
    assert smoothed["a"].shape == (3, 2, 4)
    np.testing.assert_allclose(smoothed["b"], matrix(7, 1) @ np.arange(7), rtol=1e-5)
