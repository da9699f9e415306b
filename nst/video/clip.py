"""Frames and clips: what the other modules of `nst.video` exchange."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

#: The frame rate of a folder of images, which does not say it, in frames per second.
FOLDER_RATE = Fraction(25)


#: A time in seconds, or a rate.
Number = int | float | Fraction


class VideoWarning(UserWarning):
    """Video is not read or written exactly as it is."""


class Frame(NamedTuple):
    """One image of a clip.

    Attributes:
      image: RGB, sRGB-encoded, upright.
      time: Seconds from the first frame of the clip.
      duration: Seconds until the next frame or the end; None if it is not known.
    """

    image: UInt8[np.ndarray, "h w 3"]
    time: Fraction
    duration: Fraction | None = None


class Clip(NamedTuple):
    """The description of a clip.

    Attributes:
      path: The file, or the folder of images.
      height: Of a frame as it is shown, upright, in pixels.
      width: Likewise.
      time_base: Unit of the time stamps, seconds.
      start: Time stamp of the first frame, seconds; `Frame.time` counts from it.
      rate: Average frame rate, frames per second.
      sample_aspect: Width of a pixel divided by its height, upright.
      duration: Seconds as the file states it; None if it does not.
      sound: The codec of each audio track, such as `("aac",)`.
    """

    path: Path
    height: int
    width: int
    time_base: Fraction
    start: Fraction
    rate: Fraction
    sample_aspect: Fraction
    duration: Fraction | None
    sound: tuple[str, ...]


def seconds(time: Number) -> Fraction:
    """Return a time in seconds as a simple fraction: 0.1 is one tenth, not the nearest binary number."""
    return Fraction(time).limit_denominator(1_000_000)
