import io
import logging
import struct
import sys
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from nst import images
from nst.errors import InputError

PICTURE = np.random.default_rng(3).integers(0, 256, (40, 60, 3), np.uint8)


def encoded(format, picture=PICTURE, **options):
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format, **options)
    return stream.getvalue()


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_16_bit():
    rows = b"".join(b"\0" + row.tobytes() for row in (PICTURE.astype(">u2") * 257))
    header = struct.pack(">IIBBBBB", 60, 40, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def tiff_16_bit(**options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, PICTURE.astype(np.uint16) * 257, photometric="rgb", metadata=None, **options)
    return stream.getvalue()


WHOLE = {
    "PNG": encoded("PNG"),
    "PNG, 16 bits": png_16_bit(),
    "JPEG": encoded("JPEG"),
    "JPEG, progressive": encoded("JPEG", progressive=True),
    "WebP": encoded("WEBP"),
    "WebP, lossless": encoded("WEBP", lossless=True),
    "TIFF": encoded("TIFF"),
    "TIFF, deflate": encoded("TIFF", compression="tiff_deflate"),
    "TIFF, 16 bits": tiff_16_bit(rowsperstrip=8),
    "TIFF, 16 bits, deflate": tiff_16_bit(rowsperstrip=8, compression="zlib"),
    "BMP": encoded("BMP"),
    "GIF": encoded("GIF", PICTURE[..., 0]),
}


def refusal(path, **options):
    with pytest.raises(InputError) as caught:
        images.read(path, **options)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def attempt(path, **options):
    """Return the image and an empty message, or None and the message of an InputError; let other errors pass."""
    try:
        return images.read(path, **options), ""
    except InputError as error:
        return None, str(error)


@pytest.mark.parametrize("kind", WHOLE)
def test_truncated_anywhere_is_never_half_an_image(tmp_path, kind, capfd):
    path, content = tmp_path / "input", WHOLE[kind]
    path.write_bytes(content)
    whole = images.read(path)
    for length in [12, 30, *np.linspace(40, len(content) - 100, 20).astype(int).tolist()]:
        path.write_bytes(content[:length])
        assert "truncated or damaged" in refusal(path), length
    for missing in (1, 2, 4, 8, 12):  # the end may hold no data of the image
        path.write_bytes(content[:-missing])
        image, message = attempt(path)
        assert np.array_equal(image, whole) if image is not None else "truncated or damaged" in message
    assert capfd.readouterr().err == ""  # libtiff would print there


@pytest.mark.parametrize("kind", WHOLE)
def test_damaged_bytes_raise_nothing_but_an_input_error(tmp_path, kind, capfd):
    path, generator = tmp_path / "input", np.random.default_rng(11)
    for reach in (60, 300, len(WHOLE[kind])):
        for _ in range(10):
            content = np.frombuffer(WHOLE[kind], np.uint8).copy()
            places = generator.integers(2, min(reach, content.size), 4)
            content[places] = generator.integers(0, 256, 4)
            path.write_bytes(content.tobytes())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", images.ImageWarning)
                image, message = attempt(path, max_pixels=1_000_000)
            assert np.isfinite(image).all() if image is not None else "\n" not in message
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "content",
    [
        b"just a note\n",
        b"<!DOCTYPE html><html><body>404</body></html>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"SIMPLE  =                    T / conforms to FITS\n",
        b"8BPS\0\1" + bytes(40),
        b"%PDF-1.7\n",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        bytes(1000),
        b"\xd7\xcd\xc6\x9a" + bytes(100),
    ],
    ids=["text", "HTML", "SVG", "EPS", "FITS", "PSD", "PDF", "JPEG 2000", "zeros", "WMF"],
)
@pytest.mark.parametrize("name", ["input.jpg", "input.eps"])
def test_what_is_not_on_the_list_is_refused(tmp_path, monkeypatch, content, name):
    def opened(*args, **kwargs):
        raise AssertionError("a decoder was tried")

    monkeypatch.setattr(Image, "open", opened)
    monkeypatch.setattr("subprocess.Popen", opened)
    path = tmp_path / name
    path.write_bytes(content)
    assert "not an image that can be read: supported are PNG, JPEG, WebP" in refusal(path)


def png_header(width, height, bits=8):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def jpeg_header(width, height):
    content = bytearray(WHOLE["JPEG"])
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def gif_header(width, height):
    return b"GIF89a" + struct.pack("<HH", width, height) + WHOLE["GIF"][10:]


def bmp_header(width, height):
    return WHOLE["BMP"][:18] + struct.pack("<ii", width, height) + WHOLE["BMP"][26:]


