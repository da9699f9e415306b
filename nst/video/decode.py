"""Decoding of video files, frame by frame, to their end or not at all."""

import warnings
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from nst.errors import InputError
from nst.video import packages
from nst.video.clip import Clip, Frame, VideoWarning
from nst.video.color import Converter
from nst.video.container import container_end, is_cut, opened, stated_end, video_stream

_NO_IMAGE = np.zeros((0, 0, 3), np.uint8)

# Frames that may be missing at the end that a header states, before a clip is truncated: some headers count one more.
_SLACK = Fraction(5, 2)

_SEEK_AFTER = 2  # seconds: decoding these takes as long as a seek
_INDEXED = ("mov", "matroska")  # formats whose seeks never end after the time asked for


class _TruncatedError(Exception):
    """A clip can't be read further."""


def check_whole(clip: Clip) -> None:
    """Raise InputError if a file is shorter than its index says, without decoding it."""
    with opened(clip.path) as container:
        if is_cut(container):
            raise InputError(f"{clip.path} is shorter than its header says{_REMEDY}")


def frames(
    clip: Clip, *, start: Fraction, images: bool, allow_truncated: bool, max_pixels: int
) -> Iterator[Frame]:
    """Yield the frames of a file, in the order of their times.

    Args:
      clip: The description of the file.
      start: Frames before this time, in seconds, may be left out.
      images: Whether to convert frames to images; otherwise these are empty.
      allow_truncated: Whether a clip that is truncated or damaged ends with a warning, where it can't be read further.
      max_pixels: The largest frame to decode.

    Raises:
      InputError: The file is truncated or damaged.
    """
    end = Fraction(0)
    try:
        for frame in _converted(clip, start, images, max_pixels):
            end = frame.time + (frame.duration or 0)
            yield frame
    except _TruncatedError as error:
        duration = f" of {float(clip.duration):.2f}" if clip.duration else ""
        read = f"{clip.path} is truncated or damaged: it could be read to {float(end):.2f}{duration} s"
        if not allow_truncated:
            raise InputError(f"{read}{_REMEDY}") from error
        warnings.warn(read, VideoWarning, stacklevel=2)


_REMEDY = ": fetch or export it again, or allow truncated video"


def _converted(clip: Clip, start: Fraction, images: bool, max_pixels: int) -> Iterator[Frame]:
    convert = Converter(clip.path)
    waiting: deque[tuple[Fraction, Fraction]] = (
        deque()
    )  # times and durations of frames that the converter holds
    for frame, time, duration in _decoded(clip, start, max_pixels):
        if not images:
            yield Frame(_NO_IMAGE, time, duration)
            continue
        waiting.append((time, duration))
        for image in convert(frame):
            yield Frame(image, *waiting.popleft())
    for image in convert(None):
        yield Frame(image, *waiting.popleft())


def _decoded(clip: Clip, start: Fraction, max_pixels: int) -> Iterator[tuple[Any, Fraction, Fraction]]:
    """Yield the frames of PyAV with their times and durations, which increase strictly."""
    step = 1 / clip.rate
    with opened(clip.path) as container:
        stream = video_stream(clip.path, container, max_pixels)
        if start > _SEEK_AFTER and container.format.name.startswith(_INDEXED):
            container.seek(int((clip.start + start) / stream.time_base), stream=stream)
        previous, duration = -step, step
        for frame, is_last in _with_last(_intact(container, stream)):
            time = previous + duration if frame.pts is None else frame.pts * frame.time_base - clip.start
            if time <= previous:  # damaged time stamps
                time = previous + step
            duration = (frame.duration or 0) * frame.time_base or step
            if is_last and (end := stated_end(stream)):
                duration = max(end - clip.start - time, duration / 2)
            yield frame, time, duration
            previous = time


def _intact(container: Any, stream: Any) -> Iterator[Any]:
    """Yield decoded frames; raise _TruncatedError at the first error, or at the end if it is too early."""
    av = packages.av()
    number, packets = 0, 0
    ends: dict[int, Fraction] = {}
    for packet in container.demux():
        if packet.pts is not None:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            ends[packet.stream_index] = max(ends.get(packet.stream_index, end), end)
        if packet.stream is not stream:
            continue
        packets += packet.size > 0
        try:
            decoded = packet.decode()
        except av.FFmpegError as error:
            if number:
                raise _TruncatedError from error
            continue  # before the first key frame
        for frame in decoded:
            if frame.is_corrupt and number:
                raise _TruncatedError
            number += 1
            yield frame
    if _ends_early(container, stream, packets, ends):
        raise _TruncatedError


def _ends_early(container: Any, stream: Any, packets: int, ends: dict[int, Fraction]) -> bool:
    """Return whether a clip that was read to the end of its file is shorter than its header states.

    Args:
      container: The clip.
      stream: Its video stream.
      packets: The number of packets of video.
      ends: The end of each stream by its last packets, seconds.
    """
    if is_cut(container):
        return True
    if container.format.name == "avi":  # its duration is a guess, but its header counts the frames
        return packets < stream.frames - _SLACK
    slack = _SLACK / (stream.average_rate or 25)
    if (stated := stated_end(stream)) is not None:
        return ends.get(stream.index, 0) < stated - slack
    stated = container_end(container)
    return stated is not None and max(ends.values(), default=0) < stated - slack


def _with_last(items: Iterator[Any]) -> Iterator[tuple[Any, bool]]:
    """Yield each item with whether it is the last."""
    held = None
    for item in items:
        if held is not None:
            yield held, False
        held = item
    if held is not None:
        yield held, True
