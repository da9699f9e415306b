"""The Gram loss and its dual form against NumPy in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import losses
from nst.losses import dual_gram, dual_gram_distance, gram_distance, gram_matrix

GENERATOR = np.random.default_rng(0)


def features(h, w, n):
    return GENERATOR.standard_normal((h, w, n)).astype(np.float32)


def gram64(F):
    F = F.reshape(-1, F.shape[-1]).astype(np.float64)
    return F.T @ F


@pytest.mark.parametrize("shape", [(6, 5, 4), (3, 2, 7)])
def test_style_is_the_papers_equation(shape):
    F, S = features(*shape), features(*shape)
    N, M = shape[2], shape[0] * shape[1]
    expected = np.sum((gram64(F) - gram64(S)) ** 2) / (4 * N**2 * M**2)
    np.testing.assert_allclose(gram_distance(gram_matrix(F), gram_matrix(S)), expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_low_precision_features_have_float32_statistics(dtype):
    F = jnp.full((16, 16, 2), 300, dtype)
    G, M = gram_matrix(F)
    assert G.dtype == M.dtype == jnp.float32
    np.testing.assert_allclose(G, np.full((2, 2), 256 * float(F[0, 0, 0]) ** 2), rtol=1e-6)


def test_the_gram_matrix_is_differentiated_forward_and_backward():
    F, dF, cotangent = features(3, 4, 5), features(3, 4, 5), features(5, 5, 1)[..., 0]
    f, df, c = (x.reshape(-1, 5).astype(np.float64) for x in (F, dF, cotangent))
    _, forward = jax.jvp(lambda F: gram_matrix(F).G, (F,), (dF,))
    np.testing.assert_allclose(forward, df.T @ f + f.T @ df, rtol=1e-5, atol=1e-5)
    _, pull = jax.vjp(lambda F: gram_matrix(F).G, F)
    np.testing.assert_allclose(pull(cotangent)[0].reshape(-1, 5), f @ (c + c.T), rtol=1e-5, atol=1e-5)


def rectified(m, n, loudness):
    """Return features of frames: rectified, correlated, of varying loudness."""
    common = GENERATOR.random(n)
    F = np.maximum(common + 0.5 * GENERATOR.standard_normal((m, n)), 0) * GENERATOR.uniform(*loudness, (m, 1))
    return F[None].astype(np.float32)


def distance64(F, S, p=None):
    """Return Σ (G/M − A/M′)² / 4N², its gradient and Σ (A/M′)² / 4N², in float64, positions of F weighted by p."""
    F, S = F[0].astype(np.float64), S[0].astype(np.float64)
    p = np.full(len(F), 1 / len(F)) if p is None else p / p.sum()
    A = S.T @ S / len(S)
    difference, N = F.T @ (p[:, None] * F) - A, F.shape[1]
    gradient = p[:, None] * (F @ difference) / N**2
    return np.sum(difference**2) / (4 * N**2), gradient, np.sum(A**2) / (4 * N**2)


def by_dual_form(S):
    """Return a function that gives the distance to S and its gradient."""
    target = dual_gram(S)
    return jax.value_and_grad(lambda F, mask: dual_gram_distance(dual_gram(F, mask), target))


@pytest.mark.parametrize("weighted", [False, True])
def test_the_dual_form_has_the_distance_of_gram_matrices(weighted):
    F, S = rectified(20, 80, (0, 2)), rectified(31, 80, (1, 1.5))
    p = GENERATOR.random((1, 20)).astype(np.float32) if weighted else None
    value, gradient = by_dual_form(S)(F, p)
    expected, slope, _ = distance64(F, S, p if p is None else p[0].astype(np.float64))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient[0], slope, rtol=1e-4, atol=1e-6 * np.abs(slope).max())


@pytest.mark.parametrize("by", ["dual", "gram"])
def test_rounding_errors_are_small_near_the_style(by):
    """If G differs from A by a hundredth, the distance is a ten-thousandth of the terms that it subtracts."""
    S = rectified(150, 512, (1, 1.5))
    F = S[:, GENERATOR.permutation(150)] * (1 + 0.05 * GENERATOR.standard_normal(S.shape))
    F = F.astype(np.float32)
    expected, slope, size = distance64(F, S)
    assert 1e-5 < expected / size < 1e-3
    if by == "dual":
        value, gradient = by_dual_form(S)(F, None)
    else:
        A = gram_matrix(S)
        value, gradient = jax.value_and_grad(lambda F: gram_distance(gram_matrix(F), A))(F)
    assert abs(float(value) - expected) < 2e-8 * size
    assert np.linalg.norm(gradient[0] - slope) < 1e-4 * np.linalg.norm(slope)


def test_the_dual_form_is_never_negative():
    S = rectified(40, 100, (0.1, 2))
    for _ in range(20):
        F = S[:, GENERATOR.permutation(40)]
        value, gradient = by_dual_form(S)(F, None)
        assert 0 <= value < 1e-6 * distance64(F, S)[2]
        assert 0 < np.abs(gradient).max() < 1e-5


def test_the_gram_loss_has_a_dual_form():
    assert losses.STYLE_LOSSES["gram"].form.dual.statistics is dual_gram
