"""`nst.stylize` of transparent images."""

import numpy as np
import pytest
from PIL import Image

import nst
from nst import features, images
from nst.errors import InputError

SMALL = {
    "content_layers": ("relu2_1",),
    "style_layers": ("relu1_1", "relu2_1"),
    "style_layer_weights": (),
    "style_weight": 30.0,
    "tv_weight": 1.0,
}
GENERATOR = np.random.default_rng(0)
CONTENT, STYLE = (GENERATOR.random(shape, np.float32) for shape in ((33, 51, 3), (40, 28, 3)))
ALPHA = np.zeros((33, 51), np.float32)
ALPHA[4:30, 8:30] = np.linspace(1, 0.2, 22)
STYLE_ALPHA = np.zeros((40, 28), np.float32)
STYLE_ALPHA[10:35] = 1


def with_alpha(image, alpha, below=0.0):
    """Return an image with alpha, of another color where alpha is 0."""
    return np.dstack([np.where(alpha[..., None] > 0, image, np.float32(below)), alpha])


@pytest.fixture(scope="module")
def stylize():
    network = features.load(weights="random")

    def stylize(content=CONTENT, style=STYLE, **settings):
        settings = {"size": 24, "steps": 2, "extractor": network} | SMALL | settings
        return nst.stylize(content, style, **settings)

    return stylize


def test_the_result_has_the_alpha_of_the_content(stylize):
    result = stylize(with_alpha(CONTENT, ALPHA))
    assert result.shape == (16, 24, 4)
    assert result.dtype == np.float32
    assert 0 <= result.min() <= result.max() <= 1
    expected = np.asarray(Image.fromarray(ALPHA).resize((24, 16), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(result[..., 3], expected.clip(0, 1), atol=1e-6)


def test_the_transparent_part_does_not_matter(stylize):
    one, other = (
        stylize(with_alpha(CONTENT, ALPHA, below), with_alpha(STYLE, STYLE_ALPHA, 1 - below), color="match")
        for below in (0.0, 1.0)
    )
    np.testing.assert_array_equal(one, other)


def test_an_opaque_image_gives_the_result_of_one_without_alpha(stylize):
    opaque, none = (
        stylize(content, style)
        for content, style in (
            (with_alpha(CONTENT, ALPHA * 0 + 1), with_alpha(STYLE, STYLE_ALPHA * 0 + 1)),
            (CONTENT, STYLE),
        )
    )
    np.testing.assert_array_equal(opaque[..., :3], none)
    assert (opaque[..., 3] == 1).all()


def test_flat_images_are_on_white(stylize):
    rgba = with_alpha(CONTENT, ALPHA)
    flat, white = stylize(rgba, alpha="flatten"), stylize(images.as_image("content", rgba))
    assert flat.shape == (16, 24, 3)
    np.testing.assert_array_equal(flat, white)
    assert stylize(style=with_alpha(STYLE, STYLE_ALPHA)).shape == (16, 24, 3)
    with pytest.raises(InputError, match="choose from keep, flatten"):
        stylize(rgba, alpha="white")


def test_the_alpha_of_a_style_is_a_mask(stylize):
    rgba = with_alpha(STYLE, STYLE_ALPHA)
    filled = images.as_image("style", rgba, "keep")[..., :3]
    left = np.zeros((20, 14), np.float32)
    left[:, :7] = 1
    both = STYLE_ALPHA * images.resize_mask(left, STYLE_ALPHA.shape)
    for style, mask in ((rgba, STYLE_ALPHA), (nst.Style(rgba, mask=left), both)):
        expected = stylize(style=nst.Style(filled, mask=mask))
        np.testing.assert_allclose(stylize(style=style), expected, atol=1e-5)
    assert np.abs(stylize(style=rgba) - stylize(style=filled)).max() > 1e-3


def test_an_image_of_pillow(stylize):
    pixels = np.rint(with_alpha(CONTENT, ALPHA) * 255).astype(np.uint8)
    np.testing.assert_array_equal(stylize(Image.fromarray(pixels)), stylize(pixels))


@pytest.mark.parametrize("color", ["match", "content"])
def test_colors_are_counted_where_images_are_visible(stylize, color):
    # The visible parts as images of their own have the same colors.
    style = nst.transfer.color.with_colors
    whole = [nst.Style(STYLE, mask=STYLE_ALPHA)]
    regions = nst.guided.Regions(alpha=(ALPHA > 0).astype(np.float32))
    (actual,) = style(whole, CONTENT, color, regions)
    (expected,) = style([nst.Style(STYLE[10:35])], CONTENT[4:30, 8:30], color, nst.guided.Regions())
    np.testing.assert_allclose(actual.image[10:35], expected.image, atol=1e-5)


def test_kept_pixels_stay(stylize):
    keep = np.zeros((33, 51), np.float32)
    keep[:, :20] = 1
    content = with_alpha(CONTENT, ALPHA)
    result = stylize(content, keep=keep)
    filled = images.as_image("content", content, "keep")[..., :3]
    expected = np.clip(images.resize(filled, 16, 24), 0, 1)
    np.testing.assert_allclose(result[:, :8, :3], expected[:, :8], atol=1e-6)
    assert np.abs(result[3:12, 11:14, :3] - expected[3:12, 11:14]).mean() > 0.01


def test_what_cannot_be_used_is_refused_first(stylize):
    rgba = with_alpha(CONTENT, ALPHA)
    with pytest.raises(InputError, match="content is transparent everywhere"):
        stylize(with_alpha(CONTENT, ALPHA * 0))
    with pytest.raises(InputError, match="style is transparent everywhere"):
        stylize(style=with_alpha(STYLE, STYLE_ALPHA * 0))
    with pytest.raises(InputError, match="leaves only what is transparent"):
        stylize(style=nst.Style(with_alpha(STYLE, STYLE_ALPHA), mask=1 - STYLE_ALPHA))
    for images_of in ((rgba, STYLE), (CONTENT, with_alpha(STYLE, STYLE_ALPHA))):
        with pytest.raises(InputError, match=r"takes no transparency: set images\.alpha=flatten"):
            stylize(*images_of, style_loss="remd", optimizer="adam")
