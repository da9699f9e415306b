"""Losses against NumPy in float64, finite differences, and additivity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import losses

GENERATOR = np.random.default_rng(0)


def features(h, w, n):
    return GENERATOR.standard_normal((h, w, n)).astype(np.float32)


def gram64(F):
    F = F.reshape(-1, F.shape[-1]).astype(np.float64)
    return F.T @ F


@pytest.fixture
def layers():
    return {"relu1_1": features(6, 5, 4), "relu2_1": features(3, 2, 7)}


def test_content_loss(layers):
    target = {name: F + features(*F.shape) for name, F in layers.items()}
    expected = sum(0.5 * np.sum((F.astype(np.float64) - target[name]) ** 2) for name, F in layers.items())
    np.testing.assert_allclose(losses.content_loss(layers, target), expected, rtol=1e-6)


def test_total_variation():
    x = features(5, 4, 3)
    y = x.astype(np.float64)
    expected = sum(
        (y[i, j] - y[k, m]) @ (y[i, j] - y[k, m])
        for i in range(5)
        for j in range(4)
        for k, m in ((i + 1, j), (i, j + 1))
        if k < 5 and m < 4
    )
    np.testing.assert_allclose(losses.total_variation(x), expected, rtol=1e-6)


def test_style_is_the_papers_equation(layers):
    style = {name: features(*F.shape) for name, F in layers.items()}
    weights = {"relu1_1": 0.3, "relu2_1": 0.7}
    expected = 0
    for name, F in layers.items():
        N, M = F.shape[-1], F.shape[0] * F.shape[1]
        expected += weights[name] / (4 * N**2 * M**2) * np.sum((gram64(F) - gram64(style[name])) ** 2)
    style_loss = losses.STYLE_LOSSES["gram"]
    arrays = {name: jnp.float32(weight) for name, weight in weights.items()}
    actual = style_loss.distance(style_loss.statistics(layers), style_loss.statistics(style), arrays)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_pictures_of_two_sizes_are_divided_by_their_own_count():
    F = features(4, 4, 3)
    repeated = np.tile(F, (2, 3, 1))
    one = {"a": jnp.float32(1)}
    statistics = losses.gram_statistics
    assert float(losses.gram_distance(statistics({"a": F}), statistics({"a": repeated}), one)) < 1e-12


def test_statistics_of_tiles_add_up_to_those_of_the_whole():
    F = features(6, 8, 5)
    tiles = [losses.gram_matrix(tile) for tile in (F[:2], F[2:, :3], F[2:, 3:])]
    total = jax.tree.map(lambda *parts: sum(parts), *tiles)
    whole = losses.gram_matrix(F)
    np.testing.assert_allclose(total.G, whole.G, rtol=1e-5, atol=1e-5)
    assert total.M == whole.M


def test_a_weight_of_zero_takes_a_region_out():
    F = features(6, 8, 5)
    weight = np.zeros((6, 8), np.float32)
    weight[1:4, 2:7] = 1
    inside, masked = losses.gram_matrix(F[1:4, 2:7]), losses.gram_matrix(F, weight)
    np.testing.assert_allclose(masked.G, inside.G, rtol=1e-5, atol=1e-5)
    assert masked.M == inside.M


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_low_precision_features_have_float32_statistics(dtype):
    F = jnp.full((16, 16, 2), 300, dtype)
    G, M = losses.gram_matrix(F)
    assert G.dtype == M.dtype == jnp.float32
    np.testing.assert_allclose(G, np.full((2, 2), 256 * float(F[0, 0, 0]) ** 2), rtol=1e-6)


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_low_precision_features_have_float32_losses(dtype):
    # The squares and sums of these overflow float16, and vanish beside each other in bfloat16.
    F, P = jnp.full((16, 16, 2), 300, dtype), jnp.zeros((16, 16, 2), dtype)
    content, gradient = jax.value_and_grad(lambda F: losses.content_loss({"a": F}, {"a": P}))(F)
    assert content.dtype == jnp.float32
    np.testing.assert_allclose(content, 0.5 * 512 * float(F[0, 0, 0]) ** 2, rtol=1e-6)
    assert np.isfinite(np.float32(gradient)).all()
    statistics = losses.gram_statistics({"a": F})
    style = losses.gram_distance(statistics, losses.gram_statistics({"a": P}), {"a": jnp.float32(1)})
    assert style.dtype == jnp.float32
    np.testing.assert_allclose(style, 4 * float(F[0, 0, 0]) ** 4 / 16, rtol=1e-6)


def test_gradient_against_finite_differences(layers):
    style = losses.gram_statistics({name: features(*F.shape) for name, F in layers.items()})
    target = {name: features(*F.shape) for name, F in layers.items()}
    weights = {name: jnp.float32(0.5) for name in layers}

    def total(features):
        distance = losses.gram_distance(losses.gram_statistics(features), style, weights)
        return losses.content_loss(features, target) + 10 * distance

    direction = {name: features(*F.shape) for name, F in layers.items()}
    gradient = jax.grad(total)(layers)
    slope = sum(float(np.vdot(gradient[name], direction[name])) for name in layers)
    with jax.enable_x64(True):
        step = 1e-2
        ends = [
            float(total({n: np.float32(F + sign * step * direction[n]) for n, F in layers.items()}))
            for sign in (1, -1)
        ]
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * step), rtol=5e-3)


def test_the_gram_matrix_is_differentiated_forward_and_backward():
    F, dF, cotangent = features(3, 4, 5), features(3, 4, 5), features(5, 5, 1)[..., 0]
    f, df, c = (x.reshape(-1, 5).astype(np.float64) for x in (F, dF, cotangent))
    _, forward = jax.jvp(lambda F: losses.gram_matrix(F).G, (F,), (dF,))
    np.testing.assert_allclose(forward, df.T @ f + f.T @ df, rtol=1e-5, atol=1e-5)
    _, pull = jax.vjp(lambda F: losses.gram_matrix(F).G, F)
    np.testing.assert_allclose(pull(cotangent)[0].reshape(-1, 5), f @ (c + c.T), rtol=1e-5, atol=1e-5)


def test_identical_and_constant_features_have_finite_gradients():
    F = {"a": np.ones((4, 4, 3), np.float32)}
    target = losses.gram_statistics(F)

    def total(features):
        distance = losses.gram_distance(losses.gram_statistics(features), target, {"a": jnp.float32(1)})
        return distance + losses.content_loss(features, F)

    value, gradient = jax.value_and_grad(total)(F)
    assert value == 0
    assert np.isfinite(gradient["a"]).all()


def rectified(m, n, loudness):
    """Features of frames: rectified, with much in common, of a loudness that varies."""
    common = GENERATOR.random(n)
    F = np.maximum(common + 0.5 * GENERATOR.standard_normal((m, n)), 0) * GENERATOR.uniform(*loudness, (m, 1))
    return F[None].astype(np.float32)


def distance64(F, S, p=None):
    """Σ (G/M − A/M′)² / 4N² and its gradient, by Gram matrices in float64, positions of F weighted by p."""
    F, S = F[0].astype(np.float64), S[0].astype(np.float64)
    p = np.full(len(F), 1 / len(F)) if p is None else p / p.sum()
    A = S.T @ S / len(S)
    difference, N = F.T @ (p[:, None] * F) - A, F.shape[1]
    gradient = p[:, None] * (F @ difference) / N**2
    return np.sum(difference**2) / (4 * N**2), gradient, np.sum(A**2) / (4 * N**2)


def of_positions(S):
    """The distance to S, by positions."""
    loss, one = losses.where_few(losses.STYLE_LOSSES["gram"], frozenset({"a"})), {"a": jnp.float32(1)}
    target = loss.statistics({"a": S})
    assert isinstance(target["a"], losses.Positions)
    return jax.value_and_grad(lambda F, weight: loss.distance(loss.statistics({"a": F}, weight), target, one))


@pytest.mark.parametrize("weighted", [False, True])
def test_positions_have_the_distance_of_gram_matrices(weighted):
    F, S = rectified(20, 80, (0, 2)), rectified(31, 80, (1, 1.5))
    p = GENERATOR.random((1, 20)).astype(np.float32) if weighted else None
    value, gradient = of_positions(S)(F, p if p is None else {"a": p})
    expected, slope, _ = distance64(F, S, p if p is None else p[0].astype(np.float64))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient[0], slope, rtol=1e-4, atol=1e-6 * np.abs(slope).max())


@pytest.mark.parametrize("by", ["positions", "gram"])
def test_near_the_style_little_is_lost_to_rounding(by):
    """Where G is A but for a hundredth, the distance is a ten-thousandth of what it is the difference of."""
    S = rectified(150, 512, (1, 1.5))
    F = S[:, GENERATOR.permutation(150)] * (1 + 0.05 * GENERATOR.standard_normal(S.shape))
    F = F.astype(np.float32)
    expected, slope, size = distance64(F, S)
    assert 1e-5 < expected / size < 1e-3
    if by == "positions":
        value, gradient = of_positions(S)(F, None)
    else:
        A, one = losses.gram_statistics({"a": S}), {"a": jnp.float32(1)}
        value, gradient = jax.value_and_grad(
            lambda F: losses.gram_distance(losses.gram_statistics({"a": F}), A, one)
        )(F)
    assert abs(float(value) - expected) < 2e-8 * size
    assert np.linalg.norm(gradient[0] - slope) < 1e-4 * np.linalg.norm(slope)


def test_a_distance_of_positions_is_never_negative():
    S = rectified(40, 100, (0.1, 2))
    for _ in range(20):
        F = S[:, GENERATOR.permutation(40)]
        value, gradient = of_positions(S)(F, None)
        assert 0 <= value < 1e-6 * distance64(F, S)[2]
        assert 0 < np.abs(gradient).max() < 1e-5


def test_layers_of_few_positions_and_others_side_by_side(layers):
    style = {name: features(*F.shape) for name, F in layers.items()}
    gram, weights = losses.STYLE_LOSSES["gram"], {name: jnp.float32(0.5) for name in layers}
    mixed = losses.where_few(gram, frozenset({"relu2_1"}))
    kinds = {name: type(x) for name, x in mixed.statistics(layers).items()}
    assert kinds == {"relu1_1": losses.Gram, "relu2_1": losses.Positions}
    found = (x.distance(x.statistics(layers), x.statistics(style), weights) for x in (gram, mixed))
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_the_same_layers_give_the_same_loss_so_that_nothing_recompiles():
    gram = losses.STYLE_LOSSES["gram"]
    assert losses.where_few(gram, frozenset({"a"})) is losses.where_few(gram, frozenset({"a"}))
    assert losses.where_few(gram, frozenset()) is gram
    assert losses.where_few(gram._replace(few=None), frozenset({"a"})).statistics is gram.statistics
