"""CMYK with a profile, against the formulae of CIE L*a*b* and sRGB: with this profile the four inks are grays."""

import itertools
import struct

import numpy as np
import pytest
from PIL import Image

from nst import images

# Lightness L* of a full cover of each ink alone.
LIGHTNESS = {"cyan": 80.0, "magenta": 60.0, "yellow": 40.0, "black": 0.0}


def profile():
    """Return a profile from CMYK to L*a*b* by a table of its 2⁴ corners (ICC.1:2001-04, 6.1 and 6.5.8)."""
    corners = [
        100
        * np.prod([lightness / 100 for on, lightness in zip(corner, LIGHTNESS.values(), strict=True) if on])
        for corner in itertools.product((0, 1), repeat=4)
    ]
    grid = b"".join(struct.pack(">3H", round(corner / 100 * 0xFF00), 0x8000, 0x8000) for corner in corners)
    straight = struct.pack(">2H", 0, 0xFFFF)
    identity = struct.pack(">9i", *(np.eye(3, dtype=int) << 16).ravel())
    table = b"mft2" + bytes(4) + bytes([4, 3, 2, 0]) + identity + struct.pack(">2H", 2, 2)
    table += 4 * straight + grid + 3 * straight
    tags = struct.pack(">I4s2I", 1, b"A2B0", 128 + 16, len(table))
    white = struct.pack(">3i", round(0.9642 * 65536), 65536, round(0.8249 * 65536))
    header = struct.pack(
        ">I4sI4s4s4s", 128 + len(tags) + len(table), b"test", 0x02400000, b"prtr", b"CMYK", b"Lab "
    )
    header += struct.pack(">6H4s28s", 2026, 1, 1, 0, 0, 0, b"acsp", b"") + white
    return header.ljust(128, b"\0") + tags + table


def gray(lightness):
    """Return the sRGB value of a neutral L*: CIE 15, then IEC 61966-2-1."""
    Y = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness * 27 / 24389)
    return np.where(Y <= 0.0031308, 12.92 * Y, 1.055 * Y ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("extension", ["tif", "jpg"])
@pytest.mark.parametrize("ink", LIGHTNESS)
def test_each_ink_is_what_the_profile_says(tmp_path, ink, extension):
    index, covers = list(LIGHTNESS).index(ink), np.array([0, 51, 128, 204, 255], np.uint8)
    inks = np.zeros((16, 16 * covers.size, 4), np.uint8)
    inks[..., index] = np.repeat(covers, 16)
    path = tmp_path / f"a.{extension}"
    quality = {"quality": 100, "subsampling": 0} if extension == "jpg" else {}
    Image.fromarray(inks, "CMYK").save(path, icc_profile=profile(), **quality)
    expected = gray(100 - covers / 255 * (100 - LIGHTNESS[ink]))
    image = images.read(path)[8, 8::16]
    np.testing.assert_allclose(image, np.repeat(expected[:, None], 3, axis=1), atol=2 / 255)
