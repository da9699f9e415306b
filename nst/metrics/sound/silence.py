"""Noise that a result has where neither the content nor the style has any sound."""

import numpy as np
from jaxtyping import Bool, Float

from nst.metrics.sound.heard import HOP, WINDOW, Heard, hann, in_blocks

#: Level under which a frequency counts as silent, dB, 0 for white noise as loud as the sound.
SILENT = -50

#: Level that is no noise, dB: of rounding to 16 bits, in a sound at a tenth of full scale.
NONE = -80


def silent(content: Heard, style: Heard) -> Bool[np.ndarray, "t k"]:
    """Return which frequencies, 11 Hz apart, of each frame are silent in both.

    In the content itself, there and in the neighboring frames and frequencies; in the style on average over time: a
    style may sound at any time, but at its own frequencies.
    """
    bound = 10 ** (SILENT / 10)
    loudest = np.pad(_power(content), 1, mode="edge")
    for axis in (0, 1):
        loudest = np.max(np.lib.stride_tricks.sliding_window_view(loudest, 3, axis=axis), axis=-1)
    return (loudest < bound) & (np.mean(_power(style), axis=0) < bound)


def floor(x: Heard, silent: Bool[np.ndarray, "t k"]) -> float:
    """Return the mean power of x where content and style are silent, dB; 0 for white noise as loud as x.

    Not below `NONE`, which it is too where nothing is silent. Ours: sound at the frequencies of the style is what was
    asked for; noise between the harmonics and above them comes from the method.
    """
    noise = np.mean(_power(x)[silent]) if np.any(silent) else 0.0
    return float(10 * np.log10(np.maximum(noise, 10 ** (NONE / 10))))


def _power(x: Heard) -> Float[np.ndarray, "t k"]:
    """Return power by frame and frequency; 1 for white noise."""
    unit = 1 / np.sum(np.square(hann(WINDOW)))
    return in_blocks(x.x, WINDOW, HOP, lambda power: unit * power)
