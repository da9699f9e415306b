"""What the decoders give, and the limit they keep to."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst.errors import InputError


class Decoded(NamedTuple):
    """A picture as the file has it: neither upright, nor sRGB, nor composed yet."""

    color: np.ndarray  # [h, w, channels]: uint8 or uint16, full scale, or float32
    space: str  # GRAY, RGB, CMYK (1 is full ink) or LAB (a and b offset by half the scale)
    alpha: np.ndarray | None  # float32 [h, w] in [0, 1], not multiplied into the colour
    profile: bytes | None  # ICC
    orientation: int  # EXIF, 1 to 8
    several: bool  # frames or pages


def known_orientation(value: object) -> int:
    """An EXIF orientation as a file has it; upright (1) for what is none."""
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def check_size(path: Path, height: int, width: int, max_pixels: int) -> None:
    """Refuse a picture by what its header says, before the memory for it is taken."""
    if height * width > max_pixels:
        raise InputError(
            f"{path} has {width}×{height} pixels, more than {max_pixels}: "
            "make it smaller, or raise --max_pixels"
        )
