import errno
import hashlib
import json
import os

import jax.numpy as jnp
import numpy as np
import pytest
import tifffile
from PIL import Image

from nst import images
from nst.errors import InputError

GENERATOR = np.random.default_rng(9)
IMAGE = GENERATOR.random((11, 7, 3), np.float32)
METADATA = {"config": json.dumps({"images": {"content": "Übung 日本 🎨.png"}, "steps": 3}), "version": "0.1"}
SUFFIXES = [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"]
DEEP = [".png", ".tif", ".tiff"]


@pytest.mark.parametrize("suffix", DEEP)
@pytest.mark.parametrize("bits", [8, 16])
def test_lossless_formats_keep_every_level(tmp_path, suffix, bits):
    levels = GENERATOR.integers(0, 2**bits, (300, 90, 3))
    levels[0, 0], levels[0, 1] = 0, 2**bits - 1
    path = tmp_path / f"a{suffix}"
    images.write(path, (levels / (2**bits - 1)).astype(np.float32), bits=bits)
    image = images.read(path)
    np.testing.assert_array_equal(np.rint(image.astype(np.float64) * (2**bits - 1)), levels)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_is_what_its_extension_says(tmp_path, suffix):
    ramp = np.linspace(0.1, 0.9, 48, dtype=np.float32)[:, None, None]
    smooth = np.broadcast_to(ramp, (48, 33, 3))
    path = tmp_path / f"a{suffix.upper()}"
    images.write(path, smooth)
    np.testing.assert_allclose(images.read(path), smooth, atol=0.03)
    with Image.open(path) as picture:
        expected = {".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
        assert picture.format == expected.get(suffix, suffix[1:].upper())


def test_16_bit_tiff_is_read_by_others(tmp_path):
    path = tmp_path / "a.tif"
    images.write(path, IMAGE, bits=16)
    stored = tifffile.imread(path)
    assert stored.dtype == np.uint16
    np.testing.assert_array_equal(stored, np.rint(IMAGE * 65535))


def test_values_are_clipped(tmp_path):
    values = np.array([[[-3.0, 0.0, 1e9], [1.0, 1.0001, -1e-9]]], np.float32)
    images.write(tmp_path / "a.png", values)
    np.testing.assert_array_equal(images.read(tmp_path / "a.png"), [[[0, 0, 1], [1, 1, 0]]])


@pytest.mark.parametrize("bits", [8, 16])
def test_values_are_rounded_to_the_nearest_level_halves_to_even(tmp_path, bits):
    full = 2**bits - 1
    values = np.array(
        [[[0.49, 0.51, 1.49], [1.51, full - 0.51, full - 0.49], [full / 2, full / 2, full / 2]]]
    )
    images.write(tmp_path / "a.png", (values / full).astype(np.float32), bits=bits)
    stored = images.read(tmp_path / "a.png").astype(np.float64) * full
    half = (full + 1) // 2  # 127.5 and 32767.5 lie between an odd and an even level
    np.testing.assert_allclose(stored, [[[0, 1, 1], [2, full - 1, full], [half] * 3]], atol=0.02)


def test_device_arrays_are_written(tmp_path):
    images.write(tmp_path / "a.png", jnp.asarray(IMAGE))
    np.testing.assert_allclose(images.read(tmp_path / "a.png"), IMAGE, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize(("suffix", "bits"), [(s, 8) for s in SUFFIXES] + [(s, 16) for s in DEEP])
def test_same_image_same_bytes(tmp_path, monkeypatch, suffix, bits):
    digests = set()
    for name, now in (("a", 0.0), ("b", 2e9)):
        monkeypatch.setattr("time.time", lambda now=now: now)
        path = tmp_path / f"{name}{suffix}"
        images.write(path, IMAGE, bits=bits, metadata=METADATA)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_metadata_comes_back(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    images.write(path, IMAGE, metadata=METADATA)
    assert images.read_metadata(path) == METADATA
    images.write(path, IMAGE)
    assert images.read_metadata(path) == {}


@pytest.mark.parametrize("suffix", DEEP)
def test_metadata_of_16_bits_comes_back(tmp_path, suffix):
    images.write(tmp_path / f"a{suffix}", IMAGE, bits=16, metadata=METADATA)
    assert images.read_metadata(tmp_path / f"a{suffix}") == METADATA


def test_metadata_does_not_change_the_image(tmp_path):
    for name, metadata in (("a.jpg", {}), ("b.jpg", METADATA)):
        images.write(tmp_path / name, IMAGE, metadata=metadata)
    np.testing.assert_array_equal(images.read(tmp_path / "a.jpg"), images.read(tmp_path / "b.jpg"))


def test_metadata_too_long_for_jpeg_is_left_out_with_a_warning(tmp_path):
    with pytest.warns(images.ImageWarning, match="longer than JPEG allows"):
        images.write(tmp_path / "a.jpg", IMAGE, metadata={"config": "x" * 70_000})
    assert images.read_metadata(tmp_path / "a.jpg") == {}


def test_metadata_of_other_programs(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "a holiday"
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=exif)
    assert images.read_metadata(tmp_path / "a.jpg") == {}


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n cut"])
def test_metadata_of_another_file_is_refused(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png is"):
        images.read_metadata(path)


def test_png_says_that_it_is_srgb(tmp_path):
    images.write(tmp_path / "a.png", IMAGE)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.info["srgb"] == 0


@pytest.mark.parametrize(
    ("name", "options", "cause"),
    [
        ("a.gif", {}, "choose from .png, .jpg"),
        ("a", {}, "unknown extension"),
        ("a.jpg", {"bits": 16}, "16 bits cannot be written"),
        ("a.webp", {"bits": 16}, "16 bits cannot be written"),
        ("a.png", {"bits": 12}, "12 bits cannot be written"),
        ("a.webp", {"longest": 16_384}, "16383"),
        ("a.jpg", {"longest": 65_501}, "65500"),
    ],
)
def test_what_cannot_be_written_is_refused_before(tmp_path, name, options, cause):
    with pytest.raises(InputError, match=cause) as caught:
        images.check_output(tmp_path / name, **options)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "side"), [("a.webp", 16_383), ("a.jpg", 65_500)])
def test_the_longest_side_can_be_written(tmp_path, name, side):
    images.check_output(tmp_path / name, longest=side)
    images.write(tmp_path / name, np.full((1, side, 3), 0.5, np.float32))
    assert images.read(tmp_path / name).shape == (1, side, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    values = IMAGE.copy()
    values[3, 3, 1] = value
    with pytest.raises(InputError, match="not finite"):
        images.write(tmp_path / "a.png", values)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    images.write(path, IMAGE)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        images.write(path, 1 - IMAGE)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["with space.png", "Übung 日本 🎨.webp", "-leading.jpg", "a.b.tif"])
def test_unusual_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    images.write(name, IMAGE, metadata=METADATA)
    assert images.read(name).shape == IMAGE.shape
    assert images.read_metadata(name) == METADATA


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif"])
def test_there_is_no_time_stamp(tmp_path, suffix):
    images.write(tmp_path / f"a{suffix}", IMAGE, metadata=METADATA)
    with Image.open(tmp_path / f"a{suffix}") as picture:
        assert {306, 36867, 36868}.isdisjoint(picture.getexif())  # DateTime and its kin


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_an_array_of_any_order_in_memory(tmp_path, suffix):
    image = np.random.default_rng(0).random((6, 9, 3), np.float32)
    for name, array in (("turned", image.swapaxes(0, 1)), ("copied", image.swapaxes(0, 1).copy())):
        images.write(tmp_path / f"{name}{suffix}", array)
    assert (tmp_path / f"turned{suffix}").read_bytes() == (tmp_path / f"copied{suffix}").read_bytes()
