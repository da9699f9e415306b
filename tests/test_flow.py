"""Optical flow on a known motion, Ruder's conditions written out in NumPy, warping against SciPy, and files."""

import colorsys
import struct

import numpy as np
import pytest
import scipy.ndimage

from nst import flow
from nst.errors import InputError

pytest.importorskip("cv2")


def texture(height=96, width=128, seed=0):
    noise = np.random.default_rng(seed).standard_normal((height, width))
    smooth = sum(scipy.ndimage.gaussian_filter(noise, s) * s for s in (1, 2, 4, 8))
    gray = (smooth - smooth.min()) / np.ptp(smooth)
    return np.stack([gray, gray**2, 1 - gray], -1).astype(np.float32)


def eight_bits(image):
    return np.round(image * 255).astype(np.uint8)


def test_a_shift_is_measured():
    image = texture()
    other = eight_bits(np.roll(image, (2, -3), axis=(0, 1)))  # shows at p + (−3, 2) what the image shows at p
    measured = flow.optical_flow(eight_bits(image), other)[16:-16, 16:-16]
    assert measured.dtype == np.float32
    np.testing.assert_allclose(measured.mean((0, 1)), (-3, 2), atol=0.1)
    assert np.abs(measured - (-3, 2)).mean() < 0.2


def test_warping_undoes_a_motion_and_whole_pixels_are_exact():
    image = texture()
    shift = np.broadcast_to(np.float32((-3, 2)), (96, 128, 2))
    np.testing.assert_array_equal(
        flow.warped(np.roll(image, (2, -3), axis=(0, 1)), shift)[4:-4, 4:-4], image[4:-4, 4:-4]
    )
    zero = np.zeros((96, 128, 2), np.float32)
    np.testing.assert_array_equal(flow.warped(image, zero), image)


def test_warping_is_cubic_convolution():
    """Keys's kernel written out, on one row."""

    def keys(t):
        t = abs(t)
        return (
            1.5 * t**3 - 2.5 * t**2 + 1 if t <= 1 else -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0
        )

    row = np.random.default_rng(1).random(12)
    image = np.broadcast_to(row[None, :, None], (5, 12, 3)).astype(np.float32)
    motion = np.zeros((5, 12, 2), np.float32)
    motion[..., 0] = 0.3
    expected = [sum(row[i + k] * keys(0.3 - k) for k in (-1, 0, 1, 2)) for i in range(1, 9)]
    np.testing.assert_allclose(flow.warped(image, motion)[2, 1:9, 0], expected, rtol=1e-5)


def rules(w_hat, w):
    """Return the weights by the two conditions of section 5.2, position by position, in float64."""
    height, width, _ = w_hat.shape
    w_hat, w = w_hat.astype(np.float64), w.astype(np.float64)
    c = np.zeros((height, width))
    du, dv = ([*np.gradient(w_hat[..., i])] for i in (0, 1))
    for y in range(height):
        for x in range(width):
            at = y + w_hat[y, x, 1], x + w_hat[y, x, 0]
            if not (0 <= at[0] <= height - 1 and 0 <= at[1] <= width - 1):
                continue
            w_tilde = [
                scipy.ndimage.map_coordinates(w[..., i], np.array(at)[:, None], order=1)[0] for i in (0, 1)
            ]
            lengths = np.sum(np.square(w_tilde)), np.sum(np.square(w_hat[y, x]))
            disoccluded = np.sum(np.square(w_tilde + w_hat[y, x])) > 0.01 * sum(lengths) + 0.5
            slope = sum(d[y, x] ** 2 for d in (*du, *dv))
            c[y, x] = not disoccluded and slope <= 0.01 * lengths[1] + 0.002
    return c


def test_reliability_against_the_conditions_written_out():
    generator = np.random.default_rng(2)
    base = np.stack([np.full((14, 18), 2.5), np.full((14, 18), -1.25)], -1)
    w_hat = base + scipy.ndimage.gaussian_filter(generator.standard_normal(base.shape), (2, 2, 0))
    w = -base + 0.6 * scipy.ndimage.gaussian_filter(generator.standard_normal(base.shape), (2, 2, 0)) * 4
    expected = rules(w_hat.astype(np.float32), w.astype(np.float32))
    assert 0.1 < expected.mean() < 0.9
    actual = flow.reliable(w_hat.astype(np.float32), w.astype(np.float32))
    assert (actual == expected).mean() > 0.99  # the last bits of a comparison may differ


def test_what_an_object_uncovers_is_not_trusted():
    background, thing = texture(), texture(32, 32, seed=5)
    frames = []
    for x in (40, 46):
        frame = background.copy()
        frame[30:62, x : x + 32] = thing
        frames.append(eight_bits(frame))
    back, there = flow.optical_flow(frames[1], frames[0]), flow.optical_flow(frames[0], frames[1])
    c = np.asarray(flow.reliable(back, there))
    assert c[36:56, 41:45].mean() < 0.5  # uncovered
    assert c[:20].mean() > 0.9
    assert c[38:54, 54:70].mean() > 0.8  # the object itself


def test_a_smaller_flow_is_in_its_own_pixels():
    large = np.broadcast_to(np.float32((4, -6)), (40, 60, 2))
    np.testing.assert_allclose(
        flow.resized_flow(large, (20, 20)), np.broadcast_to((4 / 3, -3), (20, 20, 2)), rtol=1e-6
    )


def test_files_of_flows(tmp_path):
    values = np.random.default_rng(3).standard_normal((4, 6, 2)).astype("<f4")
    data = struct.pack("<fii", 202021.25, 6, 4) + values.tobytes()
    (tmp_path / "a.flo").write_bytes(data)
    np.testing.assert_array_equal(flow.read_flo(tmp_path / "a.flo"), values)
    for broken in (data[:-1], b"PIEH", b"", b"XXXX" + data[4:], data[:4] + bytes(8)):
        (tmp_path / "b.flo").write_bytes(broken)
        with pytest.raises(InputError, match=r"b\.flo is no flow"):
            flow.read_flo(tmp_path / "b.flo")
    with pytest.raises(InputError, match="can't be read"):
        flow.read_flo(tmp_path / "absent.flo")


def test_colors_tell_direction_length_and_trust():
    motion = np.float32([[(0, 0), (2, 0), (-2, 0), (0, 2), (0, -2), (1, 0), (9, 0), (2, 0)]])
    trusted = np.float32([[1, 1, 1, 1, 1, 1, 1, 0]])
    white, red, cyan, down, up, pink, far, hidden = flow.as_color(motion, trusted, 2.0)[0]
    expected = {  # the hue of each angle by colorsys
        angle: colorsys.hsv_to_rgb(angle / 360, 1, 1) for angle in (0, 90, 180, 270)
    }
    np.testing.assert_allclose([red, down, cyan, up], list(expected.values()), atol=1e-6)
    np.testing.assert_allclose([white, pink, far], [(1, 1, 1), (1, 0.5, 0.5), (1, 0, 0)], atol=1e-6)
    np.testing.assert_array_equal(hidden, 0)
