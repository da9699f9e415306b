"""The values of clips over time, from one pass over their frames with a window of them in memory."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from nst.errors import InputError
from nst.flow import Frame, motion, warping_error
from nst.metrics.definitions import BASELINES
from nst.metrics.video.brightness import PART, blocks
from nst.metrics.video.motion import APART, flow_difference

_CONTENT, _ = BASELINES

#: Frames of the same time, by the name of their clip.
_Frames = Mapping[str, Frame]


class Footage(NamedTuple):
    """A clip that can be read several times.

    Attributes:
      frames: Return an iterator over all frames, 8 bits.
      length: The number of frames.
      rate: Mean frame rate, frames per second.
    """

    frames: Callable[[], Iterator[Frame]]
    length: int
    rate: float


class Series(NamedTuple):
    """The values of a clip over time.

    Attributes:
      warping: Of each frame and the next one; None at a cut.
      warping_long: Of frames far apart.
      tof: As `warping`.
      scenes: The brightness of blocks of each frame, by scene.
      first: The frames of the first part.
      last: The frames of the last part.
    """

    warping: list[float | None]
    warping_long: list[float]
    tof: list[float | None]
    scenes: list[list[np.ndarray]]
    first: list[Frame]
    last: deque[Frame]


def check(clips: Mapping[str, Footage]) -> None:
    """Raise InputError if a clip has another number of frames than the one named `content`."""
    length = clips[_CONTENT].length
    for name, clip in clips.items():
        if clip.length != length:
            raise InputError(
                f"{name} has {clip.length} frames and the content {length}: give clips of the same frames"
            )


def measure(clips: Mapping[str, Footage]) -> dict[str, Series]:
    """Return the values over time of clips by name, compared with the motion of the one named `content`.

    Raises:
      InputError: A clip has another number of frames than the content.
    """
    check(clips)
    part = min(PART, max(1, clips[_CONTENT].length // 4))
    series = {name: Series([], [], [], [[]], [], deque(maxlen=part)) for name in clips}
    window: deque[_Frames] = deque(maxlen=APART + 1)
    for each in zip(*(clip.frames() for clip in clips.values()), strict=True):
        frames = dict(zip(clips, each, strict=True))
        if window:
            _compare_neighbors(series, window, frames)
        window.append(frames)
        if len(window) > APART:
            _compare_distant(series, window)
        for name, frame in frames.items():
            _record(series[name], frame, part)
    _end_scene(series, window)
    return series


def _compare_neighbors(series: Mapping[str, Series], window: deque[_Frames], following: _Frames) -> None:
    """Compare the last frames with the following ones; at a cut, begin a scene."""
    last = window[-1]
    content = motion(last[_CONTENT], following[_CONTENT])
    for name, one in series.items():
        pair = last[name], following[name]
        one.warping.append(warping_error(*pair, content) if content.matched else None)
        one.tof.append(flow_difference(*pair, content) if content.matched else None)
    if not content.matched:
        _end_scene(series, window)
        for one in series.values():
            one.scenes.append([])


def _end_scene(series: Mapping[str, Series], window: deque[_Frames]) -> None:
    """Compare the first and the last frames of a scene that is too short for frames far apart, and forget it."""
    if 1 < len(window) <= APART:
        _compare_distant(series, window)
    window.clear()


def _compare_distant(series: Mapping[str, Series], window: deque[_Frames]) -> None:
    first, last = window[0], window[-1]
    content = motion(first[_CONTENT], last[_CONTENT])
    if content.matched:
        for name, one in series.items():
            one.warping_long.append(warping_error(first[name], last[name], content))


def _record(one: Series, frame: Frame, part: int) -> None:
    one.scenes[-1].append(blocks(frame))
    if len(one.first) < part:
        one.first.append(frame)
    one.last.append(frame)
