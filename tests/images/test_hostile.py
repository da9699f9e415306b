"""TIFFs like those that crashed readers or exhausted their memory: damaged odd compressions, wrong counts in tags."""

import io
import struct
import tracemalloc
import warnings

import numpy as np
import pytest
from PIL import Image

from nst import images
from nst.errors import InputError

SMOOTH = Image.fromarray(np.random.default_rng(5).integers(0, 256, (4, 6, 3), np.uint8)).resize((60, 40))


def encoded(compression, mode="RGB"):
    stream = io.BytesIO()
    SMOOTH.convert(mode).save(stream, "TIFF", compression=compression)
    return stream.getvalue()


KINDS = {
    "LZW": encoded("tiff_lzw"),
    "PackBits": encoded("packbits"),
    "JPEG": encoded("jpeg"),
    "JPEG, YCbCr": encoded("jpeg", "YCbCr"),
    "fax, group 3": encoded("group3", "1"),
    "fax, group 4": encoded("group4", "1"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_an_input_error_or_an_image(tmp_path, kind, capfd):
    whole, generator = np.frombuffer(KINDS[kind], np.uint8), np.random.default_rng(13)
    path = tmp_path / "input.tif"
    path.write_bytes(whole.tobytes())
    assert images.read(path).shape == (40, 60, 3)
    for _ in range(40):
        content = whole.copy()
        # Anywhere, or in the directory of tags, which stands at the end.
        first = generator.choice([4, max(4, content.size - 200)])
        places = generator.integers(first, content.size, 3)
        content[places] = generator.choice([0, 1, 127, 128, 255], 3)
        path.write_bytes(content.tobytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", images.ImageWarning)
            try:
                image = images.read(path, max_pixels=1_000_000)
            except InputError as error:
                assert "\n" not in str(error)  # noqa: PT017  (either outcome is right)
            else:
                assert np.isfinite(image).all()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "last",
    [
        (277, 4, 1, 0x92),  # samples per pixel
        (273, 4, 0x12341234, 0x12341234),  # strips
        (279, 16, 2**31, 8),  # lengths of strips
        (34675, 7, 2**32 - 1, 8),  # an ICC profile of 4 GB
        (320, 3, 2**31 - 1, 8),  # a color map
    ],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_wrong_counts_take_little_memory(tmp_path, last, bits):
    """Like the images of Pillow's tests with names oom*: the count of a tag is larger than the file."""
    entries = [(256, 3, 1, 10), (257, 3, 1, 8), (258, 3, 1, bits), (259, 3, 1, 1), (262, 3, 1, 1), last]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    path = tmp_path / "input.tif"
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, 11) + directory + b"\x12\x12\x34\x12")
    tracemalloc.start()
    with pytest.raises(InputError, match=r"input\.tif ") as caught:
        images.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert peak < 20e6
