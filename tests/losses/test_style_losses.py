"""Properties of every style loss, and each one against its definition in NumPy, float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from nst import losses
from nst.losses import STYLE_LOSSES, View, wasserstein
from nst.losses.moments import Moments

GENERATOR = np.random.default_rng(0)

#: Every form that compares layers one by one and takes no random key, by name.
FORMS = {name: loss.form for name, loss in STYLE_LOSSES.items() if loss.form}
FORMS |= {f"{name}_dual": form.dual for name, form in FORMS.items() if form.dual}
#: Forms that do not depend on the order of positions.
UNORDERED = [name for name in FORMS if name != "patches"]
ADDITIVE = [name for name, form in FORMS.items() if form.additive]


def rectified(h, w, n):
    """Return features like those of a network: rectified, correlated, of different scales."""
    mixing = GENERATOR.standard_normal((n, n)) * GENERATOR.uniform(0.2, 2, n)
    return np.maximum(GENERATOR.standard_normal((h, w, n)) @ mixing + 0.3, 0).astype(np.float32)


def distance(form, F, S, mask=None):
    return form.distance(form.statistics(F, mask), (form.target or form.statistics)(S, None))


def flat64(F):
    return F.reshape(-1, F.shape[-1]).astype(np.float64)


@pytest.mark.parametrize("name", UNORDERED)
def test_the_same_positions_in_any_order_have_no_distance(name):
    F = rectified(12, 9, 8)
    shuffled = GENERATOR.permutation(F.reshape(-1, 8)).reshape(F.shape)
    far = float(distance(FORMS[name], F, 2 * F))
    assert abs(float(distance(FORMS[name], shuffled, F))) < 1e-3 * far


@pytest.mark.parametrize("name", UNORDERED)
def test_the_distance_does_not_depend_on_the_size(name):
    F, S = rectified(6, 5, 8), rectified(7, 4, 8)
    once, repeated = (float(distance(FORMS[name], np.tile(F, (k, k, 1)), S)) for k in (1, 3))
    # With another number of positions the quantiles differ.
    np.testing.assert_allclose(repeated, once, rtol=0.1 if name == "sliced" else 1e-4)


@pytest.mark.parametrize("name", UNORDERED)
def test_a_mask_takes_a_region_out(name):
    F, S = rectified(6, 8, 5), rectified(4, 4, 5)
    mask = np.zeros((6, 8), np.float32)
    mask[1:4, 2:7] = 1
    np.testing.assert_allclose(
        distance(FORMS[name], F, S, mask), distance(FORMS[name], F[1:4, 2:7], S), rtol=1e-3
    )


@pytest.mark.parametrize("name", FORMS)
def test_a_region_without_positions_counts_nothing(name):
    F, S = rectified(4, 4, 3), rectified(3, 3, 3)
    value, gradient = jax.value_and_grad(lambda F: distance(FORMS[name], F, S, np.zeros((4, 4), np.float32)))(
        F
    )
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("style", ["constant", "zeros", "features"])
@pytest.mark.parametrize("image", ["constant", "zeros"])
@pytest.mark.parametrize("name", FORMS)
def test_constant_features_have_finite_gradients(name, image, style):
    kinds = {"constant": np.ones((4, 4, 6)), "zeros": np.zeros((4, 4, 6)), "features": rectified(4, 4, 6)}
    F, S = (jnp.asarray(kinds[kind], jnp.float32) for kind in (image, style))
    value, gradient = jax.value_and_grad(lambda F: distance(FORMS[name], F, S))(F)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", UNORDERED)  # the matches of patches are not continuous
def test_the_gradient_is_that_of_finite_differences(name):
    # Of full rank, so that the roots of W₂ converge.
    F, S = rectified(12, 9, 4) + 0.1, 2 * rectified(10, 10, 4)
    direction = F - S.mean((0, 1)) + GENERATOR.standard_normal(F.shape)  # the distance changes much along it
    gradient = jax.grad(lambda F: distance(FORMS[name], F, S))(F)
    with jax.enable_x64(True):
        step = 3e-3
        ends = [float(distance(FORMS[name], np.float32(F + sign * step * direction), S)) for sign in (1, -1)]
    np.testing.assert_allclose(np.vdot(gradient, direction), (ends[0] - ends[1]) / (2 * step), rtol=2e-2)


@pytest.mark.parametrize("name", ADDITIVE)
def test_statistics_of_parts_add_up(name):
    F = rectified(6, 8, 5)
    statistics = FORMS[name].statistics
    parts = [statistics(part, None) for part in (F[:2], F[2:, :3], F[2:, 3:])]
    total = jax.tree.map(lambda *parts: sum(parts), *parts)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4), total, statistics(F, None)
    )


def test_moments_are_means_and_deviations():
    F, S = rectified(6, 5, 7), rectified(4, 9, 7)
    f, s = flat64(F), flat64(S)
    expected = np.mean((f.mean(0) - s.mean(0)) ** 2) + np.mean((f.std(0) - s.std(0)) ** 2)
    np.testing.assert_allclose(distance(FORMS["moments"], F, S), expected, rtol=1e-3)


def wasserstein64(F, S):
    """Return Dowson and Landau's distance with SciPy's roots, divided by N."""
    f, s = flat64(F), flat64(S)
    C, D = np.cov(f.T, bias=True), np.cov(s.T, bias=True)
    shared = np.trace(scipy.linalg.sqrtm(C @ D)).real
    return (np.sum((f.mean(0) - s.mean(0)) ** 2) + np.trace(C) + np.trace(D) - 2 * shared) / f.shape[1]


@pytest.mark.parametrize("form", ["wasserstein", "wasserstein_dual"])
def test_wasserstein_is_the_distance_of_gaussians(form):
    F, S = rectified(16, 15, 6), rectified(14, 19, 6)
    # Twelve iterations do not converge for eigenvalues below 6e-5 of the norm.
    np.testing.assert_allclose(distance(FORMS[form], F, S), wasserstein64(F, S), rtol=2e-2)


def test_both_forms_of_wasserstein_agree_where_positions_are_few():
    F, S = rectified(4, 5, 60), rectified(6, 5, 60)
    values, gradients = zip(
        *(
            jax.value_and_grad(lambda F, form=form: distance(FORMS[form], F, S))(F)
            for form in ("wasserstein", "wasserstein_dual")
        ),
        strict=True,
    )
    np.testing.assert_allclose(*values, rtol=1e-4)
    assert np.linalg.norm(gradients[0] - gradients[1]) < 1e-2 * np.linalg.norm(gradients[1])


@pytest.mark.parametrize("masked", [False, True])
def test_sliced_is_the_distance_along_each_direction(masked):
    F, S = rectified(9, 8, 6), rectified(9, 8, 6)
    form = FORMS["sliced"]
    statistics = form.statistics(F, np.ones((9, 8), np.float32) if masked else None)
    theta = np.asarray(statistics.theta, np.float64)
    np.testing.assert_allclose(np.linalg.norm(theta, axis=0), 1, rtol=1e-6)
    apart = np.sort(flat64(F) @ theta, axis=0) - np.sort(flat64(S) @ theta, axis=0)
    np.testing.assert_allclose(form.distance(statistics, form.target(S)), np.mean(apart**2), rtol=1e-3)


def test_fresh_directions_differ_by_key_alone_and_serve_both_sides():
    F, S = rectified(9, 8, 6), rectified(7, 8, 6)
    form = FORMS["sliced"].fresh

    def value(seed, S):
        return float(form.distance(form.statistics(F, None, jax.random.key(seed)), form.target(S, None)))

    assert value(0, S) == value(0, S) != value(1, S)
    assert value(0, F) == 0
    once = float(distance(FORMS["sliced"], F, S))
    np.testing.assert_allclose(np.mean([value(seed, S) for seed in range(20)]), once, rtol=0.3)


def test_patches_are_matched_by_normalized_correlation():
    F, S = rectified(6, 7, 4), rectified(9, 8, 4)

    def patches(x, stride):
        h, w = x.shape[:2]
        return np.array(
            [
                x[i : i + 3, j : j + 3].ravel()
                for i in range(0, h - 2, stride)
                for j in range(0, w - 2, stride)
            ],
            np.float64,
        )

    f, s = patches(F, 1), patches(S, 2)
    best = np.argmax(f @ (s / np.linalg.norm(s, axis=1, keepdims=True)).T, axis=1)
    expected = np.mean((f - s[best]) ** 2)
    np.testing.assert_allclose(distance(FORMS["patches"], F, S), expected, rtol=1e-5)
    gradient = np.zeros(F.shape)
    for k, (i, j) in enumerate(np.ndindex(4, 5)):
        gradient[i : i + 3, j : j + 3] += 2 * (f - s[best])[k].reshape(3, 3, 4) / f.size
    actual = jax.grad(lambda F: distance(FORMS["patches"], F, S))(F)
    np.testing.assert_allclose(actual, gradient, rtol=1e-4, atol=1e-7)


def test_a_mask_leaves_patches_of_the_style_out():
    S = rectified(9, 9, 4)
    form, mask = FORMS["patches"], np.zeros((9, 9), np.float32)
    mask[:5, :5] = 1
    F = S[4:, 4:]
    everywhere, inside = form.target(S, None), form.target(S, mask)
    assert float(form.distance(form.statistics(F, None), inside)) > float(
        form.distance(form.statistics(F, None), everywhere)
    )


def test_a_large_style_has_at_most_1024_patches():
    assert len(FORMS["patches"].target(rectified(90, 80, 2), None).Phi) <= 1024


def test_roots_are_exact_down_to_the_resolution_and_bounded_below():
    """Against the eigenvalues, in float64: from the norm to 3e-4 of it, and for zeros."""
    Q = np.linalg.qr(GENERATOR.standard_normal((64, 64)))[0]
    eigenvalues = np.append(np.geomspace(1, 8e-4, 60), np.zeros(4))
    assert eigenvalues[59] / np.linalg.norm(eigenvalues) < 4e-4
    S = (Q * eigenvalues) @ Q.T
    root, inverse = (np.diag(Q.T @ np.float64(x) @ Q) for x in wasserstein.roots(S.astype(np.float32)))
    expected = np.sqrt(eigenvalues)
    np.testing.assert_allclose(root, expected, rtol=2e-4, atol=1e-4)
    np.testing.assert_allclose(inverse[:60] * expected[:60], 1, rtol=2e-4)
    assert np.all((inverse[60:] > 0) & (inverse[60:] < 200 / np.sqrt(np.linalg.norm(eigenvalues))))


def test_roots_are_those_of_a_matrix():
    A = GENERATOR.standard_normal((30, 12))
    S = (A.T @ A).astype(np.float32)
    root, inverse = wasserstein.roots(S)
    np.testing.assert_allclose(root @ root, S, rtol=1e-3, atol=1e-3 * np.abs(S).max())
    np.testing.assert_allclose(root @ inverse, np.eye(12), atol=1e-3)


class Wide:
    """An extractor of two layers of twelve filters, at all pixels and at every fourth one."""

    def __call__(self, x, layers, reference=None):
        F = jnp.concatenate([x, x**2, jnp.sin(3 * x), jnp.cos(2 * x)], -1)
        return {layer: {"a": F, "b": F[::4, ::4]}[layer] for layer in layers}

    def reference(self, x, layers):
        return {}

    def freeze(self, layers):
        return self


jax.tree_util.register_static(Wide)


def style_term(loss, **settings):
    inputs = {
        name: losses.Input(Wide(), GENERATOR.random(shape).astype(np.float32))
        for name, shape in (("content", (8, 12, 3)), ("style", (12, 12, 3)))
    }
    checked = losses.checked({"style_loss": loss, "style_layers": ("a", "b"), "style_weight": 1.0} | settings)
    return losses.TERMS["style"].build(inputs, **checked)


def test_the_dual_form_is_taken_where_the_result_has_few_positions():
    term = style_term("wasserstein")
    features = Wide()(GENERATOR.random((8, 12, 3)), ("a", "b"))
    kinds = {layer: type(x) for layer, x in term.statistics(View(jnp.zeros(3), features), None).items()}
    assert kinds == {"a": Moments, "b": wasserstein.Centered}
    assert not term.additive
    assert style_term("wasserstein", dual_layers=()).additive
    assert style_term("gram").additive  # its dual form depends on the size of the style


def test_the_same_loss_has_the_same_functions_so_that_nothing_recompiles():
    first, second = style_term("wasserstein"), style_term("wasserstein")
    assert (first.statistics, first.value) == (second.statistics, second.value)
