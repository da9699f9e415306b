"""Metrics of stylized video: consistency over time, beside that of the content.

The single frames have the metrics of images, `nst.metrics`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nst.errors import InputError
from nst.metrics.definitions import BASELINES
from nst.metrics.video.brightness import change, flicker
from nst.metrics.video.definitions import VIDEO_METRICS
from nst.metrics.video.series import Footage, Series, check, measure

__all__ = ["FRAMES", "VIDEO_METRICS", "Footage", "Temporal", "check", "numbers", "over_frames", "temporal"]

#: The most frames of a clip that have the metrics of images.
FRAMES = 8


class Temporal(NamedTuple):
    """The metrics of a clip over time.

    Attributes:
      metrics: Every metric by the names of `VIDEO_METRICS`.
      by_frame: `warping` and `tof` of each frame and the one before, None in the first frame of a scene; and
        `brightness`, the mean luma in [0, 1].
    """

    metrics: dict[str, float]
    by_frame: dict[str, list[float | None]]


def temporal(clips: Mapping[str, Footage]) -> dict[str, Temporal]:
    """Return the metrics of clips over time.

    Args:
      clips: Clips by name, with the same frames and of the same size. The one named `content` has the motion and the
        changes that the others should have.

    Raises:
      InputError: The clips differ in their number of frames, or no frame of the content can be matched to the next one.
    """
    series, content = measure(clips), clips[BASELINES[0]]
    if all(value is None for value in series[BASELINES[0]].warping):
        raise InputError("no frame of the content shows the same scene as the next one: give a longer clip")
    usual = series[BASELINES[0]]
    return {
        name: Temporal(_figures(each, usual, content.rate), _by_frame(each)) for name, each in series.items()
    }


def numbers(count: int) -> list[int]:
    """Return the numbers of at most `FRAMES` evenly spaced frames, with the first and the last one."""
    if count <= FRAMES:
        return [*range(count)]
    return [round(i * (count - 1) / (FRAMES - 1)) for i in range(FRAMES)]


def over_frames(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the means of the metrics of single frames, and their standard deviations under `NAME_spread`.

    That of `NAME.style_2` is `NAME_spread.style_2`.
    """
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    means = {name: float(np.mean(column)) for name, column in columns.items()}
    parts = {name: name.partition(".") for name in columns}
    return means | {
        f"{base}_spread{dot}{style}": float(np.std(columns[name]))
        for name, (base, dot, style) in parts.items()
    }


def _figures(one: Series, content: Series, rate: float) -> dict[str, float]:
    own, usual = (change(each.first, [*each.last]) for each in (one, content))
    short = _mean(one.warping)
    values = {
        "warping": short,
        "warping_long": _mean(one.warping_long) if one.warping_long else short,
        "tof": _mean(one.tof),
        "flicker": flicker(one.scenes, rate) - flicker(content.scenes, rate),
        "drift_brightness": abs(own.brightness) - abs(usual.brightness),
        "drift_contrast": abs(own.contrast) - abs(usual.contrast),
        "drift_palette": own.palette - usual.palette,
    }
    return {name: values[name] for name in VIDEO_METRICS}


def _by_frame(one: Series) -> dict[str, list[float | None]]:
    brightness: list[float | None] = [float(np.mean(blocks)) for scene in one.scenes for blocks in scene]
    return {"warping": [None, *one.warping], "tof": [None, *one.tof], "brightness": brightness}


def _mean(values: Sequence[float | None]) -> float:
    """Return the mean of the values, without those that are None."""
    present = [value for value in values if value is not None]
    return math.fsum(present) / len(present)
