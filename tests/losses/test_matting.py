"""The matting Laplacian against Levin's matrix in NumPy, float64, and against pymatting; in runs, batches and masks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nst
from nst import features, losses
from nst.batched import Trial, stylizations
from nst.errors import InputError
from nst.losses import View, matting_energy
from nst.losses.matting import EPSILON, regressors
from nst.transfer.image import Scale

SMALL = {
    "content_layers": ("relu2_1",),
    "style_layers": ("relu1_1", "relu2_1"),
    "style_layer_weights": (),
    "style_weight": 30.0,
    "tv_weight": 1.0,
}


def photograph(height, width, seed=0):
    """Two regions, with gradients and noise."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    side = (3 * x + 2 * y > 1.2 * (height + width))[..., None]
    image = np.where(side, generator.random(3), generator.random(3)) + 0.02 * np.stack([x, y, x - y], -1)
    return np.clip(image + generator.normal(0, 0.02, image.shape), 0, 1).astype(np.float32)


def levin(photo, mask=None):
    """Return M_I by equation 12 of Levin, Lischinski and Weiss, pair by pair of pixels, in float64."""
    height, width, _ = photo.shape
    M = np.zeros((height * width,) * 2)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            pixels = [(y + i) * width + x + j for i in (-1, 0, 1) for j in (-1, 0, 1)]
            colors = photo.reshape(-1, 3)[pixels].astype(np.float64)
            mean, covariance = colors.mean(0), np.cov(colors.T, bias=True)
            inverse = np.linalg.inv(covariance + EPSILON / 9 * np.eye(3))
            for i in range(9):
                for j in range(9):
                    value = (1 + (colors[i] - mean) @ inverse @ (colors[j] - mean)) / 9
                    M[pixels[i], pixels[j]] += ((i == j) - value) * (1 if mask is None else mask[y, x])
    return M


def energy(V, photo, mask=None):
    """Return the value and its gradient."""
    U = regressors(photo)
    return jax.jit(jax.value_and_grad(matting_energy))(jnp.asarray(V), U, mask)


def assert_form(actual, M, V):
    """Compare value and gradient with Σ_c V_cᵀ M V_c and 2 M V."""
    value, gradient = actual
    x = np.asarray(V, np.float64).reshape(-1, 3)
    np.testing.assert_allclose(value, np.sum(x * (M @ x)), rtol=1e-5)
    expected = 2 * (M @ x).reshape(V.shape)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("seed", range(3))
def test_value_and_gradient_are_those_of_levins_matrix(seed):
    photo, V = photograph(7, 9, seed), np.random.default_rng(seed).random((7, 9, 3), np.float32)
    assert_form(energy(V, photo), levin(photo), V)


def test_a_mask_weighs_windows_by_their_centers():
    photo, V = photograph(7, 9), photograph(7, 9, 1)
    mask = np.random.default_rng(0).random((7, 9), np.float32)
    assert_form(energy(V, photo, mask), levin(photo, mask), V)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_value_and_gradient_are_those_of_pymatting():
    pymatting = pytest.importorskip("pymatting")
    photo, V = photograph(48, 64), photograph(48, 64, 1)
    assert_form(energy(V, photo), pymatting.cf_laplacian(photo.astype(np.float64), epsilon=EPSILON), V)


