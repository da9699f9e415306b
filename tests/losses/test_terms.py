"""Losses against NumPy in float64, finite differences, and additivity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import losses
from nst.errors import InputError
from nst.losses import View
from nst.losses.content import half_sum, mean, squared_differences

GENERATOR = np.random.default_rng(0)


def features(h, w, n):
    return GENERATOR.standard_normal((h, w, n)).astype(np.float32)


def content_loss(F, P):
    return half_sum(squared_differences(View(jnp.zeros((1, 1, 3)), F), P), None)


@pytest.fixture
def layers():
    return {"relu1_1": features(6, 5, 4), "relu2_1": features(3, 2, 7)}


def test_content_loss(layers):
    target = {name: F + features(*F.shape) for name, F in layers.items()}
    expected = sum(0.5 * np.sum((F.astype(np.float64) - target[name]) ** 2) for name, F in layers.items())
    np.testing.assert_allclose(content_loss(layers, target), expected, rtol=1e-6)


def test_the_content_loss_as_a_mean(layers):
    target = {name: F + features(*F.shape) for name, F in layers.items()}
    expected = sum(np.mean((F.astype(np.float64) - target[name]) ** 2) for name, F in layers.items())
    actual = mean(squared_differences(View(jnp.zeros((1, 1, 3)), layers), target), None)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_nine_point_variation():
    x = features(5, 4, 3)
    y = np.pad(x.astype(np.float64), ((1, 1), (1, 1), (0, 0)), mode="edge")
    expected = 0
    for i in range(6):
        for j in range(5):
            if i and j:
                expected += 2 / 3 * np.sum((y[i, j + 1] - y[i, j]) ** 2 + (y[i + 1, j] - y[i, j]) ** 2)
            diagonals = np.sum((y[i + 1, j + 1] - y[i, j]) ** 2 + (y[i + 1, j] - y[i, j + 1]) ** 2)
            expected += 1 / 6 * (5 * 4) / (6 * 5) * diagonals
    np.testing.assert_allclose(losses.VARIATIONS["nine_point"](x, None), expected, rtol=1e-6)


def test_absolute_variation():
    x = features(5, 4, 3)
    expected = np.abs(np.diff(x.astype(np.float64), axis=0)).sum()
    expected += np.abs(np.diff(x.astype(np.float64), axis=1)).sum()
    np.testing.assert_allclose(losses.VARIATIONS["absolute"](x, None), expected, rtol=1e-6)


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


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_low_precision_features_have_float32_losses(dtype):
    # Squares and sums of these overflow float16, and are lost to rounding in bfloat16.
    F, P = jnp.full((16, 16, 2), 300, dtype), jnp.zeros((16, 16, 2), dtype)
    content, gradient = jax.value_and_grad(lambda F: content_loss({"a": F}, {"a": P}))(F)
    assert content.dtype == jnp.float32
    np.testing.assert_allclose(content, 0.5 * 512 * float(F[0, 0, 0]) ** 2, rtol=1e-6)
    assert np.isfinite(np.float32(gradient)).all()
    style = losses.gram_distance(losses.gram_matrix(F), losses.gram_matrix(P))
    assert style.dtype == jnp.float32
    np.testing.assert_allclose(style, 4 * float(F[0, 0, 0]) ** 4 / 16, rtol=1e-6)


class Direct:
    """An extractor whose two layers are made of the image itself."""

    layers = ("a", "b")

    def __call__(self, x, layers, reference=None):
        features = {"a": jnp.concatenate([x, x**2], -1), "b": x[::2, ::2]}
        return {layer: features[layer] for layer in layers}

    def reference(self, x, layers):
        return {}

    def freeze(self, layers):
        return self


jax.tree_util.register_static(Direct)

SETTINGS = {
    "content_layers": ("a",),
    "style_layers": ("a", "b"),
    "style_layer_weights": (0.3, 0.7),
    "content_weight": 1.0,
    "style_weight": 2.0,
    "tv_weight": 3.0,
    "matting_weight": 4.0,
}


def terms_of(image, content, style, **settings):
    inputs = {name: losses.Input(Direct(), x) for name, x in (("content", content), ("style", style))}
    checked = losses.checked(SETTINGS | settings)
    return {name: recipe.build(inputs, **checked) for name, recipe in losses.active(checked).items()}


def test_statistics_of_every_additive_term_add_up_over_masked_parts():
    """Split an image in two by masks of its layers, for each term in `SETTINGS`."""
    image, content = features(6, 8, 3), features(6, 8, 3)
    left = np.zeros((6, 8), np.float32)
    left[:, :4] = 1
    extracted = Direct()(image, ("a", "b"))
    whole, *parts = (
        View(image, extracted, masks)
        for masks in (
            None,
            *({"image": m, "a": m, "b": m[::2, ::2]} for m in (left, 1 - left)),
        )
    )
    terms = terms_of(image, content, features(5, 7, 3))
    assert set(terms) >= {"content", "style", "tv", "matting"}
    for name, term in terms.items():
        assert term.additive
        expected = term.statistics(whole, term.local)
        summed = jax.tree.map(lambda a, b: a + b, *(term.statistics(part, term.local) for part in parts))
        jax.tree.map(
            lambda a, b, name=name: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4, err_msg=name),
            summed,
            expected,
        )


def value_of(name, image, content, **settings):
    term = terms_of(image, content, content, **settings)[name]
    view = View(image, Direct()(image, ("a", "b")))
    return float(term.value(term.statistics(view, term.local), term.target))


@pytest.mark.parametrize("name", ["content", "tv"])
def test_means_do_not_depend_on_the_size_and_sums_do(name):
    image, content = features(6, 8, 3), features(6, 8, 3)
    # Mirrored, so that there is no difference at the seam.
    double = [np.concatenate([x, x[:, ::-1]], 1) for x in (image, content)]
    for reduction, ratio in (("mean", 1), ("sum", 2)):
        settings = {"reduction": reduction, "variation": "squared"}
        once, twice = value_of(name, image, content, **settings), value_of(name, *double, **settings)
        np.testing.assert_allclose(twice, ratio * once, rtol=1e-5)


def test_total_variation_may_be_a_sum_where_the_content_is_a_mean():
    image, content = features(6, 8, 3), features(6, 8, 3)
    for name, ratio in (("content", 1), ("tv", 6 * 8 * 3)):
        mean = value_of(name, image, content, variation="squared")
        mixed = value_of(name, image, content, variation="squared", reduction="mean", tv_reduction="sum")
        np.testing.assert_allclose(mixed, ratio * mean, rtol=1e-5)


@pytest.mark.parametrize(("setting", "choices"), [("reduction", "mean, sum"), ("variation", "nine_point")])
def test_an_unknown_reduction_or_variation_is_refused(setting, choices):
    with pytest.raises(InputError, match=f"unknown {setting} 'none'.*{choices}"):
        losses.checked(SETTINGS | {setting: "none"})


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


def test_no_weight_at_all_is_refused():
    nothing = {f"{name}_weight": 0.0 for name in losses.TERMS}
    with pytest.raises(InputError, match="nothing to minimize: give a weight above 0"):
        losses.checked(SETTINGS | nothing)


def test_a_layer_with_too_few_positions_is_refused():
    settings = losses.checked(SETTINGS | {"style_loss": "patches"})
    losses.check_positions(settings, {"a": (3, 9, 4), "b": (3, 3, 4)})
    with pytest.raises(InputError, match="b has 9×2 positions and this style loss needs 3×3: take a larger"):
        losses.check_positions(settings, {"a": (3, 9, 4), "b": (2, 9, 4)})


def test_a_weight_of_no_term_is_refused():
    with pytest.raises(InputError, match="unknown term 'contnet': did you mean content"):
        losses.checked(SETTINGS | {"contnet_weight": 1.0})
