"""Metrics by style and by region, against NumPy in float64, and against the metrics of crops."""

import numpy as np
import pytest
import scipy.ndimage

from nst import metrics
from nst.errors import InputError
from nst.metrics import content, paint, style
from nst.metrics.measured import measure
from nst.types import Style
from tests.pointwise import mixing

GENERATOR = np.random.default_rng(0)
HEIGHT, WIDTH = 24, 40
LEFT = np.zeros((HEIGHT, WIDTH), np.float32)
LEFT[:, :20] = 1
OPTIMIZED = ("relu1_1", "relu3_1")


def picture(h=HEIGHT, w=WIDTH, color=(0.5, 0.5, 0.5)):
    """Return noise around a color."""
    return np.clip(np.array(color) + GENERATOR.uniform(-0.3, 0.3, (h, w, 3)), 0, 1).astype(np.float32)


CONTENT, RESULT = picture(), picture()
RED, BLUE = picture(30, 20, (0.9, 0.2, 0.1)), picture(18, 36, (0.1, 0.3, 0.8))
HALVES = [Style(RED, content_mask=LEFT), Style(BLUE, content_mask=1 - LEFT)]


def evaluated(pointwise, styles, results, keep=None, of=CONTENT):
    return metrics.evaluate(of, styles, results, extractor=pointwise, style_layers=OPTIMIZED, keep=keep)


def counts(h, w):
    """Return how often each position counts, 1200 in all; a mask has these numbers in sixteenths."""
    return np.bincount(GENERATOR.integers(0, h * w, 1200), minlength=h * w).reshape(h, w)


def features_of(image, layer, times):
    """Return the features of each position, in float64, as many times as it counts."""
    F = np.maximum(image.astype(np.float64) @ mixing(layer).astype(np.float64), 0)
    return np.repeat(F.reshape(-1, F.shape[-1]), times.ravel(), axis=0)


def gram_oracle(x, y):
    G, A = x.T @ x / len(x), y.T @ y / len(y)
    return np.sum((G - A) ** 2) / np.sum(A**2)


def unit(y):
    return np.mean(np.sum(y**2, axis=1))


def moments_oracle(x, y):
    return (np.sum((x.mean(0) - y.mean(0)) ** 2) + np.sum((x.std(0) - y.std(0)) ** 2)) / unit(y)


def wasserstein_oracle(x, y):
    """Use tr (Σ^½ Σ′ Σ^½)^½ = ‖X Yᵀ‖_* / √(M M′), the nuclear norm, for centered samples X and Y."""
    means = np.sum((x.mean(0) - y.mean(0)) ** 2)
    x, y, size = x - x.mean(0), y - y.mean(0), unit(y)
    shared = np.linalg.norm(np.linalg.qr(x)[1] @ np.linalg.qr(y)[1].T, "nuc") / np.sqrt(len(x) * len(y))
    return (means + np.sum(x**2) / len(x) + np.sum(y**2) / len(y) - 2 * shared) / size


