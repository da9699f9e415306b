"""Metrics of brightness and color over time: flicker, and drift from the beginning of a clip to its end."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from nst.metrics import paint
from nst.metrics.content import LUMINANCE

#: Rows and columns of the blocks whose brightness is compared.
GRID = 8

#: The lowest frequency that counts as flicker, Hz: slower changes look like motion.
FASTEST = 5

#: Frames of the first and of the last part of a clip that are compared for drift.
PART = 10

_SHORTEST = 4  # frames of a scene that has a spectrum
_SIDE = 64  # longest side of the frames whose colors are compared, in pixels

Frame = UInt8[np.ndarray, "h w 3"]


def blocks(frame: Frame) -> Float[np.ndarray, " blocks"]:
    """Return the mean brightness (luma in [0, 1]) of the blocks of a frame."""
    rows, columns = (np.linspace(0, side, min(GRID, side) + 1).astype(int) for side in frame.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(frame @ LUMINANCE, rows[:-1], axis=0), columns[:-1], axis=1)
    return (sums / np.outer(np.diff(rows), np.diff(columns)) / 255).ravel()


def flicker(scenes: Sequence[Sequence[np.ndarray]], rate: float) -> float:
    """Return the root of the mean power of brightness at `FASTEST` Hz and more.

    The spectrum is Welch's: periodograms of a second, overlapping by half, with Hann's window, without the linear
    trend. A sinusoid of amplitude A has A / √2. Scenes count by their frames; those of less than 4 frames do not.

    Args:
      scenes: The `blocks` of each frame of each scene.
      rate: Frames per second. Below 10 no frequency is high enough, and the result is 0.
    """
    import scipy.signal  # half a second to import

    power, frames = 0.0, 0
    for scene in (np.stack(scene) for scene in scenes if len(scene) >= _SHORTEST):
        length = min(len(scene), max(_SHORTEST, round(rate)))
        frequencies, density = scipy.signal.welch(
            scene, rate, nperseg=length, noverlap=length // 2, detrend="linear", axis=0
        )
        fast = density[frequencies >= FASTEST]
        power += len(scene) * float(np.mean(np.sum(fast, axis=0))) * rate / length
        frames += len(scene)
    return math.sqrt(power / frames) if frames else 0.0


class Change(NamedTuple):
    """The change of a clip from its first part to its last."""

    brightness: float  # of mean L*
    contrast: float  # of the standard deviation of L*
    palette: float  # distance of colors, ΔE*ab


def change(first: Sequence[Frame], last: Sequence[Frame]) -> Change:
    """Return the change from some frames to others. Every n-th pixel is enough for means over so many."""
    before, after = (np.concatenate([_reduced(frame) for frame in part]) for part in (first, last))
    (mean, deviation), (last_mean, last_deviation) = (_lightness(pixels) for pixels in (before, after))
    return Change(last_mean - mean, last_deviation - deviation, paint.palette(after, before))


def _reduced(frame: Frame) -> Float[np.ndarray, "_ _ 3"]:
    every = -(-max(frame.shape) // _SIDE)
    return frame[::every, ::every].astype(np.float32) / 255


def _lightness(pixels: Float[np.ndarray, "h w 3"]) -> tuple[float, float]:
    from skimage.color import rgb2lab  # half a second to import

    lightness = rgb2lab(pixels.astype(np.float64))[..., 0]
    return float(np.mean(lightness)), float(np.std(lightness))
