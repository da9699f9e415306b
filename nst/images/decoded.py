"""The result of the decoders, and their limit of pixels."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst.errors import InputError


class Decoded(NamedTuple):
    """An image as stored in its file: not yet upright, nor sRGB, nor composed on white."""

    color: np.ndarray  # [h, w, channels]: uint8 or uint16 of full scale, or float32 in [0, 1]
    space: str  # GRAY, RGB, CMYK (1 is full ink) or LAB (a and b offset by half the scale)
    alpha: np.ndarray | None  # float32 [h, w] in [0, 1], not multiplied into the color
    profile: bytes | None  # ICC
    orientation: int  # EXIF, 1 to 8
    several: bool  # has several frames or pages


def known_orientation(value: object) -> int:
    """Return the EXIF orientation of a file if it is valid, else 1 (upright)."""
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def check_size(path: Path, height: int, width: int, max_pixels: int) -> None:
    """Raise InputError if an image has more than `max_pixels`, before memory for it is allocated."""
    if height * width > max_pixels:
        raise InputError(
            f"{path} has {width}×{height} pixels, more than {max_pixels}: "
            "make it smaller, or raise --max_pixels"
        )
