"""The metrics of content against loops, the paper's equations and their properties."""

import math

import numpy as np
import pytest

from nst.errors import InputError
from nst.metrics import content

GENERATOR = np.random.default_rng(0)


def drawn(h, w, n):
    """Return random features, rectified like those of the network."""
    return np.maximum(GENERATOR.standard_normal((h, w, n)) + 0.5, 0).astype(np.float32)


def flat(F):
    return F.reshape(-1, F.shape[-1]).astype(np.float64)


def test_cosine_against_loops():
    F, P = drawn(4, 5, 6), drawn(4, 5, 6)
    F[0, 0] = P[0, 0] = F[1, 1] = 0  # zeros in both count 1, zeros in one count 0
    cosines = [
        1.0
        if not f.any() and not p.any()
        else 0.0
        if not f.any() or not p.any()
        else f @ p / math.sqrt((f @ f) * (p @ p))
        for f, p in zip(flat(F), flat(P), strict=True)
    ]
    np.testing.assert_allclose(content.cosine(F, P), np.mean(cosines), rtol=1e-9)
    assert content.cosine(F, F) == pytest.approx(1, abs=1e-12)


def cfsd_oracle(F, P):
    def similarities(x):
        x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
        exponentials = np.exp(x @ x.T)
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    S, C = similarities(flat(F)), similarities(flat(P))
    return np.mean(
        [sum(c[j] * np.log(c[j] / s[j]) for j in range(len(c))) for c, s in zip(C, S, strict=True)]
    )


@pytest.mark.parametrize("block", [10**6, 160, 1], ids=["dense", "blocks with a rest", "row by row"])
def test_cfsd_against_dense_loops_in_any_blocks(block, monkeypatch):
    monkeypatch.setattr(content, "_BLOCK", block)
    content._divergence.clear_cache()
    F, P = drawn(5, 7, 6), drawn(5, 7, 6)
    P[2, 3] = 0
    np.testing.assert_allclose(content.cfsd(F, P), cfsd_oracle(F, P), rtol=2e-4)
    content._divergence.clear_cache()


def test_cfsd_sees_places_not_the_size_of_features():
    F, P = drawn(5, 7, 6), drawn(5, 7, 6)
    assert content.cfsd(P, P) == 0
    np.testing.assert_allclose(content.cfsd(50 * F, 3 * P), content.cfsd(F, P), rtol=1e-3)
    noise = GENERATOR.standard_normal(P.shape).astype(np.float32)
    figures = [content.cfsd(np.maximum(P + amount * noise, 0), P) for amount in (0, 0.2, 0.5, 1)]
    assert figures == sorted(set(figures))
    apart = np.zeros((1, 40, 40), np.float32)
    apart[0, range(40), range(40)] = 1
    alike = np.ones((1, 40, 40), np.float32)
    assert 0 < content.cfsd(apart, alike) < 0.5
    assert 0 < content.cfsd(alike, apart) < 0.5


def ssim_oracle(x, y):
    """Return equation 13 of Wang et al., window by window."""
    luminance = np.array([0.2126, 0.7152, 0.0722])
    x, y = x.astype(np.float64) @ luminance, y.astype(np.float64) @ luminance
    along = np.exp(-np.square(np.arange(-5, 6)) / (2 * 1.5**2))
    w = np.outer(along, along) / along.sum() ** 2
    C1, C2 = 0.01**2, 0.03**2
    windows = []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            m, k = (w * a).sum(), (w * b).sum()
            va, vb, cov = (w * (a - m) ** 2).sum(), (w * (b - k) ** 2).sum(), (w * (a - m) * (b - k)).sum()
            windows.append((2 * m * k + C1) * (2 * cov + C2) / ((m**2 + k**2 + C1) * (va + vb + C2)))
    return np.mean(windows)


def picture(h, w):
    return GENERATOR.uniform(0, 1, (h, w, 3)).astype(np.float32)


def test_ssim_against_its_equation():
    x = picture(14, 17)
    y = np.clip(x + 0.2 * GENERATOR.standard_normal(x.shape), 0, 1).astype(np.float32)
    np.testing.assert_allclose(content.ssim(y, x), ssim_oracle(y, x), rtol=1e-9)
    assert content.ssim(x, y) == pytest.approx(content.ssim(y, x), rel=1e-12)
    assert content.ssim(x, x) == 1
    figures = [
        content.ssim(np.clip(x + amount * (picture(14, 17) - 0.5), 0, 1), x) for amount in (0, 0.2, 0.7, 1.5)
    ]
    assert figures == sorted(figures, reverse=True)


def test_ssim_needs_room_for_its_window():
    with pytest.raises(
        InputError, match="20×10 pixels is smaller than the window of SSIM: give sides of at least 11"
    ):
        content.ssim(picture(10, 20), picture(10, 20))


def test_border_is_the_step_in_color_of_a_frame():
    x = picture(64, 96)
    framed, topped = x.copy(), x.copy()
    framed[:2] += 0.1
    framed[-2:] += 0.1
    framed[2:-2, :2] += 0.1
    framed[2:-2, -2:] += 0.1
    topped[:2] -= 0.1
    # In the corners the frame also covers the next strip: two of its 64 or 96 places at each end.
    sides = [0.1 * (1 - 4 / 96)] * 2 + [0.1 * (1 - 4 / 64)] * 2
    assert content.border(framed, x) == pytest.approx(np.sqrt(np.mean(np.square(sides))), rel=1e-4)
    assert content.border(topped, x) == pytest.approx(0.1 / 2, rel=1e-4)  # one of four sides
    assert content.border(0.3 + 0.5 * x, 0.5 * x) == pytest.approx(0, abs=1e-6)
