"""Losses against NumPy in float64, finite differences, and additivity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import losses
from nst.errors import InputError
from nst.losses import View, dual
from nst.losses.content import half_sum, squared_differences

GENERATOR = np.random.default_rng(0)


def features(h, w, n):
    return GENERATOR.standard_normal((h, w, n)).astype(np.float32)


def gram64(F):
    F = F.reshape(-1, F.shape[-1]).astype(np.float64)
    return F.T @ F


def content_loss(F, P):
    return half_sum(squared_differences(View(jnp.zeros((1, 1, 3)), F), P), None)


@pytest.fixture
def layers():
    return {"relu1_1": features(6, 5, 4), "relu2_1": features(3, 2, 7)}


def test_content_loss(layers):
    target = {name: F + features(*F.shape) for name, F in layers.items()}
    expected = sum(0.5 * np.sum((F.astype(np.float64) - target[name]) ** 2) for name, F in layers.items())
    np.testing.assert_allclose(content_loss(layers, target), expected, rtol=1e-6)


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
    content, gradient = jax.value_and_grad(lambda F: content_loss({"a": F}, {"a": P}))(F)
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
        return content_loss(features, target) + 10 * distance

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
        return distance + content_loss(features, F)

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


def by_dual_form(S):
    """The distance to S and its gradient."""
    loss, one = losses.in_dual_form(losses.STYLE_LOSSES["gram"], frozenset({"a"})), {"a": jnp.float32(1)}
    target = loss.statistics({"a": S})
    assert isinstance(target["a"], dual.DualGram)
    return jax.value_and_grad(lambda F, weight: loss.distance(loss.statistics({"a": F}, weight), target, one))


@pytest.mark.parametrize("weighted", [False, True])
def test_the_dual_form_has_the_distance_of_gram_matrices(weighted):
    F, S = rectified(20, 80, (0, 2)), rectified(31, 80, (1, 1.5))
    p = GENERATOR.random((1, 20)).astype(np.float32) if weighted else None
    value, gradient = by_dual_form(S)(F, p if p is None else {"a": p})
    expected, slope, _ = distance64(F, S, p if p is None else p[0].astype(np.float64))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient[0], slope, rtol=1e-4, atol=1e-6 * np.abs(slope).max())


@pytest.mark.parametrize("by", ["dual", "gram"])
def test_near_the_style_little_is_lost_to_rounding(by):
    """Where G is A but for a hundredth, the distance is a ten-thousandth of what it is the difference of."""
    S = rectified(150, 512, (1, 1.5))
    F = S[:, GENERATOR.permutation(150)] * (1 + 0.05 * GENERATOR.standard_normal(S.shape))
    F = F.astype(np.float32)
    expected, slope, size = distance64(F, S)
    assert 1e-5 < expected / size < 1e-3
    if by == "dual":
        value, gradient = by_dual_form(S)(F, None)
    else:
        A, one = losses.gram_statistics({"a": S}), {"a": jnp.float32(1)}
        value, gradient = jax.value_and_grad(
            lambda F: losses.gram_distance(losses.gram_statistics({"a": F}), A, one)
        )(F)
    assert abs(float(value) - expected) < 2e-8 * size
    assert np.linalg.norm(gradient[0] - slope) < 1e-4 * np.linalg.norm(slope)


def test_the_dual_form_is_never_negative():
    S = rectified(40, 100, (0.1, 2))
    for _ in range(20):
        F = S[:, GENERATOR.permutation(40)]
        value, gradient = by_dual_form(S)(F, None)
        assert 0 <= value < 1e-6 * distance64(F, S)[2]
        assert 0 < np.abs(gradient).max() < 1e-5


def test_layers_in_dual_form_and_others_side_by_side(layers):
    style = {name: features(*F.shape) for name, F in layers.items()}
    gram, weights = losses.STYLE_LOSSES["gram"], {name: jnp.float32(0.5) for name in layers}
    mixed = losses.in_dual_form(gram, frozenset({"relu2_1"}))
    kinds = {name: type(x) for name, x in mixed.statistics(layers).items()}
    assert kinds == {"relu1_1": losses.Gram, "relu2_1": dual.DualGram}
    found = (x.distance(x.statistics(layers), x.statistics(style), weights) for x in (gram, mixed))
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_the_same_layers_give_the_same_loss_so_that_nothing_recompiles():
    gram = losses.STYLE_LOSSES["gram"]
    assert losses.in_dual_form(gram, frozenset({"a"})) is losses.in_dual_form(gram, frozenset({"a"}))
    assert losses.in_dual_form(gram, frozenset()) is gram
    assert losses.in_dual_form(gram._replace(dual=None), frozenset({"a"})).statistics is gram.statistics


class Given:
    """An extractor of features that are given by the image itself: two layers of it."""

    layers = ("a", "b")

    def __call__(self, x, layers, reference=None):
        features = {"a": jnp.concatenate([x, x**2], -1), "b": x[::2, ::2]}
        return {layer: features[layer] for layer in layers}

    def reference(self, x, layers):
        return {}

    def freeze(self, layers):
        return self


jax.tree_util.register_static(Given)

SETTINGS = {
    "content_layers": ("a",),
    "style_layers": ("a", "b"),
    "style_layer_weights": (0.3, 0.7),
    "content_weight": 1.0,
    "style_weight": 2.0,
    "tv_weight": 3.0,
}


def terms_of(image, content, style, **settings):
    inputs = {name: losses.Input(Given(), x) for name, x in (("content", content), ("style", style))}
    checked = losses.checked(SETTINGS | settings)
    return {name: recipe.build(inputs, **checked) for name, recipe in losses.active(checked).items()}


def test_statistics_of_every_additive_term_add_up_over_masked_parts():
    """Split an image in two by masks of its layers, for each term in `SETTINGS`."""
    image, content = features(6, 8, 3), features(6, 8, 3)
    left = np.zeros((6, 8), np.float32)
    left[:, :4] = 1
    seen = Given()(image, ("a", "b"))
    whole, *parts = (
        View(image, seen, masks)
        for masks in (
            None,
            *({"image": m, "a": m, "b": m[::2, ::2]} for m in (left, 1 - left)),
        )
    )
    terms = terms_of(image, content, features(5, 7, 3))
    assert set(terms) >= {"content", "style", "tv"}
    for name, term in terms.items():
        assert term.additive
        expected = term.statistics(whole, term.local)
        summed = jax.tree.map(lambda a, b: a + b, *(term.statistics(part, term.local) for part in parts))
        jax.tree.map(
            lambda a, b, name=name: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4, err_msg=name),
            summed,
            expected,
        )


@pytest.mark.parametrize("form", ["gram", "dual"])
def test_a_region_without_positions_counts_nothing_and_is_finite(form):
    family = losses.STYLE_LOSSES["gram"]
    family = family if form == "gram" else family.dual
    F, S, one = {"a": features(4, 4, 3)}, {"a": features(3, 3, 3)}, {"a": jnp.float32(1)}
    empty, all_of_it = {"a": np.zeros((4, 4), np.float32)}, {"a": np.ones((3, 3), np.float32)}

    def distance(F, mask, target):
        return family.distance(family.statistics(F, mask), target, one)

    target = family.statistics(S, all_of_it)
    for masks, other in (
        (empty, target),
        (None, family.statistics(S, {"a": np.zeros((3, 3), np.float32)})),
    ):
        value, gradient = jax.value_and_grad(distance)(F, masks, other)
        assert value == 0
        np.testing.assert_array_equal(gradient["a"], 0)


def test_a_term_of_weight_zero_is_not_computed():
    everything = set(losses.active(SETTINGS))
    assert everything >= {"content", "style", "tv"}
    assert set(losses.active(SETTINGS | {"tv_weight": 0.0, "content_weight": 0})) == everything - {
        "tv",
        "content",
    }
    assert losses.layers(losses.checked(SETTINGS | {"style_weight": 0.0})) == ("a",)
    assert losses.layers(losses.checked(SETTINGS), "style") == ("a", "b")


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((), None),
        (None, None),
        ((0.1, 0.9), {"a": 0.1, "b": 0.9}),
        ({"b": 1.0, "a": 2.0}, {"b": 1.0, "a": 2.0}),
    ],
)
def test_layer_weights_are_given_in_order_or_by_name_or_not(weights, expected):
    assert losses.checked(SETTINGS | {"style_layer_weights": weights})["style_layer_weights"] == expected


def test_a_weight_of_no_term_is_refused():
    with pytest.raises(InputError, match="unknown term 'contnet': did you mean content"):
        losses.checked(SETTINGS | {"contnet_weight": 1.0})
