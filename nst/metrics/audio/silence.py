"""Noise of a result where both the content and the style are silent."""

import numpy as np
from jaxtyping import Bool, Float

from nst.metrics.audio.heard import HOP, WINDOW, Heard, hann, in_blocks

#: Level under which a frequency counts as silent, dB; 0 is white noise as loud as the audio.
SILENT = -50

#: Level that counts as no noise, dB: that of rounding to 16 bits, for audio at a tenth of full scale.
NONE = -80


def silent(content: Heard, style: Heard) -> Bool[np.ndarray, "t k"]:
    """Return whether each frequency, 11 Hz apart, of each frame is silent in both.

    The content must be silent at this and the neighboring frames and frequencies. The style must be silent at this
    frequency on average over time: stylization may use its frequencies at any time.
    """
    bound = 10 ** (SILENT / 10)
    loudest = np.pad(_power(content), 1, mode="edge")
    for axis in (0, 1):
        loudest = np.max(np.lib.stride_tricks.sliding_window_view(loudest, 3, axis=axis), axis=-1)
    return (loudest < bound) & (np.mean(_power(style), axis=0) < bound)


def floor(x: Heard, silent: Bool[np.ndarray, "t k"]) -> float:
    """Return the mean power of x where content and style are silent, dB; 0 for white noise as loud as x.

    The least value is `NONE`, also if nothing is silent. Ours: power at the frequencies of the style is intended, noise
    between the harmonics and above them comes from the method.
    """
    noise = np.mean(_power(x)[silent]) if np.any(silent) else 0.0
    return float(10 * np.log10(np.maximum(noise, 10 ** (NONE / 10))))


def _power(x: Heard) -> Float[np.ndarray, "t k"]:
    """Return the power by frame and frequency; 1 for white noise."""
    unit = 1 / np.sum(np.square(hann(WINDOW)))
    return in_blocks(x.x, WINDOW, HOP, lambda power: unit * power)
