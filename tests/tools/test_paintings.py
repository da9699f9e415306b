import hashlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from nst.images import samples
from tools import paintings
from tools.paintings import brushes, fields, hatching, panes

# A quarter of the size: the same compositions, drawn in a sixteenth of the time.
SCALE = 0.25


def _means(picture, size):
    h, w, _ = picture.shape
    return picture.reshape(h // size, size, w // size, size, 3).mean((1, 3))


def _committed(name):
    with Image.open(samples.locate(name)) as picture:
        return np.asarray(picture, np.float32) / 255


def _apart(name):
    """Mean distance of the code's picture from the committed one: pixel by pixel, and in blocks of 16."""
    drawn, committed = paintings.draw(name, SCALE), _means(_committed(name), round(1 / SCALE))
    return np.abs(drawn - committed).mean(), np.abs(_means(drawn, 16) - _means(committed, 16)).mean()


@pytest.mark.parametrize("name", paintings.PAINTINGS)
def test_the_committed_picture_is_what_the_code_draws(name):
    pixels, blocks = _apart(name)
    assert pixels < 0.05
    assert blocks < 0.012


@pytest.mark.parametrize(("name", "module"), [("panes", panes), ("hatching", hatching)])
def test_the_comparison_notices_another_seed(name, module, monkeypatch):
    monkeypatch.setattr(module, "_SEED", module._SEED + 1)
    pixels, blocks = _apart(name)
    assert pixels > 0.15
    assert blocks > 0.04


@pytest.mark.parametrize("name", paintings.PAINTINGS)
def test_the_committed_image_is_large_varied_and_colorful(name):
    picture = _committed(name)
    assert picture.shape == (768, 1024, 3)
    for size in (2, 8, 32):  # contrast between neighbours, at fine, middle and coarse scale
        assert np.abs(np.diff(_means(picture, size), axis=1)).mean() > 0.02
    assert (picture.max(-1) - picture.min(-1)).mean() > 0.15


def test_drawing_twice_gives_the_same_bytes():
    first, second = (hashlib.sha256(paintings.draw("panes", SCALE).tobytes()).digest() for _ in range(2))
    assert first == second


def test_saving_makes_the_folder_and_the_module_says_where_pictures_go(tmp_path, monkeypatch):
    monkeypatch.setattr(paintings, "draw", lambda name: np.full((4, 6, 3), 0.5, np.float32))
    path = paintings.save("panes", tmp_path / "new")
    with Image.open(path) as picture:
        assert picture.size == (6, 4)
    answer = subprocess.run(
        [sys.executable, "-m", "tools.paintings", "--help"], capture_output=True, text=True, check=True
    )
    assert "folder for the paintings" in answer.stdout


def test_a_path_follows_a_straight_flow_in_equal_steps():
    flow = np.zeros((fields.HEIGHT, fields.WIDTH, 2), np.float32)
    flow[..., 0], flow[..., 1] = 0.6, 0.8
    path = brushes.follow(np.array([[300.0, 300.0]]), flow, np.array([5.0]), 9)
    np.testing.assert_allclose(path[0], [300, 300] + 5 * np.arange(-4, 5)[:, None] * [0.6, 0.8], atol=1e-4)


def test_a_path_around_a_center_keeps_its_distance():
    x, y = fields.grid(1.0)
    dx, dy = x - 512, y - 384
    flow = np.stack([-dy, dx], -1) / np.hypot(dx, dy)[..., None]
    path = brushes.follow(np.array([[612.0, 384.0]]), flow, np.array([2.0]), 60)
    np.testing.assert_allclose(np.hypot(*(path[0] - [512, 384]).T), 100, atol=2.5)


def _stroke(y, color):
    path = np.stack([np.linspace(100, 300, 12), np.full(12, y)], -1)[None].astype(np.float32)
    one = np.ones(1, np.float32)
    return path, one, 40 * one, np.array([color], np.float32), np.array([color], np.float32)


def test_a_later_stroke_covers_an_earlier_one_and_nothing_outside_is_painted():
    h, w = fields.HEIGHT, fields.WIDTH
    canvas = brushes.Canvas(np.ones((h, w, 3), np.float32), np.zeros((h, w), np.float32), 1.0)
    red, blue = _stroke(200.0, (1, 0, 0)), _stroke(210.0, (0, 0, 1))
    strokes = brushes.Strokes(*(np.concatenate(pair) for pair in zip(red, blue, strict=True)))
    brushes.lay(canvas, strokes, brushes.Bristles(1.0, 0.0, 0.1), np.random.default_rng(0))
    assert (canvas.color[205, 150:250, 2] > 0.7).all()
    assert (canvas.color[185, 150:250, 0] > 0.7).all()
    outside = np.ones((h, w), bool)
    outside[175:235, 95:305] = False
    assert (canvas.color[outside] == 1).all()
    assert (canvas.height[outside] == 0).all()


def test_light_leaves_flat_paint_alone_and_brightens_what_faces_it():
    color = np.full((20, 20, 3), 0.5, np.float32)
    height = np.zeros((20, 20), np.float32)
    np.testing.assert_array_equal(brushes.lit(brushes.Canvas(color, height, 1.0), 1.0), color)
    ridge = np.abs(np.arange(20, dtype=np.float32) - 10) * -0.5
    lit = brushes.lit(brushes.Canvas(color, height + ridge, 1.0), 1.0)
    assert lit[10, 5, 0] > 0.5 > lit[10, 15, 0]


def test_fields_are_the_same_at_every_resolution():
    def sampled(scale):
        x, y = fields.grid(scale)
        return fields.noise(np.random.default_rng(3), x, y, 50.0, 2)

    fine = sampled(1.0)
    coarse = fine.reshape(fields.HEIGHT // 4, 4, fields.WIDTH // 4, 4).mean((1, 3))
    np.testing.assert_allclose(coarse, sampled(0.25), atol=0.02)


def test_a_blur_keeps_the_sum_and_spreads_by_its_radius():
    values = np.zeros((41, 61), np.float32)
    values[20, 30] = 1
    blurred = fields.blur(values, 3.0)
    y, x = np.mgrid[-20:21, -30:31]
    np.testing.assert_allclose(blurred.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose([(blurred * x * x).sum(), (blurred * y * y).sum()], 9, rtol=0.03)


def test_edges_are_where_labels_change():
    labels = np.zeros((4, 5), np.int32)
    labels[:, 3:] = 7
    assert fields.edges(labels).nonzero()[1].tolist() == [2] * 4
