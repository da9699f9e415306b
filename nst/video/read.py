"""Reading of video: a path or a sample's name in, upright sRGB frames with their times out."""

import math
from collections.abc import Collection, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from nst import inputs
from nst.errors import InputError
from nst.files import user_path
from nst.images import MAX_PIXELS
from nst.video import container, decode, folder, samples
from nst.video.clip import FOLDER_RATE, Clip, Frame, Number, seconds

#: The extensions of video files in a folder, in lower case.
EXTENSIONS = {
    *(
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".ts",
        ".mts",
        ".m2ts",
        ".mpg",
        ".mpeg",
        ".vob",
        ".3gp",
    ),
    *(".wmv", ".asf", ".flv", ".ogv", ".mxf", ".y4m", ".gif", ".apng"),
}

_KIND = inputs.Kind("video", EXTENSIONS, container.SUPPORTED, samples.NAMES, samples.locate)

# Matroska rounds times to milliseconds, so that a frame may be stored before its time.
_ROUNDING = Fraction(1, 2000)


def probe(name: str | Path, *, rate: Number = FOLDER_RATE, max_pixels: int = MAX_PIXELS) -> Clip:
    """Describe a clip from the headers of its file and its first frame.

    Args:
      name: The name of a sample, a path (`./pan` or a `Path` if it is also the name of a sample), or a folder of PNG or
        JPEG files, sorted naturally.
      rate: Frame rate of a folder; files have their own.
      max_pixels: The largest frame to decode, height × width.

    Raises:
      InputError: There is no such clip, it is not video that can be read, or it has no frames.

    Example:
      >>> clip = nst.video.probe("pan")
      >>> clip.height, clip.width, clip.rate, clip.duration, clip.sound
      (180, 320, Fraction(24, 1), Fraction(2, 1), ('aac',))
    """
    path = find(name)
    if not path.is_dir():
        return container.describe(path, max_pixels)
    if rate <= 0:
        raise InputError(f"a frame rate of {rate} is not positive: give frames per second")
    return folder.describe(path, seconds(rate), max_pixels)


def read(
    name: str | Path,
    *,
    start: Number = 0,
    end: Number | None = None,
    every: int = 1,
    rate: Number = FOLDER_RATE,
    allow_truncated: bool = False,
    max_pixels: int = MAX_PIXELS,
    images: bool = True,
) -> Iterator[Frame]:
    """Read the frames of a clip, one at a time, in the order of their times.

    Frames are upright by the display matrix, converted to 8-bit sRGB by the stream's own matrix and range, and composed
    on white where they are transparent. A `VideoWarning` says if bits are lost, HDR is mapped to sRGB, or
    interlaced fields are made whole frames.

    Args:
      name: As in `probe`.
      start: The time of the first frame to read, seconds from the first frame of the clip.
      end: The time before which reading ends, seconds; None for all of the clip.
      every: 2 reads every second frame from `start` on, and so on.
      rate: As in `probe`.
      allow_truncated: Whether to read a truncated or damaged clip as far as possible, with a warning, not an error.
      max_pixels: As in `probe`.
      images: Whether to convert frames to images; otherwise these are empty.

    Returns:
      The frames. Each lasts until the next one that is read; the last one until its end in the clip, or `end`.

    Raises:
      InputError: As `probe`, or the file is shorter than its header says; while frames are read, also if it is
        truncated, damaged, or has no frames between `start` and `end`.

    Example:
      >>> [float(frame.time) for frame in nst.video.read("pan", end=0.5, every=6)]
      [0.0, 0.25]
    """
    begin, stop = _interval(name, start, end)
    if every < 1:
        raise InputError(f"{name}: every {every} frames: give 1 for all of them, or more")
    clip = probe(name, rate=rate, max_pixels=max_pixels)
    if clip.path.is_dir():
        frames = folder.frames(clip, max_pixels=max_pixels)
    else:
        if not allow_truncated:
            decode.check_whole(clip)
        frames = decode.frames(
            clip, start=begin, images=images, allow_truncated=allow_truncated, max_pixels=max_pixels
        )
    return _selected(clip, frames, begin, stop, every)


def timeline(name: str | Path, **options: Any) -> list[Fraction]:
    """Return the times of the frames that `read` yields, and the end of the last one.

    All frames are decoded and none is kept, so this also checks that a clip can be read to its end.

    Args:
      name: As in `read`.
      **options: As in `read`.

    Raises:
      InputError: As `read`.

    Example:
      >>> times = nst.video.timeline("pan")
      >>> len(times) - 1, times[-1]
      (48, Fraction(2, 1))
    """
    times = [Fraction(0)]
    for frame in read(name, **options, images=False):
        times[-1:] = [frame.time, frame.time + (frame.duration or 0)]
    return times


def find(name: str | Path) -> Path:
    """Return the path of a file, of a folder of images, or of a sample's file.

    Raises:
      InputError: There is no such file, folder or sample.
    """
    if inputs.is_folder(name, _KIND):
        path = user_path(name)
        if _has(path, EXTENSIONS) or not _has(path, folder.EXTENSIONS):
            raise InputError(f"{path} is a folder: name one of its videos, or a folder of PNG or JPEG frames")
        return path
    return inputs.find(name, _KIND)


def each(name: str) -> list[str]:
    """Return the config values of single clips: the paths in a folder of videos, or the name of one clip.

    Raises:
      InputError: As `list_videos`.
    """
    return [*map(str, list_videos(name))] if inputs.is_folder(name, _KIND) else [name]


def list_videos(path: str | Path, words: Collection[str] = ()) -> list[Path]:
    """Return the paths of the videos in a folder, sorted by name, without subfolders; of a single clip, its path.

    A folder without videos that has PNG or JPEG files is one clip.

    Raises:
      InputError: There is no such file, folder or sample, or the folder has no video.
    """
    if inputs.is_folder(path, _KIND):
        place = user_path(path)
        if not _has(place, EXTENSIONS) and _has(place, folder.EXTENSIONS):
            return [place]
    return inputs.find_all(path, _KIND._replace(words=words))


def _has(place: Path, extensions: Collection[str]) -> bool:
    try:
        return any(path.suffix.lower() in extensions for path in place.iterdir())
    except OSError as error:
        raise InputError(f"{place} cannot be listed ({error.strerror}): check its permissions") from error


def _interval(name: str | Path, start: Number, end: Number | None) -> tuple[Fraction, Fraction | None]:
    if not 0 <= start < (math.inf if end is None else end) or (end is not None and end == math.inf):
        raise InputError(f"{name}: no time from {start} to {end} s: give 0 or more, and an end after it")
    return seconds(start), None if end is None else seconds(end)


def _selected(
    clip: Clip, frames: Iterator[Frame], start: Fraction, end: Fraction | None, every: int
) -> Iterator[Frame]:
    """Yield each n-th of the frames between two times, each until the next one."""
    held, finish, number = None, start, 0
    for frame in frames:
        if end is not None and frame.time >= end - _ROUNDING:
            break
        if frame.time < start - _ROUNDING:
            continue
        if number % every == 0:
            if held is not None:
                yield held._replace(duration=frame.time - held.time)
            held = frame
        finish = frame.time + (frame.duration or 0)
        number += 1
    if held is None:
        raise InputError(f"{clip.path} has no frames from {float(start):g} s on: choose an earlier start")
    yield held._replace(duration=(finish if end is None else min(finish, end)) - held.time)
