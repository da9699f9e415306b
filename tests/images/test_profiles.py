import io

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from nst import images

# sRGB's white and primaries (IEC 61966-2-1) as x, y, Y.
WHITE = [0.3127, 0.3290, 1.0]
RED, GREEN, BLUE = [0.64, 0.33, 1.0], [0.30, 0.60, 1.0], [0.15, 0.06, 1.0]

PICTURE = np.random.default_rng(2).integers(0, 256, (12, 14, 3), np.uint8)


def profile(*primaries, gamma):
    return imagecodecs.cms_profile("rgb", whitepoint=WHITE, primaries=np.concatenate(primaries), gamma=gamma)


def encode(linear):
    """Apply the transfer function of sRGB, IEC 61966-2-1."""
    return np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-12) ** (1 / 2.4) - 0.055
    )


LINEAR = profile(RED, GREEN, BLUE, gamma=1.0)
SWAPPED = profile(GREEN, RED, BLUE, gamma=1.0)


def write(path, picture, icc):
    """Write 8-bit samples with Pillow, 16-bit ones with tifffile."""
    if picture.dtype == np.uint8:
        Image.fromarray(picture).save(path, icc_profile=icc)
    else:
        photometric = "rgb" if picture.ndim == 3 else "minisblack"
        tifffile.imwrite(path, picture, photometric=photometric, iccprofile=icc, metadata=None)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_linear_profile_is_encoded(tmp_path, suffix):
    image = images.read(write(tmp_path / f"a{suffix}", PICTURE, LINEAR))
    np.testing.assert_allclose(image, encode(PICTURE / 255), atol=0.6 / 255)


def test_a_jpegs_profile_is_read(tmp_path):
    flat = np.full((16, 16, 3), 60, np.uint8)
    image = images.read(write(tmp_path / "a.jpg", flat, LINEAR))
    np.testing.assert_allclose(image, encode(flat / 255), atol=1.5 / 255)


def test_swapped_primaries_swap_channels(tmp_path):
    image = images.read(write(tmp_path / "a.png", PICTURE, SWAPPED))
    np.testing.assert_allclose(image, encode(PICTURE[..., [1, 0, 2]] / 255), atol=0.6 / 255)


def test_16_bits_keep_their_precision(tmp_path):
    picture = np.random.default_rng(4).integers(0, 65536, (12, 14, 3), dtype=np.uint16)
    image = images.read(write(tmp_path / "a.tif", picture, LINEAR))
    np.testing.assert_allclose(image, encode(picture / 65535), atol=5e-5)


def test_floats_are_converted_too(tmp_path):
    picture = np.random.default_rng(4).random((12, 14, 3), np.float32)
    image = images.read(write(tmp_path / "a.tif", picture, LINEAR))
    np.testing.assert_allclose(image, encode(picture), atol=3e-4)  # steps of 1/65535, steepest by 12.92


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_with_a_profile(tmp_path, dtype):
    full = np.iinfo(dtype).max
    gray = np.linspace(0, full, 60).astype(dtype).reshape(6, 10)
    image = images.read(write(tmp_path / "a.tif", gray, imagecodecs.cms_profile("gray", gamma=1.0)))
    expected = np.repeat(encode(gray / full)[..., None], 3, axis=2)
    np.testing.assert_allclose(image, expected, atol=0.6 / 255 if dtype == np.uint8 else 1e-4)


def test_adobe_rgb_as_pillow_converts_it(tmp_path):
    icc = imagecodecs.cms_profile("adobergb")
    image = images.read(write(tmp_path / "a.png", PICTURE, icc))
    expected = ImageCms.profileToProfile(
        Image.fromarray(PICTURE), io.BytesIO(icc), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    np.testing.assert_allclose(image, np.asarray(expected) / 255, atol=1.1 / 255)
    assert np.abs(image - PICTURE / 255).max() > 0.05


def test_srgb_is_left_alone(tmp_path):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = images.read(write(tmp_path / "a.png", PICTURE, icc))
    np.testing.assert_allclose(image, PICTURE / 255, atol=1.1 / 255)


def test_the_color_under_alpha_is_converted(tmp_path):
    alpha = np.linspace(0, 255, PICTURE[..., 0].size).astype(np.uint8).reshape(PICTURE.shape[:2])
    image = images.read(write(tmp_path / "a.png", np.dstack([PICTURE, alpha]), LINEAR))
    opacity = alpha[..., None] / 255
    np.testing.assert_allclose(image, encode(PICTURE / 255) * opacity + 1 - opacity, atol=0.6 / 255)


@pytest.mark.parametrize(
    ("icc", "cause"),
    [
        (b"garbage" * 40, "is not for RGB images"),
        (LINEAR[:16], "is not for RGB images"),
        (LINEAR[:200], "is broken"),
        (LINEAR[:128] + bytes(len(LINEAR) - 128), "is broken"),
        (imagecodecs.cms_profile("gray", gamma=1.0), "is not for RGB images"),
    ],
    ids=["garbage", "short", "cut", "hollow", "gray"],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_broken_profile_is_passed_over_with_a_warning(tmp_path, icc, cause, dtype, capfd):
    picture = PICTURE.astype(dtype)
    path = write(tmp_path / "a.tif", picture, icc)
    with pytest.warns(images.ImageWarning, match=cause) as caught:
        image = images.read(path)
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    np.testing.assert_allclose(image, picture / np.iinfo(dtype).max, atol=1e-7)
    assert capfd.readouterr().err == ""


def from_lab(L, a, b):
    """Convert Lab of white D50 to XYZ (CIE 15), adapt it to D65 by Bradford's matrix, convert it to sRGB."""
    fy = (L + 16) / 116
    f = np.stack([fy + a / 500, fy, fy - b / 200], -1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * [0.9642, 1.0, 0.8249]
    to_linear = [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
    return encode(np.clip(xyz @ np.transpose(to_linear), 0, 1))


LAB = np.array([[[0, 0, 0], [100, 0, 0], [50, 0, 0], [60, 30, -20], [40, -25, 15], [75, 10, 60]]], float)


def test_lab_of_8_bits(tmp_path):
    stored = np.dstack([np.rint(LAB[..., :1] * 2.55), LAB[..., 1:]]).astype(np.int64).astype(np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="cielab", metadata=None)
    L, a, b = stored[..., 0] / 2.55, LAB[..., 1], LAB[..., 2]
    np.testing.assert_allclose(images.read(path), from_lab(L, a, b), atol=1.5 / 255)


def test_lab_of_16_bits(tmp_path):
    scaled = LAB * [655.35, 256, 256]
    stored = np.rint(scaled).astype(np.int64).astype(np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="cielab", metadata=None)
    np.testing.assert_allclose(images.read(path), from_lab(*np.moveaxis(LAB, 2, 0)), atol=1e-3)
