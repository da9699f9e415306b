"""Images of more than 8 bits a sample, TIFF and PNG: scaled, never clipped or reduced."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from nst import images
from nst.errors import InputError

FULL = 65535
GENERATOR = np.random.default_rng(5)


def extremes(channels):
    """Return samples with both ends of the scale, steps of one level, and noise."""
    picture = GENERATOR.integers(0, FULL + 1, (9, 7, channels), dtype=np.uint16)
    picture[0, :6, :] = np.array([0, 1, 2, 255, 256, FULL])[:, None]
    picture[1, :6, :] = np.array([32767, 32768, 32769, FULL - 2, FULL - 1, FULL])[:, None]
    return picture


def write_tiff(path, samples, **options):
    tifffile.imwrite(path, samples, metadata=None, **options)
    return path


def write_png(path, samples, key=None):
    """Write a 16-bit PNG without a library: no filter, one IDAT."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    height, width, channels = samples.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in samples.astype(">u2"))
    transparency = b"" if key is None else chunk(b"tRNS", np.asarray(key, ">u2").tobytes())
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + transparency
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


def composed(samples):
    color, alpha = samples[..., :-1] / FULL, samples[..., -1:] / FULL
    return np.broadcast_to(color * alpha + 1 - alpha, (*samples.shape[:2], 3))


def assert_levels(image, samples):
    np.testing.assert_array_equal(np.rint(image.astype(np.float64) * FULL), samples)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_keeps_every_level(tmp_path, channels):
    samples = extremes(channels)
    image = images.read(write_png(tmp_path / "a.png", samples))
    assert_levels(image, np.broadcast_to(samples, image.shape))


