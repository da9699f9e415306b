"""Folders of images as clips: one file for each frame."""

import re
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from nst import images
from nst.errors import InputError
from nst.inputs import listed
from nst.video.clip import Clip, Frame

EXTENSIONS = {".png", ".jpg", ".jpeg"}
_NAME = "{:06d}.png"
_WRITTEN = re.compile(r"\d{6}\.png")


def files(folder: Path) -> list[Path]:
    """Return the images of a folder in natural order: 2.png before 10.png.

    Raises:
      InputError: The folder can't be listed, or has no images.
    """
    return sorted(listed(folder, EXTENSIONS, "frame", "PNG and JPEG"), key=_natural)


def describe(folder: Path, rate: Fraction, max_pixels: int) -> Clip:
    """Describe a folder as a clip of `rate` frames per second.

    Raises:
      InputError: As `files`, or the first image can't be read.
    """
    paths = files(folder)
    height, width, _ = images.read(paths[0], max_pixels=max_pixels).shape
    return Clip(folder, height, width, 1 / rate, Fraction(0), rate, Fraction(1), len(paths) / rate, sound=())


def frames(clip: Clip, *, max_pixels: int) -> Iterator[Frame]:
    """Yield the images of a folder as frames.

    Raises:
      InputError: An image can't be read, or has another size than the first.
    """
    for number, path in enumerate(files(clip.path)):
        image = images.read(path, max_pixels=max_pixels)
        if image.shape[:2] != (clip.height, clip.width):
            raise InputError(
                f"{path} has {image.shape[1]}×{image.shape[0]} pixels, the first frame {clip.width}×{clip.height}: "
                "resize it, or move it out of the folder"
            )
        yield Frame(images.eight_bits(image), number / clip.rate, 1 / clip.rate)


def check_output(folder: Path) -> None:
    """Raise InputError if a folder has files that are not frames written by `write`, which replaces all of them."""
    if folder.exists() and not (
        folder.is_dir() and all(_WRITTEN.fullmatch(path.name) for path in folder.iterdir())
    ):
        raise InputError(f"{folder} exists and is not a folder of frames: choose another name, or remove it")


def write(folder: Path, frames: Iterator[Frame]) -> None:
    """Write frames as PNG files, numbered from 0; all of them or none."""
    beside = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        for number, frame in enumerate(frames):
            images.write(beside / _NAME.format(number), frame.image)
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
