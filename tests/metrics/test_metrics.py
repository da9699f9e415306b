"""Style against oracles (NumPy loops, scipy) and its properties; all metrics of results, and the baselines."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from nst import evaluation, features, metrics
from nst.errors import InputError
from nst.evaluation.table import beats
from nst.features import weights
from nst.metrics import content, style
from nst.metrics.definitions import CFSD_LAYER, COSINE_LAYER

LAYERS = features.NETWORKS["vgg19"].layers
GENERATOR = np.random.default_rng(0)
FORMS = {
    "gram": style.gram,
    "moments": style.moments,
    "wasserstein": style.wasserstein,
    "sliced": style.sliced,
}


def drawn(h, w, n, *, shift=0.5):
    """Return correlated random features, rectified like those of the network."""
    mixing = GENERATOR.standard_normal((n, n)) / np.sqrt(n)
    return np.maximum(GENERATOR.standard_normal((h, w, n)) @ mixing + shift, 0).astype(np.float32)


def statistics(F):
    F = F.reshape(-1, F.shape[-1]).astype(np.float64)
    slices = np.sort((F @ style.directions(F.shape[1])).T, axis=1)
    return style.Moments(F.T @ F / len(F), F.mean(axis=0), slices)


def flat(F):
    return F.reshape(-1, F.shape[-1]).astype(np.float64)


def gram_oracle(F, A):
    def gram(x):
        n = x.shape[1]
        return np.array([[sum(x[:, i] * x[:, j]) / len(x) for j in range(n)] for i in range(n)])

    G, T = gram(flat(F)), gram(flat(A))
    return ((G - T) ** 2).sum() / (T**2).sum()


def unit(A):
    return np.mean([f @ f for f in flat(A)])


def moments_oracle(F, A):
    x, y = flat(F), flat(A)
    return sum(
        (x[:, i].mean() - y[:, i].mean()) ** 2 + (x[:, i].std() - y[:, i].std()) ** 2
        for i in range(x.shape[1])
    ) / unit(A)


def wasserstein_oracle(F, A):
    """Use tr (Σ^½ Σ′ Σ^½)^½ = ‖X Yᵀ‖_* / √(M M′), the nuclear norm, for centered samples X and Y.

    scipy.linalg.sqrtm(Σ Σ′) would be the textbook form. It warns that a singular product is singular, or does not,
    depending on the last bits.
    """
    x, y = flat(F), flat(A)
    means = ((x.mean(0) - y.mean(0)) ** 2).sum()
    x, y = x - x.mean(0), y - y.mean(0)
    shared = np.linalg.norm(x @ y.T, "nuc") / np.sqrt(len(x) * len(y))
    return (means + (x**2).sum() / len(x) + (y**2).sum() / len(y) - 2 * shared) / unit(A)


def sliced_oracle(F, A):
    """Use optimal assignment on the line, between samples repeated to a common count."""
    x, y = flat(F), flat(A)
    count = math.lcm(len(x), len(y))
    total = 0.0
    for theta in style.directions(x.shape[1]).T.astype(np.float64):
        a, b = np.repeat(x @ theta, count // len(x)), np.repeat(y @ theta, count // len(y))
        cost = (a[:, None] - b[None]) ** 2
        total += cost[scipy.optimize.linear_sum_assignment(cost)].mean()
    return x.shape[1] * total / style.DIRECTIONS / unit(A)


ORACLES = {
    "gram": gram_oracle,
    "moments": moments_oracle,
    "wasserstein": wasserstein_oracle,
    "sliced": sliced_oracle,
}
SIZES = {"equal counts": (5, 4), "other counts": (3, 5), "fewer than channels": (1, 2)}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("form", FORMS)
def test_style_against_its_oracle(form, size):
    F, A = drawn(*size, 6), drawn(4, 5, 6, shift=1)
    np.testing.assert_allclose(FORMS[form](statistics(F), statistics(A)), ORACLES[form](F, A), rtol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_style_is_0_for_the_same_features_in_any_order_and_1_for_none(form):
    A = drawn(6, 7, 5)
    permuted = GENERATOR.permutation(A.reshape(-1, 5)).reshape(7, 6, 5)
    assert FORMS[form](statistics(A), statistics(A)) < 1e-12
    assert FORMS[form](statistics(permuted), statistics(A)) < 1e-12
    # With 64 directions the length of a vector of 5 is known to some percent.
    tolerance = 0.3 if form == "sliced" else 1e-6
    np.testing.assert_allclose(FORMS[form](statistics(np.zeros_like(A)), statistics(A)), 1, rtol=tolerance)


@pytest.mark.parametrize("form", FORMS)
def test_style_grows_with_noise_and_does_not_depend_on_scale(form):
    A, noise = drawn(8, 8, 5), GENERATOR.standard_normal((8, 8, 5)).astype(np.float32)
    figures = [FORMS[form](statistics(A + amount * noise), statistics(A)) for amount in (0, 0.3, 1, 3)]
    assert figures == sorted(figures)
    assert figures[0] < figures[1] < figures[-1]
    scaled = FORMS[form](statistics(100 * (A + noise)), statistics(100 * A))
    np.testing.assert_allclose(scaled, FORMS[form](statistics(A + noise), statistics(A)), rtol=1e-5)
    tiled = FORMS[form](statistics(np.tile(A + noise, (2, 3, 1))), statistics(A))
    np.testing.assert_allclose(tiled, FORMS[form](statistics(A + noise), statistics(A)), rtol=1e-5)


def test_distances_are_symmetric_but_for_their_unit():
    F, A = drawn(5, 6, 5), drawn(4, 4, 5, shift=1)
    for form in ("moments", "wasserstein", "sliced"):
        there, back = (
            FORMS[form](statistics(F), statistics(A)) * unit(A),
            FORMS[form](statistics(A), statistics(F)) * unit(F),
        )
        np.testing.assert_allclose(there, back, rtol=1e-6)


def test_matching_moments_is_the_least_of_what_matching_gaussians_takes():
    F, A = drawn(5, 6, 5), drawn(4, 4, 5, shift=1)
    assert style.moments(statistics(F), statistics(A)) < style.wasserstein(statistics(F), statistics(A))


def test_a_style_without_features_has_no_figure():
    nothing = statistics(np.zeros((3, 3, 4), np.float32))
    assert all(np.isnan(distance(nothing, nothing)) for distance in FORMS.values())


def test_directions_are_fixed_and_on_the_sphere():
    theta = style.directions(7)
    assert theta.shape == (7, style.DIRECTIONS)
    np.testing.assert_allclose(np.linalg.norm(theta, axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(theta[0, :2], [0.074751, -0.100687], atol=1e-5)


def picture(h, w):
    return GENERATOR.uniform(0, 1, (h, w, 3)).astype(np.float32)


def test_held_out_layers_share_no_convolution_with_those_optimized():
    assert metrics.held_out(("relu1_1", "relu2_1")) == metrics.HELD_OUT
    assert metrics.held_out(("conv1_2", "pool2", "relu3_3")) == ("relu4_3", "relu5_2")
    assert metrics.held_out(LAYERS) == ()
    assert [name for name in metrics.names(LAYERS) if "held_out" in name] == []
    assert [name for name in metrics.names(()) if not name.endswith("_held_out")] == [
        "content_cosine",
        "ssim",
        "cfsd",
        "border",
        "tv",
        "mesh",
        "grid",
        "spectrum",
        "palette",
        "coverage",
    ]
    assert metrics.names(("relu1_1",)) == [*metrics.METRICS]


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random", pooling="max", convolution="direct")


LAYERS_OPTIMIZED = ("relu1_1", "relu3_1")


@pytest.fixture(scope="module")
def evaluated(network):
    c, s = picture(24, 32), picture(24, 32)
    results = {"noise": picture(24, 32), "same": c.copy()}
    figures = metrics.evaluate(c, s, results, extractor=network, style_layers=LAYERS_OPTIMIZED)
    return c, s, results, figures


def test_every_metric_of_results_and_baselines(evaluated):
    *_, figures = evaluated
    assert list(figures) == ["noise", "same", "content", "style"]
    assert all(list(row) == [*metrics.METRICS] for row in figures.values())
    assert figures["same"] == figures["content"]


def test_each_baseline_is_perfect_in_its_own_metrics(evaluated):
    *_, figures = evaluated
    for name, metric in metrics.METRICS.items():
        assert metric.better in ("lower", "higher")
        if not metric.baseline:
            continue
        other = "style" if metric.baseline == "content" else "content"
        best = 1 if metric.better == "higher" else 0
        assert figures[other][name] == pytest.approx(best, abs=1e-9)
        assert abs(figures[metric.baseline][name] - best) > 1e-4


def test_figures_are_means_over_layers(evaluated, network):
    c, s, results, figures = evaluated
    places = metrics.groups(LAYERS_OPTIMIZED)
    assert not set(places[""]) & set(places["_held_out"])
    # Compiled like the tested code: a divergence of 2e-4 depends on the last bits of the features.
    compiled = jax.jit(lambda x: network(x, LAYERS[:-1]))
    result, target, reference = (compiled(x) for x in (results["noise"], s, c))
    for place, group in places.items():
        for form in ("gram", "moments", "wasserstein"):
            expected = np.mean(
                [
                    FORMS[form](statistics(np.asarray(result[n])), statistics(np.asarray(target[n])))
                    for n in group
                ]
            )
            np.testing.assert_allclose(
                figures["noise"][f"style_{form}{place}"],
                expected,
                rtol=1e-3,
                atol=1e-6,  # W₂ is a difference of float32 moments
            )
    expected = content.cosine(result[COSINE_LAYER], reference[COSINE_LAYER])
    assert figures["noise"]["content_cosine"] == pytest.approx(expected, rel=1e-5)
    expected = content.cfsd(result[CFSD_LAYER], reference[CFSD_LAYER])
    assert figures["noise"]["cfsd"] == pytest.approx(expected, rel=1e-4)


def test_total_variation_is_a_mean_over_pixels(evaluated):
    _, _, results, figures = evaluated
    x = results["noise"].astype(np.float64)
    total = sum(
        ((x[i, j] - x[k, m]) ** 2).sum()
        for i in range(24)
        for j in range(32)
        for k, m in ((i + 1, j), (i, j + 1))
        if k < 24 and m < 32
    )
    assert figures["noise"]["tv"] == pytest.approx(total / (24 * 32), rel=1e-5)


def test_what_cannot_be_compared_is_refused_by_name(network, evaluated):
    c, s, *_ = evaluated
    with pytest.raises(InputError, match="small: give a result of 32×24 pixels"):
        metrics.evaluate(c, s, {"small": picture(16, 16)}, extractor=network, style_layers=LAYERS_OPTIMIZED)
    with pytest.raises(InputError, match="style: give a result of"):
        metrics.evaluate(c, s, {"style": c}, extractor=network, style_layers=LAYERS_OPTIMIZED)
    with pytest.raises(InputError, match="too small for relu5_2"):
        metrics.evaluate(c, picture(12, 40), {}, extractor=network, style_layers=LAYERS_OPTIMIZED)
    with pytest.raises(InputError, match="unknown layer 'relu9_1'"):
        metrics.evaluate(c, s, {}, extractor=network, style_layers=("relu9_1",))
    broken = jnp.full_like(c, jnp.nan)
    with pytest.raises(InputError, match="style_gram of broken is nan: check the image"):
        metrics.evaluate(c, s, {"broken": broken}, extractor=network, style_layers=LAYERS_OPTIMIZED)


def test_the_smallest_images_and_constant_ones_have_every_figure(network):
    flat = np.full((16, 18, 3), 0.5, np.float32)
    for c, s in ((flat, picture(40, 16)), (picture(16, 18), flat), (flat, flat)):
        results = {"noise": picture(16, 18), "flat": flat, "black": 0 * flat}
        figures = metrics.evaluate(c, s, results, extractor=network, style_layers=LAYERS_OPTIMIZED)
        assert all(list(row) == [*metrics.METRICS] for row in figures.values())


@pytest.mark.skipif(not weights.loading.cached(weights.DEFAULT).exists(), reason="fetches no weights")
def test_with_the_pretrained_weights_results_lie_between_the_baselines():
    """An image like the style beats the content image in style, one like the content beats the style in content."""
    across, down = np.meshgrid(np.linspace(0, 1, 48), np.linspace(0, 1, 48))
    c = np.stack([across, down, 1 - across], axis=-1).astype(np.float32)
    c[12:30, 10:34] = 0.9 - 0.8 * c[12:30, 10:34]
    s = np.stack([np.sin(40 * across) > 0, np.sin(23 * down + 9 * across) > 0, across < 2], axis=-1)
    s = s.astype(np.float32) * 0.8
    results = {
        "style": np.roll(s, (11, 17), (0, 1)),
        "content": np.clip(c + 0.02 * (picture(48, 48) - 0.5), 0, 1),
    }
    figures = metrics.evaluate(
        c,
        s,
        {f"like {n}": x for n, x in results.items()},
        extractor=evaluation.image.network(),
        style_layers=("relu1_1", "relu3_1"),
    )
    for name, metric in metrics.METRICS.items():
        if metric.baseline:
            like = figures["like style" if metric.baseline == "content" else "like content"]
            assert beats(name, like[name], figures), name