def tiff_header(width, height, bits=8):
    """Return a little-endian, uncompressed RGB file without the strip that its tags declare."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, 2), (273, 4, 8)]
    entries += [(277, 3, 3), (278, 4, height), (279, 4, 100)]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4)


@pytest.mark.parametrize(
    "content",
    [
        png_header(60_000, 60_000),
        png_header(60_000, 60_000, bits=16),
        png_header(2**31 - 1, 2**31 - 1),
        jpeg_header(60_000, 60_000),
        gif_header(60_000, 60_000),
        bmp_header(60_000, 60_000),
        tiff_header(60_000, 60_000),
        tiff_header(60_000, 60_000, bits=16),
    ],
    ids=["PNG", "PNG, 16 bits", "PNG, largest", "JPEG", "GIF", "BMP", "TIFF", "TIFF, 16 bits"],
)
def test_a_bomb_is_refused_before_decoding(tmp_path, content):
    path = tmp_path / "bomb"
    path.write_bytes(content)
    tracemalloc.start()
    message = refusal(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "×" in message
    assert "--max_pixels" in message
    assert peak < 20e6


@pytest.mark.parametrize("kind", ["PNG", "PNG, 16 bits", "TIFF, 16 bits"])
def test_the_limit_is_the_callers(tmp_path, kind):
    path = tmp_path / "input"
    path.write_bytes(WHOLE[kind])
    assert "60×40" in refusal(path, max_pixels=2399)
    assert images.read(path, max_pixels=2400).shape == (40, 60, 3)


def test_pillows_own_limit_does_not_stand_in_the_way(tmp_path, monkeypatch):
    path = tmp_path / "input"
    path.write_bytes(WHOLE["PNG"])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert images.read(path).shape == (40, 60, 3)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_nothing_global_is_left_changed_by_a_failure(tmp_path, capfd):
    path = tmp_path / "input"
    path.write_bytes(WHOLE["PNG"][:100])
    before = Image.MAX_IMAGE_PIXELS, logging.root.manager.disable, warnings.filters[:]
    refusal(path)
    assert (Image.MAX_IMAGE_PIXELS, logging.root.manager.disable, warnings.filters[:]) == before
    print("heard", file=sys.stderr)
    assert capfd.readouterr().err == "heard\n"


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_zip_bomb_in_a_chunk_takes_little_memory(tmp_path, kind):
    packed = zlib.compress(bytes(200_000_000), 9)
    prefix = b"key\0\1\0\0\0" if kind == b"iTXt" else b"key\0\0"
    path = tmp_path / "bomb.png"
    path.write_bytes(WHOLE["PNG"][:33] + chunk(kind, prefix + packed) + WHOLE["PNG"][33:])
    tracemalloc.start()
    message = refusal(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "truncated or damaged" in message
    assert peak < 20e6


@pytest.mark.parametrize(
    ("tag", "kind", "count", "value"),
    [
        (258, 3, 2**31, 8),  # bits per sample: gigabytes of numbers
        (273, 4, 2**30, 8),  # strip offsets
        (256, 2, 100, 2**32 - 1),  # a width that is text
        (322, 4, 1, 2**31 - 1),  # a tile two thousand million wide
        (277, 3, 1, 65535),  # samples per pixel
    ],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_malformed_tags_are_refused(tmp_path, tag, kind, count, value, bits, capfd):
    content = bytearray(tiff_header(60, 40, bits))
    places = range(10, 10 + 12 * 9, 12)
    place = next((at for at in places if struct.unpack_from("<H", content, at)[0] == tag), places[-1])
    content[place : place + 12] = struct.pack("<HHII", tag, kind, count, value)
    path = tmp_path / "input.tif"
    path.write_bytes(content)
    tracemalloc.start()
    refusal(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "error", [MemoryError(), KeyError(3), struct.error("two\nlines"), RecursionError("deep")]
)
def test_whatever_a_decoder_raises_becomes_one_line(tmp_path, monkeypatch, error):
    def failing(*args, **kwargs):
        raise error

    path = tmp_path / "input"
    path.write_bytes(WHOLE["PNG"])
    monkeypatch.setattr(Image, "open", failing)
    assert "truncated or damaged" in refusal(path)


@pytest.mark.parametrize("kind", WHOLE)
def test_pillow_may_try_one_decoder_only(tmp_path, monkeypatch, kind):
    tried = []

    def opened(path, mode="r", formats=None, original=Image.open):
        tried.append(formats)
        return original(path, mode, formats)

    path = tmp_path / "input"
    path.write_bytes(WHOLE[kind])
    monkeypatch.setattr(Image, "open", opened)
    images.read(path)
    assert all(formats is not None and len(formats) == 1 for formats in tried)
