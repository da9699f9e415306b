"""Conversion of audio to and from the form that is optimized: channels first, mid and side, at one loudness."""

from typing import NamedTuple

import numpy as np

from nst.transfer.audio.spectrogram import Samples
from nst.types import Array

#: The level that content and style are scaled to, so that faint audio counts as much as loud audio. A level is the root
#: of the mean square of samples, summed over the channels.
LEVEL = 0.1


class Rows(NamedTuple):
    """Audio as it is optimized: `[channels, samples]`, mono or mid and side, and the factor that scaled it."""

    samples: Samples
    gain: float


def rows(samples: Array) -> Rows:
    """Return audio scaled to `LEVEL`, with left and right converted to mid and side; silence is not scaled.

    Mid is half the sum of left and right, and side half their difference.

    Args:
      samples: `[samples, channels]`, one channel or two.
    """
    x = np.asarray(samples, np.float32).T
    if len(x) == 2:
        x = np.stack([x[0] + x[1], x[0] - x[1]]) / 2
    # Both channels have one gain, so that mid and side keep their proportion. The mean is left out of the level, as a
    # constant is inaudible.
    level = float(np.sqrt(np.mean((x - x.mean(axis=1, keepdims=True)) ** 2) * len(x)))
    gain = LEVEL / level if level > 1e-6 else 1.0
    return Rows(np.ascontiguousarray(x * np.float32(gain)), gain)


def columns(x: Samples, gain: float) -> np.ndarray:
    """Return audio `[samples, channels]`, left and right, at its original level: the inverse of `rows`."""
    y = np.asarray(x, np.float32)
    if len(y) == 2:
        y = np.stack([y[0] + y[1], y[0] - y[1]])
    return np.ascontiguousarray(y.T / np.float32(gain))


def lengthened(x: Samples, samples: int) -> np.ndarray:
    """Repeat audio `[channels, samples]` to a length of `samples`; longer audio is returned as it is."""
    return np.tile(x, (1, max(1, -(-samples // x.shape[1]))))[:, : max(samples, x.shape[1])]


def cut(x: Samples, channels: int, samples: int) -> np.ndarray:
    """Return audio as `[channels, samples]`: repeat or cut it, and drop its side channel or add a silent one."""
    x = lengthened(x, samples)[:channels, :samples]
    return np.concatenate([x, np.zeros((channels - len(x), samples), np.float32)])


def noise(seed: int, channels: int, samples: int) -> np.ndarray:
    """Return white noise `[channels, samples]` at `LEVEL`."""
    standard = np.random.default_rng(seed).standard_normal((channels, samples), np.float32)
    return standard * np.float32(LEVEL / channels**0.5)