@pytest.mark.parametrize("channels", [2, 4])
def test_png_with_alpha_is_composed_on_white(tmp_path, channels):
    samples = extremes(channels)
    image = images.read(write_png(tmp_path / "a.png", samples))
    np.testing.assert_allclose(image, composed(samples), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_color_key_is_transparent(tmp_path, channels):
    samples = extremes(channels)
    image = images.read(write_png(tmp_path / "a.png", samples, key=samples[4, 4]))
    np.testing.assert_array_equal(image[4, 4], 1)
    assert_levels(image[0], np.broadcast_to(samples, image.shape)[0])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib", "predictor": True},
        {"compression": "lzw"},
        {"tile": (16, 16)},
        {"rowsperstrip": 2},
        {"byteorder": ">"},
        {"bigtiff": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("channels", [1, 3])
def test_tiff_keeps_every_level(tmp_path, channels, options):
    samples = extremes(channels)
    photometric = "rgb" if channels == 3 else "minisblack"
    data = samples if channels == 3 else samples[..., 0]
    image = images.read(write_tiff(tmp_path / "a.tif", data, photometric=photometric, **options))
    assert_levels(image, np.broadcast_to(samples, image.shape))


def test_planes_kept_apart(tmp_path):
    samples = extremes(3)
    planes = np.ascontiguousarray(np.moveaxis(samples, 2, 0))
    path = write_tiff(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    assert_levels(images.read(path), samples)


def test_white_is_zero(tmp_path):
    samples = extremes(1)[..., 0]
    image = images.read(write_tiff(tmp_path / "a.tif", samples, photometric="miniswhite"))
    assert_levels(image[..., 0], FULL - samples)


def test_alpha_not_multiplied_in(tmp_path):
    samples = extremes(4)
    path = write_tiff(tmp_path / "a.tif", samples, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_allclose(images.read(path), composed(samples), atol=1e-6)


def test_alpha_multiplied_in(tmp_path):
    samples = extremes(4)
    samples[..., :3] = samples[..., :3] * (samples[..., 3:] / FULL)
    path = write_tiff(tmp_path / "a.tif", samples, photometric="rgb", extrasamples=["assocalpha"])
    expected = samples[..., :3] / FULL + 1 - samples[..., 3:] / FULL
    np.testing.assert_allclose(images.read(path), expected, atol=2e-5)


def test_an_extra_sample_of_no_meaning_is_left_out(tmp_path):
    samples = extremes(4)
    path = write_tiff(tmp_path / "a.tif", samples, photometric="rgb", extrasamples=["unspecified"])
    assert_levels(images.read(path), samples[..., :3])


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_other_depths_reach_full_scale(tmp_path, bits):
    full = 2**bits - 1
    levels = np.array([[0, 1, full // 2, full]], np.uint16)
    packed = np.concatenate([[int(bit) for bit in f"{value:0{bits}b}"] for value in levels[0]])
    strip = np.packbits(packed.astype(np.uint8)).tobytes()
    entries = [
        (256, 4),
        (257, 1),
        (258, bits),
        (259, 1),
        (262, 1),
        (273, 200),
        (277, 1),
        (278, 1),
        (279, len(strip)),
    ]
    directory = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in entries)
    head = b"MM\0*" + struct.pack(">IH", 8, len(entries)) + directory + bytes(4)
    path = tmp_path / "a.tif"
    path.write_bytes(head.ljust(200, b"\0") + strip)
    np.testing.assert_allclose(images.read(path)[..., 0], levels / full, atol=1e-5)


def test_32_bit_integers_are_scaled(tmp_path):
    samples = np.array([[0, 2**31, 2**32 - 1]], np.uint32)
    path = write_tiff(tmp_path / "a.tif", samples, photometric="minisblack")
    np.testing.assert_allclose(images.read(path)[..., 0], samples / (2**32 - 1), atol=1e-5)


def test_cmyk(tmp_path):
    inks = extremes(4)
    image = images.read(write_tiff(tmp_path / "a.tif", inks, photometric="separated"))
    c, m, y, k = np.moveaxis(inks / FULL, 2, 0)
    np.testing.assert_allclose(
        image, np.stack([(1 - c) * (1 - k), (1 - m) * (1 - k), (1 - y) * (1 - k)], -1), atol=1e-6
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_floats_in_range_are_kept(tmp_path, dtype, channels):
    samples = GENERATOR.random((6, 5, channels)).astype(dtype)
    samples[0, 0], samples[0, 1] = 0, 1
    data = samples if channels == 3 else samples[..., 0]
    photometric = "rgb" if channels == 3 else "minisblack"
    image = images.read(write_tiff(tmp_path / "a.tif", data, photometric=photometric))
    np.testing.assert_array_equal(image, np.broadcast_to(samples.astype(np.float32), image.shape))


@pytest.mark.parametrize(
    ("value", "cause"),
    [(np.nan, "not finite"), (np.inf, "not finite"), (-0.5, "from -0.5 to 0.25"), (7, "from 0.25 to 7")],
)
def test_floats_that_are_no_colors_are_refused(tmp_path, value, cause):
    samples = np.full((6, 5, 3), 0.25, np.float32)
    samples[2, 3, 1] = value
    path = write_tiff(tmp_path / "a.tif", samples, photometric="rgb")
    with pytest.raises(InputError, match=cause) as caught:
        images.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.complex64])
def test_other_samples_are_refused(tmp_path, dtype):
    path = write_tiff(tmp_path / "a.tif", np.zeros((6, 5), dtype), photometric="minisblack")
    with pytest.raises(InputError, match="save it as RGB of 8 or 16 bits"):
        images.read(path)


def test_a_missing_strip_is_not_read_as_black(tmp_path):
    path = write_tiff(tmp_path / "a.tif", extremes(3), photometric="rgb", rowsperstrip=3)
    with tifffile.TiffFile(path, mode="r+b") as file:
        counts = file.pages.first.tags[279]
        counts.overwrite([counts.value[0], 0, counts.value[2]])
    with pytest.raises(InputError, match="a strip or tile is missing"):
        images.read(path)


# The row and column of the first stored pixel in the upright image.
CORNERS = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}


@pytest.mark.parametrize("orientation", CORNERS)
def test_orientation(tmp_path, orientation):
    samples = extremes(3)
    samples[0, 0] = 12345
    path = write_tiff(
        tmp_path / "a.tif", samples, photometric="rgb", extratags=[(274, 3, 1, orientation, True)]
    )
    image = images.read(path)
    assert image.shape == ((9, 7, 3) if orientation < 5 else (7, 9, 3))
    assert_levels(image[CORNERS[orientation]], 12345)


def test_of_several_pages_the_first_with_a_warning(tmp_path):
    samples = extremes(3)
    path = write_tiff(tmp_path / "a.tif", np.stack([samples, 65535 - samples]), photometric="rgb")
    with pytest.warns(images.ImageWarning, match="the first is read"):
        assert_levels(images.read(path), samples)


def test_eight_bits_go_the_common_way(tmp_path):
    samples = GENERATOR.integers(0, 256, (6, 5, 3), dtype=np.uint8)
    path = tmp_path / "a.tif"
    Image.fromarray(samples).save(path)
    np.testing.assert_allclose(images.read(path), samples / 255, atol=1e-7)
