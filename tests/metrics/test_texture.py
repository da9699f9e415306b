"""Mesh, grid and spectrum against loops, and on images made with or without these faults."""

import numpy as np
import pytest
import scipy.ndimage

from nst.metrics import texture

GENERATOR = np.random.default_rng(0)


def waves(h, w, orientation=None, width=np.pi / 12):
    """Return noise at periods of 3 to 5 pixels, in all orientations or around some."""
    fy, fx = np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)
    f, theta = np.hypot(fy, fx), np.arctan2(fy, fx)
    keep = (f > 0.2) & (f < 1 / 3)
    if orientation is not None:
        apart = [
            np.abs((theta - each + np.pi / 2) % np.pi - np.pi / 2) for each in np.atleast_1d(orientation)
        ]
        keep &= np.min(apart, axis=0) < width
    y = np.fft.irfft2(np.fft.rfft2(GENERATOR.standard_normal((h, w))) * keep, (h, w))
    return 0.5 + 0.1 * y / np.std(y)


def maze(h, w):
    """Return short, closed lines in all directions: noise in one octave, thresholded at its mean."""
    return np.where(waves(h, w) > 0.5, 0.6, 0.4)


def net(h, w):
    """Return cells along both axes, over the whole image."""
    return waves(h, w, (0, np.pi / 2))


def strokes(h, w):
    """Return long lines, of one direction in each part of the image and of all directions over the whole image."""
    y, part = np.empty((h, w)), 64
    for i in range(0, h, part):
        for j in range(0, w, part):
            y[i : i + part, j : j + part] = waves(part, part, GENERATOR.uniform(0, np.pi))[: h - i, : w - j]
    return y


def test_mesh_tells_a_maze_and_a_net_from_strokes_of_the_same_spectrum():
    style = strokes(256, 192)
    assert texture.mesh(style, style) == 0
    assert texture.mesh(strokes(192, 256), style) < 0.03
    closed, cells = (texture.mesh(make(192, 256), style) for make in (maze, net))
    assert closed > 0.15
    assert cells > closed + 0.1
    assert texture.mesh(style, maze(192, 256)) == 0  # less mesh than the style is no fault
    mixed = [texture.mesh(a * net(192, 256) + (1 - a) * strokes(192, 256), style) for a in (0.2, 0.4, 0.7)]
    assert 0.03 < mixed[0] < mixed[1] < mixed[2] < cells


def test_mesh_depends_neither_on_the_size_nor_on_visible_contrast_nor_on_one_strong_corner():
    style = strokes(256, 256)
    figures = [texture.mesh(net(*size), style) for size in ((96, 96), (192, 256), (384, 384))]
    assert max(figures) - min(figures) < 0.05
    cells = net(192, 256)
    assert texture.mesh(0.5 + 0.5 * (cells - 0.5), style) == pytest.approx(
        texture.mesh(cells, style), abs=0.02
    )
    assert texture.mesh(0.5 + 1e-3 * (cells - 0.5), style) == 0  # fainter than 8 bits
    corner = strokes(256, 256)
    corner[:64, :64] = 0.5 + 4 * (net(64, 64) - 0.5)
    assert texture.mesh(corner, style) < 0.1


def test_crossing_against_a_dense_transform_of_each_window():
    y = 0.5 + 0.02 * GENERATOR.standard_normal((23, 21))
    n = np.arange(16)
    wave = np.exp(-2j * np.pi * np.outer(n, n) / 16)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / 16)
    values = []
    for i in (0, 4):
        for j in (0, 4):
            x = y[i : i + 16, j : j + 16]
            power = np.abs(wave @ ((x - x.mean()) * np.outer(hann, hann)) @ wave) ** 2 / (hann**2).sum() ** 2
            sums = np.zeros((3, 2))
            for k in range(16):
                for m in range(16):
                    fy, fx = (k + 8) % 16 - 8, (m + 8) % 16 - 8
                    if not 0.2 <= np.hypot(fy, fx) / 16 < 0.36:
                        continue
                    c = (fx**2 - fy**2) / (fx**2 + fy**2)  # cos 2θ
                    for group, weight in enumerate((1, max(c, 0) ** 2, max(-c, 0) ** 2)):
                        sums[group] += weight * power[k, m], weight
            E, H, V = sums[:, 0] / sums[:, 1]
            values.append(np.sqrt(H * V) / (E + 1 / 255**2))
    assert texture._crossing(y) == pytest.approx(np.mean(values), rel=1e-9)


def between_phases_oracle(energy, phases, side):
    """Return the mean over phases and pairs of blocks, one by one."""
    h, w = (n // side for n in energy.shape)
    blocks = [energy[i * side :, j * side :][:side, :side] for i in range(h) for j in range(w)]
    R = [
        [x[p::phases, q::phases].mean() - x.mean() for p in range(phases) for q in range(phases)]
        for x in blocks
    ]
    pairs = [np.mean(np.multiply(R[b], R[c])) for b in range(len(R)) for c in range(len(R)) if b != c]
    return np.mean(pairs) / np.mean(blocks) ** 2


@pytest.mark.parametrize("phases", [2, 4, 8])
def test_spread_over_phases_against_loops_over_pairs_of_blocks(phases):
    for size, side in (((32, 48), 16), ((35, 65), 16), ((31, 40), 8), ((16, 17), 8)):
        energy = 100 * GENERATOR.exponential(size=size)
        expected = between_phases_oracle(energy, phases, side)
        assert texture._between_phases(energy, phases) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (128, 128)])
