import numpy as np
import skimage.color

from nst.segment import drawing

LABELS = np.repeat(np.arange(4), 8)[None].repeat(16, axis=0)


def rgb(color):
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def test_colors_are_far_apart():
    lab = skimage.color.rgb2lab(np.array([[rgb(color) for color in drawing.COLORS]]) / 255)[0]
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2) + 1000 * np.eye(len(lab))
    assert len(lab) == 20
    assert apart.min() > 15
    assert apart[:8, :8].min() > 25


def test_a_label_image_has_the_color_of_each_label():
    image = drawing.colored(LABELS)
    assert image.shape == (16, 32, 3)
    for k in range(4):
        assert (image[k == LABELS] == rgb(drawing.COLORS[k])).all()


def test_shares_are_those_of_pixels():
    shares = drawing.shares(LABELS[:, :24])
    np.testing.assert_allclose(shares[:3], 1 / 3)
    assert not shares[3:].any()


def test_a_preview_has_tinted_regions_with_borders_beside_a_legend():
    labels = np.where(LABELS == 3, 7, LABELS)
    image = np.asarray(drawing.preview(np.zeros((16, 32, 3), np.float32), labels))
    assert image.shape == (384, 768 + 190, 3)
    for column, k in enumerate((0, 1, 2, 7)):
        tint = image[192, 96 + 192 * column]
        assert np.abs(tint - np.array(rgb(drawing.COLORS[k])) / 2).max() <= 1
        assert (image[8 + 28 * column + 10, 768 + 18] == rgb(drawing.COLORS[k])).all()
    assert (image[192, 188:196] == 255).all(axis=1).any()
    assert (image[:120, 768 + 40 :] < 128).any()  # text


def test_the_legend_of_many_regions_is_complete():
    labels = np.arange(20)[None].repeat(2, axis=0).repeat(5, axis=1)
    canvas = drawing.preview(np.zeros((2, 100, 3), np.float32), labels)
    assert canvas.height == 20 * 28 + 8
    assert canvas.getpixel((768 + 18, canvas.height - 20)) == tuple(rgb(drawing.COLORS[19]))
