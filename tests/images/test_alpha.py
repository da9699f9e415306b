"""Alpha channels: read, written, filled below, and composed on white."""

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from nst import images
from nst.errors import InputError

GENERATOR = np.random.default_rng(3)
COLOR = GENERATOR.random((24, 17, 3), np.float32)
ALPHA = np.zeros((24, 17), np.float32)
ALPHA[5:15, 4:12] = np.linspace(0.1, 1, 8)
ALPHA[6:14, 6:10] = 1
RGBA = np.dstack([COLOR, ALPHA])


@pytest.mark.parametrize(
    ("suffix", "bits"), [(".png", 8), (".png", 16), (".tif", 8), (".tiff", 16), (".webp", 8)]
)
def test_alpha_is_written_and_read(tmp_path, suffix, bits):
    path, full = tmp_path / f"a{suffix}", 2**bits - 1
    images.write(path, RGBA, bits=bits, metadata={"a": "b"})
    result = images.read(path, alpha="keep")
    assert result.dtype == np.float32
    levels = np.rint(ALPHA * np.float32(full))
    np.testing.assert_array_equal(np.rint(result[..., 3].astype(np.float64) * full), levels)
    if suffix != ".webp":  # which is not lossless in colors
        visible = ALPHA > 0
        np.testing.assert_allclose(result[visible], RGBA[visible], atol=0.51 / full)
    assert images.read_metadata(path) == {"a": "b"}
    on_white = images.read(path)
    assert on_white.shape == COLOR.shape
    assert (on_white[0] == 1).all()


def test_other_programs_read_the_alpha(tmp_path):
    images.write(tmp_path / "a.tif", RGBA)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages.first.extrasamples == (tifffile.EXTRASAMPLE.UNASSALPHA,)
    images.write(tmp_path / "a.png", RGBA)
    for name in ("a.tif", "a.png"):
        with Image.open(tmp_path / name) as image:
            assert image.mode == "RGBA"
            np.testing.assert_array_equal(np.asarray(image), np.rint(RGBA * 255))


def test_jpeg_is_on_white_with_a_warning(tmp_path):
    with pytest.warns(images.ImageWarning, match=r"a\.jpg: the format has no transparency"):
        images.write(tmp_path / "a.jpg", RGBA)
    np.testing.assert_allclose(images.read(tmp_path / "a.jpg")[:2], 1, atol=0.06)
    images.write(tmp_path / "a.jpg", np.dstack([COLOR, np.ones_like(ALPHA)]))  # warnings are errors
    with pytest.raises(InputError, match=r"no transparency: choose \.png"):
        images.check_output(tmp_path / "a.jpg", alpha=True)
    images.check_output(tmp_path / "a.webp", alpha=True)


def test_alpha_is_turned_with_the_colors(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    pixels = np.rint(RGBA * 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    result = images.read(tmp_path / "a.png", alpha="keep")
    np.testing.assert_array_equal(np.rint(result[..., 3] * 255), np.rot90(pixels[..., 3], -1))


def test_what_is_below_alpha_0_does_not_matter():
    expected = images.as_image("content", RGBA, "keep")
    for garbage in (0.0, 1.0, 7.5, -np.inf, np.nan):
        other = np.where(ALPHA[..., None] == 0, np.float32(garbage), RGBA)
        other[..., 3] = ALPHA
        np.testing.assert_array_equal(images.as_image("content", other, "keep"), expected)
        np.testing.assert_array_equal(
            images.as_image("content", other), images.as_image("content", RGBA), strict=True
        )
    visible = ALPHA > 0
    np.testing.assert_array_equal(expected[visible], RGBA[visible])


def test_the_fill_continues_the_colors_at_the_border():
    ramp = np.broadcast_to(np.linspace(0.2, 0.8, 40, dtype=np.float32)[:, None, None], (40, 40, 3))
    alpha = np.zeros((40, 40), np.float32)
    alpha[3:37, 9:31] = 1
    filled = images.as_image("content", np.dstack([ramp, alpha]), "keep")[..., :3]
    assert np.abs(filled[3:37, 5:35] - ramp[3:37, 5:35]).max() < 0.05
    assert np.abs(np.diff(filled, axis=1)).max() < 0.05
    assert 0.2 <= filled.min() <= filled.max() <= 0.8
    flat = np.dstack([np.full((40, 40, 3), 0.3, np.float32), alpha])
    np.testing.assert_allclose(images.as_image("content", flat, "keep")[..., :3], 0.3, atol=1e-6)


def test_one_visible_pixel_fills_the_image():
    alpha = np.zeros((13, 6), np.float32)
    alpha[7, 2] = 1e-3
    result = images.as_image("content", np.dstack([np.full((13, 6, 3), 0.7, np.float32), alpha]), "keep")
    np.testing.assert_allclose(result[..., :3], 0.7, atol=1e-5)


def test_nothing_to_see_is_refused(tmp_path):
    nothing = np.dstack([COLOR, np.zeros_like(ALPHA)])
    images.write(tmp_path / "a.png", nothing)
    with pytest.raises(InputError, match=r"a\.png is transparent everywhere"):
        images.read(tmp_path / "a.png", alpha="keep")
    with pytest.raises(InputError, match="content is transparent everywhere"):
        images.as_image("content", nothing, "keep")
    with pytest.raises(InputError, match="did you mean flatten"):
        images.as_image("content", RGBA, "flaten")


def test_products_of_masks():
    assert images.product(None, None) is None
    assert images.product(None, np.ones((4, 6), np.float32)) is None
    np.testing.assert_array_equal(images.product(None, ALPHA), ALPHA)
    np.testing.assert_array_equal(images.product(ALPHA, ALPHA), ALPHA**2)
    half = images.product(np.full((12, 8), 0.5, np.float32), ALPHA)
    assert half is not None
    np.testing.assert_allclose(half, 0.5 * ALPHA, atol=1e-6)


def test_an_opaque_alpha_stays_opaque_when_resized():
    opaque = np.ones((37, 53), np.float32)
    for size in ((16, 24), (37, 40), (200, 100)):
        assert images.product(None, images.resize_mask(opaque, size)) is None