def line_oracle(a, b):
    """Compare the sorted samples, each repeated to a common count."""
    count = np.lcm(len(a), len(b))
    a, b = (np.repeat(np.sort(x), count // len(x)) for x in (a, b))
    return np.mean((a - b) ** 2)


def sliced_oracle(x, y):
    theta = style.directions(x.shape[1]).astype(np.float64)
    apart = [line_oracle(a, b) for a, b in zip((x @ theta).T, (y @ theta).T, strict=True)]
    return x.shape[1] * np.mean(apart) / unit(y)


ORACLES = {
    "gram": gram_oracle,
    "moments": moments_oracle,
    "wasserstein": wasserstein_oracle,
    "sliced": sliced_oracle,
}


@pytest.fixture(scope="module")
def soft():
    """The weights, in sixteenths, of a region of the result and of a part of the style."""
    return counts(HEIGHT, WIDTH), counts(*RED.shape[:2])


@pytest.fixture(scope="module")
def in_soft_masks(pointwise, soft):
    mask, style_mask = (each.astype(np.float32) / 16 for each in soft)
    one = [Style(RED, mask=style_mask, content_mask=mask)]
    return evaluated(pointwise, one, {"result": RESULT})["result"]


@pytest.mark.parametrize("form", ORACLES)
def test_style_in_soft_masks_against_its_oracle(in_soft_masks, soft, form):
    mask, style_mask = soft
    for place, layers in metrics.groups(OPTIMIZED).items():
        pairs = [(features_of(RESULT, each, mask), features_of(RED, each, style_mask)) for each in layers]
        expected = np.mean([ORACLES[form](x, y) for x, y in pairs])
        np.testing.assert_allclose(in_soft_masks[f"style_{form}{place}"], expected, rtol=1e-3, atol=1e-6)


def test_palette_in_soft_masks_is_that_of_repeated_pixels(in_soft_masks, soft):
    x, y = (
        np.repeat(image.reshape(-1, 3), times.ravel(), axis=0)[None]
        for image, times in zip((RESULT, RED), soft, strict=True)
    )
    assert in_soft_masks["palette"] == pytest.approx(paint.palette(x, y), rel=1e-9)


def test_shares_of_samples_against_repetition():
    for m, k in ((1, 1), (5, 3), (8, 8), (40, 7)):
        a, b, p, q = (
            GENERATOR.normal(3, 1, m),
            GENERATOR.normal(0, 2, k),
            GENERATOR.integers(0, 4, m),
            GENERATOR.integers(1, 4, k),
        )
        p[0] = 2
        expected = line_oracle(np.repeat(a, p), np.repeat(b, q))
        (x, shares), (y, others) = style.ordered(a, p / 4), style.ordered(b, q / 4)
        assert style.line_distance(x, y, shares, others) == pytest.approx(expected, rel=1e-12)
        half = line_oracle(np.repeat(a, p), b)
        assert style.line_distance(x, np.sort(b), shares) == pytest.approx(half, rel=1e-12)


def test_a_region_has_the_figures_of_its_crop(pointwise):
    """The network sees single pixels, so that no position of a region sees beyond it."""
    figures = evaluated(pointwise, HALVES, {"result": RESULT})["result"]
    for number, (each, part) in enumerate(((RED, np.s_[:, :20]), (BLUE, np.s_[:, 20:])), 1):
        crop = evaluated(pointwise, each, {"crop": RESULT[part]}, of=CONTENT[part])["crop"]
        of_style = [name for name in crop if name.startswith("style_") or name == "palette"]
        assert len(of_style) == 9
        for name in of_style:
            assert figures[f"{name}.style_{number}"] == pytest.approx(crop[name], rel=1e-3, abs=1e-6), name


def test_masks_of_ones_are_no_masks(pointwise):
    ones, zeros = np.ones_like(LEFT), np.zeros_like(LEFT)
    masked = [Style(RED, mask=np.ones(RED.shape[:2]), content_mask=ones)]
    for styles, keep in ((masked, None), (masked, zeros), (RED, zeros)):
        with_masks = evaluated(pointwise, styles, {"result": RESULT}, keep)
        without = evaluated(pointwise, RED, {"result": RESULT})
        for name in ("result", "content", "style"):
            shared = [metric for metric in without[name] if metric in with_masks[name]]
            assert {*without[name]} - {*shared} == {"mesh", "spectrum", "coverage"}
            for metric in shared:
                same = pytest.approx(without[name][metric], rel=1e-4, abs=1e-5)
                assert with_masks[name][metric] == same, metric


def test_a_single_style_without_a_mask_is_its_image(pointwise):
    one, same = (evaluated(pointwise, styles, {"a": RESULT}) for styles in (RED, [Style(RED, 3.0)]))
    assert one == same
    assert [*one["a"]] == [*metrics.METRICS]


def matrix(row):
    """Return the distances of regions to styles."""
    metric, distances = metrics.matrix(row) or ("", np.zeros(()))
    assert metric == "style_wasserstein_held_out"
    return distances


def painted(left, right):
    """Return an image of pixels of two styles, drawn at random in each half."""
    halves = [each.reshape(-1, 3)[GENERATOR.integers(0, len(each), (HEIGHT, 20))] for each in (left, right)]
    return np.concatenate(halves, axis=1)


def test_styles_in_the_wrong_regions_show_in_the_matrix(pointwise):
    right, wrong = painted(RED, BLUE), painted(BLUE, RED)
    bleeding = np.where(LEFT[..., None] > 0, right, 0.7 * right + 0.3 * wrong)
    figures = evaluated(pointwise, HALVES, {"right": right, "wrong": wrong, "bleeding": bleeding})
    D = {name: matrix(row) for name, row in figures.items()}
    assert D["right"].diagonal().max() < 0.05 < 0.5 < np.fliplr(D["right"]).diagonal().min()
    assert np.fliplr(D["wrong"]).diagonal().max() < 0.05 < 0.5 < D["wrong"].diagonal().min()
    np.testing.assert_allclose(D["style"].diagonal(), 0, atol=1e-9)
    assert (
        D["bleeding"][1, 0] < 0.7 * D["right"][1, 0]
    )  # the second region is nearer to the style of the first
    assert D["bleeding"][1, 1] > 2 * D["right"][1, 1]
    np.testing.assert_allclose(D["bleeding"][0], D["right"][0], rtol=1e-3, atol=1e-6)


def test_each_cell_of_the_matrix_is_of_its_region_and_its_style(pointwise):
    distances = matrix(evaluated(pointwise, HALVES, {"a": RESULT})["a"])
    layers = metrics.groups(OPTIMIZED)["_held_out"]
    for i, mask in enumerate((LEFT, 1 - LEFT)):
        for j, each in enumerate((RED, BLUE)):
            times = [mask.astype(int), np.ones(each.shape[:2], int)]
            pairs = [(features_of(RESULT, n, times[0]), features_of(each, n, times[1])) for n in layers]
            expected = np.mean([wasserstein_oracle(x, y) for x, y in pairs])
            assert distances[i, j] == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_styles_of_the_whole_image_have_no_matrix(pointwise):
    figures = evaluated(pointwise, [Style(RED), Style(BLUE)], {"a": RESULT})
    assert all(metrics.matrix(row) is None for row in figures.values())
    for number, each in enumerate((RED, BLUE), 1):
        alone = evaluated(pointwise, each, {"a": RESULT})
        for name in ("a", "content"):
            for metric in ("style_gram", "style_sliced_held_out", "palette"):
                assert figures[name][f"{metric}.style_{number}"] == alone[name][metric]
        assert figures["style"][f"style_gram.style_{number}"] == 0


def test_what_is_kept_counts_neither_as_content_nor_as_style(pointwise):
    """The result is the content where it is kept, on the left; its metrics are those of the right."""
    result = np.where(LEFT[..., None] > 0, CONTENT, RESULT)
    without, whole = (evaluated(pointwise, RED, {"a": result}, keep)["a"] for keep in (LEFT, None))
    right = np.s_[:, 20:]
    crop = evaluated(pointwise, RED, {"a": result[right]}, of=CONTENT[right])["a"]
    for name in ("style_gram", "style_wasserstein_held_out", "palette", "content_cosine"):
        assert without[name] == pytest.approx(crop[name], rel=1e-3), name
    assert without["content_cosine"] < whole["content_cosine"]
    assert without["ssim"] < whole["ssim"]
    assert without["cfsd"] > whole["cfsd"]
    assert without["keep_difference"] == 0
    assert "keep_difference" not in whole


def test_ssim_in_a_mask_against_float64():
    """Wang et al. 2004, equation 13, averaged over the windows whose centers count."""
    x, y = (np.asarray(each, np.float64) @ content.LUMINANCE for each in (RESULT, CONTENT))
    mask = counts(HEIGHT, WIDTH).astype(np.float32) / 16

    def mean(z):
        return scipy.ndimage.gaussian_filter(z, 1.5, radius=5)

    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    S = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    inner = np.s_[5:-5, 5:-5]
    expected = np.sum((S * mask)[inner]) / np.sum(mask[inner])
    assert content.ssim(RESULT, CONTENT, mask) == pytest.approx(expected, rel=1e-9)


def test_cfsd_in_a_mask_against_loops():
    F, P = (np.abs(GENERATOR.standard_normal((4, 5, 6))).astype(np.float32) for _ in range(2))
    mask = GENERATOR.integers(0, 5, (4, 5)).astype(np.float32) / 4

    def similarities(x):
        x = x.reshape(-1, 6).astype(np.float64)
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        e = np.exp(x @ x.T)
        return e / e.sum(axis=1, keepdims=True)

    S, C = similarities(F), similarities(P)
    divergences = np.sum(C * np.log(C / S), axis=1)
    expected = np.sum(mask.ravel() * divergences) / np.sum(mask)
    assert content.cfsd(F, P, mask) == pytest.approx(expected, rel=1e-3)


def test_the_largest_difference_of_kept_pixels(pointwise):
    result = np.where(LEFT[..., None] > 0, CONTENT, RESULT)
    row, column = 7, 3
    result[row, column, 1] += 0.25 if CONTENT[row, column, 1] < 0.5 else -0.25
    soft = LEFT.copy()
    soft[:, 19] = 0.6  # along its smooth border nothing is kept completely
    result[0, 19] = 0
    figures = evaluated(pointwise, RED, {"a": result}, soft)
    assert figures["a"]["keep_difference"] == pytest.approx(0.25, abs=1e-6)
    assert figures["content"]["keep_difference"] == 0


def test_the_styles_as_a_baseline_lie_in_their_regions(pointwise):
    """The content metrics of the baseline are those of an image with each style in its half."""
    from nst import images

    crops = [images.cover(each, HEIGHT, WIDTH) for each in (RED, BLUE)]
    together = np.clip(np.where(LEFT[..., None] > 0, *crops), 0, 1)
    figures = evaluated(pointwise, HALVES, {"together": together})
    for name in ("content_cosine", "ssim", "cfsd", "border", "tv", "grid"):
        assert figures["style"][name] == figures["together"][name], name


def test_masks_of_another_size_are_resized(pointwise):
    large = np.repeat(np.repeat(LEFT, 2, 0), 2, 1)
    a, b = (
        evaluated(pointwise, [Style(RED, content_mask=mask)], {"a": RESULT})["a"]["style_gram"]
        for mask in (LEFT, large)
    )
    assert a == pytest.approx(b, rel=0.02)


def test_a_layer_without_a_position_of_the_region_has_no_moments(pointwise):
    empty, whole = measure(RESULT, pointwise, OPTIMIZED, [np.zeros_like(LEFT), None]).moments
    assert empty == {}
    assert [*whole] == [*OPTIMIZED]


def test_a_region_that_is_all_kept_is_refused_in_a_line(pointwise):
    with pytest.raises(InputError, match="the region of style 1 has no pixel that is not kept: ") as caught:
        evaluated(pointwise, HALVES, {"a": RESULT}, LEFT)
    assert "\n" not in str(caught.value)
