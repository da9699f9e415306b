"""Sounds as they are optimised: rows of one length, mid and side, of one loudness."""

from typing import NamedTuple

import numpy as np

from nst.audio.spectrogram import Samples

#: The root mean square that both sounds are brought to, so that a faint one counts as much as a loud one.
LEVEL = 0.1


class Rows(NamedTuple):
    """A sound as it is optimised: `[channels, samples]`, its one channel or mid and side, and what scaled it."""

    samples: Samples
    gain: float


def rows(samples: np.ndarray) -> Rows:
    """Left and right as half their sum and half their difference, at `LEVEL`; silence stays what it is.

    Args:
      samples: `[samples, channels]`, one channel or two.
    """
    x = np.asarray(samples, np.float32).T
    if len(x) == 2:
        x = np.stack([x[0] + x[1], x[0] - x[1]]) / 2
    # Mid and side keep their proportion; a constant is no sound.
    level = float(np.sqrt(np.mean((x - x.mean(axis=1, keepdims=True)) ** 2) * len(x)))
    gain = LEVEL / level if level > 1e-6 else 1.0
    return Rows(np.ascontiguousarray(x * np.float32(gain)), gain)


def columns(x: Samples, gain: float) -> np.ndarray:
    """`[samples, channels]` as it sounds, the reverse of `rows`."""
    y = np.asarray(x, np.float32)
    if len(y) == 2:
        y = np.stack([y[0] + y[1], y[0] - y[1]])
    return np.ascontiguousarray(y.T / np.float32(gain))


def lengthened(x: Samples, samples: int) -> np.ndarray:
    """A sound over and over until it has so many samples; at least as long ones as they are."""
    return np.tile(x, (1, max(1, -(-samples // x.shape[1]))))[:, : max(samples, x.shape[1])]


def cut(x: Samples, channels: int, samples: int) -> np.ndarray:
    """A sound with the channels and the length of another: repeated or cut, its side left out or silent."""
    x = lengthened(x, samples)[:channels, :samples]
    return np.concatenate([x, np.zeros((channels - len(x), samples), np.float32)])


def noise(seed: int, channels: int, samples: int) -> np.ndarray:
    """White noise at `LEVEL`."""
    drawn = np.random.default_rng(seed).standard_normal((channels, samples), np.float32)
    return drawn * np.float32(LEVEL / channels**0.5)
