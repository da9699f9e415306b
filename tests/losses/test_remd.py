"""The losses of STROTSS against their definitions in NumPy, float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from nst import losses
from nst.losses import View, remd

GENERATOR = np.random.default_rng(0)
LAYERS = ("a", "b")


def image(h=12, w=15):
    return GENERATOR.random((h, w, 3)).astype(np.float32)


class Two:
    """An extractor of two layers of six filters, at all pixels and at every second one."""

    layers = LAYERS

    def __call__(self, x, layers, reference=None):
        F = jnp.concatenate([x, jnp.sin(3 * x)], -1)
        return {layer: {"a": F, "b": F[::2, ::2]}[layer] for layer in layers}

    def reference(self, x, layers):
        return {}

    def freeze(self, layers):
        return self


jax.tree_util.register_static(Two)


def columns(x, points):
    return remd.hypercolumns(x, Two()(x, LAYERS), LAYERS, points)


def random_columns(m=40, d=9):
    F = GENERATOR.random((m, d)).astype(np.float32)
    return remd.Hypercolumns(F, F[:, -3:])


def test_hypercolumns_are_features_between_positions_and_the_color():
    x = image(8, 8)
    centers = (np.stack(np.meshgrid(np.arange(8), np.arange(8), indexing="ij"), -1).reshape(-1, 2) + 0.5) / 8
    computed = columns(x, centers.astype(np.float32))
    assert computed.F.shape == (64, 6 + 6 + 3)
    np.testing.assert_allclose(computed.color, x.reshape(-1, 3), rtol=1e-5)
    np.testing.assert_allclose(computed.F[:, :6], Two()(x, LAYERS)["a"].reshape(-1, 6), rtol=1e-4, atol=1e-6)
    between = columns(x, np.float32([[1 / 8, 1 / 8]]))
    np.testing.assert_allclose(between.color[0], x[:2, :2].mean((0, 1)), rtol=1e-5)


def test_points_differ_by_key_and_cover_the_image():
    a, b = (remd.random_points(jax.random.key(seed), 32) for seed in (0, 1))
    assert a.shape == (1024, 2)
    assert not np.array_equal(a, b)
    cells = np.floor(np.asarray(a) * 32).astype(int)
    assert len(np.unique(cells @ [32, 1])) == 1024


def relaxed64(D):
    return max(D.min(1).mean(), D.min(0).mean())


def test_the_style_distance_is_the_papers():
    x, style = random_columns(), random_columns(60)
    mean, covariance = remd._moments(style.F)
    target = remd.StyleTarget(style, mean, covariance, np.float32(0.25))
    f, s = x.F.astype(np.float64), style.F.astype(np.float64)
    expected = relaxed64(cdist(f, s, "cosine"))
    expected += np.abs(f.mean(0) - s.mean(0)).mean()
    expected += np.abs(np.cov(f.T, bias=True) - np.cov(s.T, bias=True)).mean()
    # In the color basis of the authors' program: the mean of the channels, and two differences.
    third, a, b = 1 / np.sqrt(3), (3 + np.sqrt(3)) / 6, (np.sqrt(3) - 3) / 6
    basis = np.array([[third] * 3, [-third, a, b], [-third, b, a]])
    rotated = [c.astype(np.float64) @ basis.T for c in (x.color, style.color)]
    expected += 0.25 * relaxed64(cdist(*rotated, "cosine") + cdist(*rotated) / np.sqrt(3))
    np.testing.assert_allclose(remd.style_distance(x, target), expected, rtol=1e-4)


def test_self_similarity_is_the_papers():
    x, content = random_columns(), random_columns()
    D = [cdist(c.F.astype(np.float64), c.F.astype(np.float64), "cosine") for c in (x, content)]
    a, b = (d / d.sum(0) for d in D)
    np.testing.assert_allclose(
        remd.self_similarity_distance(x, content), 40 * np.abs(a - b).mean(), rtol=1e-3
    )


def terms(x, style, **settings):
    inputs = {name: losses.Input(Two(), each) for name, each in (("content", x), ("style", style))}
    chosen = {
        "style_loss": "remd",
        "content_loss": "self_similarity",
        "content_layers": LAYERS,
        "style_layers": LAYERS,
        "content_weight": 4.0,
        "style_weight": 1.0,
    }
    checked = losses.checked(chosen | settings)
    assert losses.stochastic(checked) == ["content", "style"]
    return {name: recipe.build(inputs, **checked) for name, recipe in losses.active(checked).items()}


def test_the_palette_weighs_less_the_more_the_content_weighs():
    for weight, expected in ((4.0, 0.25), (0.5, 1.0)):
        assert (
            float(terms(image(), image(), content_weight=weight)["style"].target.palette_weight) == expected
        )


def test_the_content_has_no_distance_to_itself_and_a_flipped_one_has():
    x = image()
    term = terms(x, image())["content"]
    for result, far in ((x, False), (x[::-1], True)):
        view = View(result, Two()(result, LAYERS), key=jax.random.key(3))
        assert (float(term.value(term.statistics(view, term.local), term.target)) > 0.1) == far


@pytest.mark.slow
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_constant_image_and_style_have_finite_gradients(value):
    x = jnp.full((12, 15, 3), value)
    for style in (x, image()):
        for term in terms(x, style).values():

            def loss(x, term=term):
                view = View(x, Two()(x, LAYERS), key=jax.random.key(0))
                return term.value(term.statistics(view, term.local), term.target)

            distance, gradient = jax.value_and_grad(loss)(x)
            assert np.isfinite(distance)
            assert np.isfinite(gradient).all()
