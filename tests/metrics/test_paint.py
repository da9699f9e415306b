"""Palette and coverage against loops, and on images whose colors or painted parts are known."""

import numpy as np
import pytest
import scipy.optimize
import skimage.color

from nst import features
from nst.features import weights
from nst.images import fit, read
from nst.metrics import paint

GENERATOR = np.random.default_rng(0)


def colored(h, w, spread=8.0):
    """Return random colors in CIELAB, well inside the gamut of sRGB."""
    return np.array([55.0, 5, 5]) + spread * GENERATOR.uniform(-1, 1, (h, w, 3))


def to_rgb(lab):
    rgb = skimage.color.lab2rgb(lab)
    assert 0 < rgb.min() < rgb.max() < 1
    return rgb


def test_palette_is_the_length_of_a_shift_of_all_colors():
    lab = colored(20, 30)
    for shift in ([6, 0, 0], [0, -5, 0], [3, 4, -12], [-1, 2, 2]):
        expected = np.linalg.norm(shift)
        assert paint.palette(to_rgb(lab + shift), to_rgb(lab)) == pytest.approx(expected, rel=1e-3)


def test_palette_sees_neither_places_nor_size():
    x, other = to_rgb(colored(12, 16)), to_rgb(colored(12, 16, spread=3))
    permuted = GENERATOR.permutation(x.reshape(-1, 3)).reshape(16, 12, 3)
    assert paint.palette(permuted, x) < 1e-9
    assert paint.palette(np.tile(x, (2, 3, 1)), x) < 1e-6
    assert paint.palette(np.tile(other, (3, 2, 1)), x) == pytest.approx(paint.palette(other, x), rel=1e-9)
    assert paint.palette(x, other) == pytest.approx(paint.palette(other, x), rel=1e-9)
    assert paint.palette(other, x) > 1


def test_palette_against_optimal_assignments_along_each_axis():
    x, y = to_rgb(colored(4, 5)), to_rgb(colored(4, 5))
    axes = paint._axes()
    np.testing.assert_allclose(np.linalg.norm(axes, axis=1), 1)
    np.testing.assert_allclose(3 * axes.T @ axes, len(axes) * np.eye(3), atol=1e-12)
    assert np.max(np.abs(axes @ axes.T)[np.triu_indices(16, 1)]) < 0.8  # evenly spread, none twice
    total = 0.0
    a, b = (skimage.color.rgb2lab(each).reshape(-1, 3) for each in (x, y))
    for theta in axes:
        cost = ((a @ theta)[:, None] - (b @ theta)[None]) ** 2
        total += cost[scipy.optimize.linear_sum_assignment(cost)].mean()
    assert paint.palette(x, y) == pytest.approx(np.sqrt(3 * total / len(axes)), rel=1e-9)


CHANNELS = 12
MEANS = {"content": GENERATOR.uniform(0.5, 1, CHANNELS), "style": GENERATOR.uniform(2, 3, CHANNELS)}


def textured(name, h, w):
    """Return features of a texture: positive, of known means."""
    return (MEANS[name] * GENERATOR.gamma(4, 0.25, (h, w, CHANNELS))).astype(np.float32)


def coverage(x, c, s):
    return paint.coverage(x, c, s, stride=4)


@pytest.mark.parametrize("size", [(32, 48), (64, 64), (96, 32)])
def test_coverage_is_the_share_that_is_not_painted_whatever_the_size(size):
    c, s, painted = textured("content", *size), textured("style", 40, 56), textured("style", *size)
    assert coverage(c, c, s) == 1
    assert coverage(painted, c, s) < 0.05
    for share in (0.25, 0.5, 0.75):
        x, width = c.copy(), round(size[1] * share)
        x[:, :width] = painted[:, :width]
        assert coverage(x, c, s) == pytest.approx(1 - share, abs=0.15)
    faint = c + 0.2 * (painted - c)
    assert coverage(faint, c, s) > 0.95  # nearer to the style than the content is, but not painted


def coverage_oracle(x, c, s, block):
    def blocks(F):
        h, w, _ = F.shape
        step = block // 2
        parts = [
            F[i : i + block, j : j + block].astype(np.float64).reshape(-1, F.shape[2])
            for i in range(0, h - block + 1, step)
            for j in range(0, w - block + 1, step)
        ]
        return np.array([[*part.mean(axis=0), *part.std(axis=0)] for part in parts])

    own = blocks(s)
    spread = own.var(axis=0) + 0.01 * own.var(axis=0).mean() + 1e-4 * (own.mean(axis=0) ** 2).mean()
    distances = [[np.mean((b - own.mean(axis=0)) ** 2 / spread) for b in blocks(each)] for each in (x, c)]
    return np.mean([a > p / 2 and a > 1 for a, p in zip(*distances, strict=True)])


def test_coverage_against_loops():
    c, s = textured("content", 27, 33), textured("style", 21, 30)
    x = c + np.linspace(0, 1, 33)[:, None].astype(np.float32) * (textured("style", 27, 33) - c)
    expected = coverage_oracle(x, c, s, 8)
    assert 0.2 < expected < 0.8
    assert coverage(x, c, s) == pytest.approx(expected, abs=1e-12)


def test_coverage_sees_texture_where_means_are_the_styles():
    s = textured("style", 64, 64)
    c = np.broadcast_to(MEANS["style"], s.shape).astype(np.float32)
    assert coverage(c, c, s) == 1
    assert coverage(textured("style", 64, 64), c, s) < 0.05


def test_coverage_takes_a_content_that_is_like_the_style_as_painted():
    s = textured("style", 64, 64)
    assert coverage(textured("style", 64, 64), textured("style", 64, 64), s) < 0.6
    assert coverage(s, s, s) < 0.6


def test_small_and_constant_images_have_figures():
    flat, black = np.full((4, 5, 3), 0.5, np.float32), np.zeros((4, 5, 3), np.float32)
    for F in (flat, black):
        for P in (flat, black, GENERATOR.uniform(size=(4, 5, 3)).astype(np.float32)):
            for A in (flat[:, :4], black, GENERATOR.uniform(size=(6, 9, 3)).astype(np.float32)):
                assert 0 <= coverage(F, P, A) <= 1
    assert coverage(flat, flat, flat) == 0
    for x in (np.zeros((16, 16, 3)), np.ones((16, 17, 3)), GENERATOR.uniform(size=(20, 16, 3))):
        for s in (np.zeros((16, 16, 3)), GENERATOR.uniform(size=(30, 16, 3))):
            assert np.isfinite(paint.palette(x, s))
    assert paint.palette(np.zeros((16, 16, 3)), np.zeros((9, 16, 3))) == 0


@pytest.mark.skipif(not weights.loading.cached(weights.DEFAULT).exists(), reason="fetches no weights")
def test_with_the_pretrained_weights_half_a_painting_is_half_painted():
    network = features.load(pooling="max", padding="zeros", convolution="direct")
    c, s = fit(read("chelsea"), 160), fit(read("strokes"), 256)
    x = c.copy()
    x[:, 80:] = s[30 : 30 + len(c), 60:140]
    F, P, A = (np.asarray(network(each, ("relu3_1",))["relu3_1"]) for each in (x, c, s))
    assert coverage(P, P, A) > 0.9
    assert coverage(F, P, A) == pytest.approx(0.5, abs=0.15)
