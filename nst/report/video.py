"""The video that a report plays: the files themselves, or smaller and shorter ones if there are many."""

import base64
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst import images, video
from nst.errors import InputError
from nst.transfer.video import frame_size

_TOTAL = 50_000_000  # bytes of all video as base64
_SIDE = 320  # longest side of smaller clips, in pixels
_ATTEMPTS = 4  # to cut clips


class Excerpt(NamedTuple):
    """A clip that a browser plays, as base64, with its duration in seconds and its frames per second."""

    seconds: float
    rate: float
    data: str


class _Content(NamedTuple):
    """The bytes of a clip, its duration in seconds, and its number of frames."""

    data: bytes
    seconds: float
    frames: int


def excerpts(paths: Sequence[str], total: int = _TOTAL) -> tuple[list[Excerpt | None], float | None]:
    """Return the files if they take at most `total` bytes together, otherwise smaller clips of the same frames.

    If even these take more, only the first seconds of each clip are encoded.

    Returns:
      The clips, None for a file that can't be read; and the seconds that clips were cut to, None if none was.
    """
    room = total * 3 // 4  # base64 makes four bytes of three
    longest = None
    clips = [_content(path) for path in paths]
    if _size(clips) > room:
        clips = [_content(path, reduced) for path in paths]
    for _ in range(_ATTEMPTS):  # bytes are no multiple of time: a first frame takes more than the others
        if _size(clips) <= room:
            break
        longest = room / sum(len(clip.data) / clip.seconds for clip in clips if clip)
        clips = [_content(path, lambda path, to, end=longest: reduced(path, to, end)) for path in paths]
    return [clip and _excerpt(clip) for clip in clips], longest


def _size(clips: Sequence[_Content | None]) -> int:
    return sum(len(clip.data) for clip in clips if clip)


def _excerpt(clip: _Content) -> Excerpt:
    data = base64.b64encode(clip.data).decode()
    return Excerpt(round(clip.seconds, 3), round(clip.frames / clip.seconds, 4), data)


def _content(path: str, encode: Callable[[Path, Path], None] | None = None) -> _Content | None:
    """Return a file, or what `encode` makes of it; None if it can't be read."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(path)
            if encode is not None:
                file = Path(folder) / "clip.mp4"
                encode(Path(path), file)
            times = video.timeline(file)
            return _Content(file.read_bytes(), float(times[-1]), len(times) - 1) if times[-1] else None
    except (InputError, OSError):
        return None


def reduced(path: Path, output: Path, end: float | None = None) -> None:
    """Write a clip with a longest side of at most 320 pixels, and its sound, up to a time in seconds."""
    clip = video.probe(path)
    height, width = frame_size(clip.height, clip.width, min(_SIDE, max(clip.height, clip.width)))

    def frames() -> Iterator[video.Frame]:
        for frame in video.read(path, end=end):
            image = images.resize(frame.image.astype(np.float32) / 255, height, width)
            yield frame._replace(image=images.eight_bits(image))

    sound = video.Sound(path, end=end) if clip.sound else None
    video.write(output, frames(), clip=clip, sound=sound)