def test_grid_is_the_variance_of_phases_and_0_by_chance_at_any_size(size):
    """The mean over images equals the expected value, within some standard errors."""
    generator = np.random.default_rng(1)
    gain = np.full(size, 0.9)
    gain[::2, 1::2] = 1.3
    plain, modulated = [], []
    for _ in range(200):
        energy = generator.exponential(size=size)
        for values, each in ((plain, energy), (modulated, energy * gain)):
            values.append(np.mean([texture._between_phases(each, phases) for phases in (2, 4, 8)]))
    for values, expected in ((plain, 0), (modulated, np.var([1.3, 0.9, 0.9, 0.9]))):
        error = np.std(values) / np.sqrt(len(values))
        assert error < 0.003
        assert np.mean(values) == pytest.approx(expected, abs=3 * error + 0.02 * expected)


def test_grid_sees_one_pixel_of_four_made_stronger_and_no_grid_in_noise():
    y = 0.5 + 0.1 * GENERATOR.standard_normal((256, 256))
    assert abs(texture.grid(y)) < 1e-3
    for stride in (2, 4, 8):
        uneven = y.copy()
        uneven[::stride, ::stride] += y[::stride, ::stride] - 0.5
        assert texture.grid(uneven) > 0.01
    assert texture.grid(scipy.ndimage.gaussian_filter(y, 1)) < 2e-3
    assert texture.grid(0.5 + 3 * (y - 0.5)) == pytest.approx(texture.grid(y), rel=1e-2, abs=1e-5)


def radial_oracle(y, n):
    """Return means over whole frequencies, of the whole plane, window by window."""
    hann = np.outer(*[0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)] * 2)
    power, count = 0, 0
    for i in range(0, y.shape[0] - n + 1, n // 2):
        for j in range(0, y.shape[1] - n + 1, n // 2):
            x = y[i : i + n, j : j + n]
            power, count = (
                power + np.abs(np.fft.fft2((x - x.mean()) * hann)) ** 2 / (hann**2).sum(),
                count + 1,
            )
    k = np.fft.fftfreq(n, 1 / n)
    ring = np.rint(np.hypot(k[:, None], k))
    return np.array([(power / count)[ring == r].mean() for r in range(n // 2)]) + 1 / 255**2 / 12


def test_spectrum_against_loops():
    x, s = 0.5 + 0.1 * GENERATOR.standard_normal((70, 100)), strokes(128, 90)
    apart = np.log2(radial_oracle(x, 64) / radial_oracle(s, 64))
    expected = np.mean(
        [abs(apart[16:32].mean()), abs(apart[8:16].mean()), abs(apart[4:8].mean()), abs(apart[2:4].mean())]
    )
    assert texture.spectrum(x, s) == pytest.approx(expected, rel=1e-9)
    apart = np.log2(radial_oracle(x[:31], 16) / radial_oracle(s, 16))
    expected = np.mean([abs(apart[4:8].mean()), abs(apart[2:4].mean())])
    assert texture.spectrum(x[:31], s) == pytest.approx(expected, rel=1e-9)


def test_spectrum_is_in_octaves_of_power_and_sees_blur():
    x = 0.5 + 0.1 * GENERATOR.standard_normal((256, 320))
    assert texture.spectrum(x, x) == 0
    assert texture.spectrum(0.5 + 0.05 * GENERATOR.standard_normal((192, 512)), x) == pytest.approx(
        2, abs=0.1
    )
    assert texture.spectrum(0.5 + 0.1 * GENERATOR.standard_normal((192, 512)), x) < 0.1
    figures = [texture.spectrum(scipy.ndimage.gaussian_filter(x, sigma), x) for sigma in (0.4, 0.6, 0.8, 1.2)]
    assert figures == sorted(figures)
    assert figures[0] > 0.1
    # A Gaussian of σ leaves exp(−(2πfσ)²) of the power at f cycles per pixel.
    blurred = np.fft.ifft2(scipy.ndimage.fourier_gaussian(np.fft.fft2(x), 0.5)).real
    f = [np.arange(low, 2 * low) / 64 for low in (16, 8, 4, 2)]
    lost = [np.mean((np.pi * each) ** 2) / np.log(2) for each in f]
    assert texture.spectrum(blurred, x) == pytest.approx(np.mean(lost), rel=0.05)


@pytest.mark.parametrize("size", [(16, 16), (16, 40), (33, 19)])
def test_small_and_constant_images_have_figures(size):
    flat, noise = np.full(size, 0.3), GENERATOR.uniform(size=size)
    style = strokes(64, 128)
    for x in (flat, noise, np.zeros(size), np.ones(size)):
        for s in (flat, style, noise):
            figures = texture.mesh(x, s), texture.grid(x), texture.spectrum(x, s)
            assert np.isfinite(figures).all()
    assert texture.mesh(flat, style) == texture.mesh(flat, flat) == texture.spectrum(flat, flat) == 0
    assert texture.grid(flat) == pytest.approx(0, abs=1e-9)
    assert np.isnan(texture.mesh(np.full(size, np.nan), style))