def test_the_gradient_is_that_of_finite_differences():
    """Differences of Levin's form in float64: central differences of a quadratic function are exact."""
    photo, V = photograph(6, 7), photograph(6, 7, 2)
    direction = np.random.default_rng(0).standard_normal(V.shape)
    M, (_, gradient) = levin(photo), energy(V, photo)
    plus, minus = ((V.astype(np.float64) + sign * direction).reshape(-1, 3) for sign in (1, -1))
    slope = (np.sum(plus * (M @ plus)) - np.sum(minus * (M @ minus))) / 2
    np.testing.assert_allclose(np.sum(direction * gradient), slope, rtol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_an_affine_function_of_the_colors_costs_next_to_nothing(seed):
    generator = np.random.default_rng(seed)
    photo, A = photograph(12, 16, seed), generator.uniform(-1, 1, (3, 3))
    V = (photo @ A + generator.random(3)).astype(np.float32)
    windows, free = 10 * 14, np.asarray(generator.random(photo.shape), np.float32)
    value, _ = energy(V, photo)
    # The regression may keep the slopes A, which cost ε |A|²; the rest is rounding.
    assert 0 <= value + 1e-5 <= windows * EPSILON * np.sum(A**2) + 2e-5
    assert energy(free, photo)[0] > 1e4 * abs(value)


@pytest.mark.parametrize("photo", [photograph(8, 9), np.full((8, 9, 3), 0.4, np.float32)])
def test_a_constant_costs_nothing_and_no_image_costs_less(photo):
    value, gradient = energy(np.full((8, 9, 3), 0.7, np.float32), photo)
    assert value == 0
    assert not np.asarray(gradient).any()
    for seed in range(5):
        V = np.random.default_rng(seed).standard_normal((8, 9, 3)).astype(np.float32)
        value, gradient = energy(V, photo)
        assert value > 0
        assert np.isfinite(gradient).all()


def test_where_the_photograph_has_one_color_so_has_the_result():
    """Without colors to regress on, a window costs its variance."""
    V = photograph(3, 3)
    value, _ = energy(V, np.full((3, 3, 3), 0.4, np.float32))
    np.testing.assert_allclose(value, 9 * np.var(V.astype(np.float64), axis=(0, 1)).sum(), rtol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 2), (2, 7), (3, 1)])
def test_an_image_without_a_window_costs_nothing(size):
    value, gradient = energy(photograph(*size, 1), photograph(*size))
    assert value == 0
    assert not np.asarray(gradient).any()


@pytest.mark.parametrize(("reduction", "count"), [("sum", 1), ("mean", 7 * 9 * 3)])
def test_the_term_is_a_sum_or_a_mean_over_the_values_of_the_image(reduction, count):
    photo, V = photograph(7, 9), photograph(7, 9, 1)
    settings = losses.checked({"matting_weight": 1.0, "reduction": reduction})
    term = losses.TERMS["matting"].build({"content": losses.Input(None, photo)}, **settings)
    value = term.value(term.statistics(View(V, {}), term.local), term.target)
    np.testing.assert_allclose(value, energy(V, photo)[0] / count, rtol=1e-5)


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random")


def test_it_keeps_a_result_near_a_locally_affine_function_of_the_photograph(network):
    def stylized(weight):
        settings = SMALL | {"matting_weight": weight}
        result = nst.stylize("coffee", "strokes", size=64, steps=10, extractor=network, **settings)
        return energy(result, nst.images.fit(nst.images.as_image("content", "coffee"), 64))[0]

    assert stylized(1e4) < 0.4 * stylized(0.0)


@pytest.mark.slow
def test_each_trial_of_a_batch_has_the_laplacian_of_its_own_photograph(network):
    def run(*trials):
        *_, last = stylizations(trials, extractor=network, scales=[Scale(24, 4)], optimizer="adam")
        return [float(snapshot.state.value) for snapshot in last]

    style = photograph(20, 22, 5)
    trials = [
        Trial(photo, style, style, 0.02, SMALL | {"matting_weight": weight})
        for photo, weight in ((photograph(24, 18), 300.0), (photograph(24, 18, 1), 900.0))
    ]
    assert run(*trials) == pytest.approx([run(trial)[0] for trial in trials], rel=1e-4)


def test_audio_has_no_such_term():
    with pytest.raises(InputError, match="unknown argument of stylize_audio 'matting_weight'"):
        nst.stylize_audio(np.zeros((900, 2)), np.zeros((900, 2)), 8000, matting_weight=1.0)
