"""Audio as the metrics compare it: mono, at one loudness, in frames of mel bands and of pitch classes.

Channels are averaged, the mean is subtracted and the root mean square scaled to 1, so that no metric depends on the
level of a recording. Frames lie entirely within the audio.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nst.audio import mel

RATE = 22050  # Hz, of all metrics
BANDS = 128
FLOOR = -60  # dB, relative to a band of white noise as loud as the audio; noise of 16 bits is lower
CONTEXT = 7  # consecutive frames that are compared together, 0.23 s from end to end

WINDOW, HOP = 2048, 512  # 93 and 23 ms
TONAL_WINDOW, TONAL_HOP = 4096, 1024  # 186 and 46 ms: long enough to separate the harmonics of a bass

#: The fewest samples that have all metrics.
SHORTEST = WINDOW + (CONTEXT - 1) * HOP

# Up to this root mean square, a third of a step of 16 bits, audio is silent: rounding errors are not scaled up.
_SILENCE = 1e-5
_BLOCK = 512  # frames in memory at once


@dataclass(frozen=True)
class Heard:
    """Mono audio at the common loudness, with cached features."""

    x: Float[np.ndarray, " n"]

    @functools.cached_property
    def mel(self) -> Float[np.ndarray, "t bands"]:
        """Level of each mel band, dB; 0 for white noise, not below `FLOOR`."""
        unit = RATE / WINDOW / np.sum(np.square(hann(WINDOW)))
        bank = unit * mel_bank()
        return in_blocks(self.x, WINDOW, HOP, lambda power: _decibels(power @ bank.T))

    @functools.cached_property
    def envelope(self) -> Float[np.ndarray, " t"]:
        """Root mean square of each frame, weighted by the window; the frames are those of `mel`."""
        frames = np.lib.stride_tricks.sliding_window_view(np.square(self.x), WINDOW)[::HOP]
        weight = np.square(hann(WINDOW))
        return np.sqrt(frames @ (weight / np.sum(weight)))

    @functools.cached_property
    def chroma(self) -> Float[np.ndarray, "u 12"]:
        """Power of each pitch class, C first, in longer frames."""
        bank = chroma_bank()
        return in_blocks(self.x, TONAL_WINDOW, TONAL_HOP, lambda power: power @ bank.T)

    @functools.cached_property
    def covariance(self) -> Float[np.ndarray, "d d"]:
        """Covariance of the levels of all bands in `CONTEXT` consecutive frames, dB²."""
        levels = np.lib.stride_tricks.sliding_window_view(self.mel, CONTEXT, axis=0).reshape(
            -1, BANDS * CONTEXT
        )
        centered = levels - np.mean(levels, axis=0)
        return centered.T @ centered / len(centered)

    @functools.cached_property
    def cepstrum(self) -> Float[np.ndarray, " 12"]:
        """Mel-frequency cepstral coefficients 1 to 12, means over time: the orthonormal DCT-II of levels.

        Davis and Mermelstein, 1980. Coefficient 0, the loudness, is left out.
        """
        k, n = np.arange(1, 13), np.arange(BANDS)
        dct = np.sqrt(2 / BANDS) * np.cos(np.pi / BANDS * np.outer(k, n + 0.5))
        return dct @ np.mean(self.mel - FLOOR, axis=0)  # silence is 0 without rounding


def hear(samples: Float[np.ndarray, "n channels"]) -> Heard:
    """Return the average of the channels, with mean 0 and a root mean square of 1; silence becomes zeros."""
    x = np.mean(samples, axis=1, dtype=np.float64)
    x = x - np.mean(x)
    loudness = np.sqrt(np.mean(np.square(x)))
    return Heard(x / loudness if loudness > _SILENCE else np.zeros_like(x))


def in_blocks(
    x: Float[np.ndarray, " n"], window: int, hop: int, reduce: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Apply `reduce` to power spectra `[t, window / 2 + 1]`, in blocks of frames, and concatenate its results.

    The spectra of long audio are never all in memory.
    """
    frames = np.lib.stride_tricks.sliding_window_view(x, window)[::hop]
    blocks = (frames[start : start + _BLOCK] for start in range(0, len(frames), _BLOCK))
    return np.concatenate([reduce(np.square(np.abs(np.fft.rfft(block * hann(window))))) for block in blocks])


@functools.cache
def hann(window: int) -> Float[np.ndarray, " window"]:
    """Return a periodic Hann window, for transforms."""
    return np.hanning(window + 1)[:-1]


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR / 10)))


@functools.cache
def mel_bank() -> Float[np.ndarray, "bands k"]:
    """Return triangular filters of area 1, evenly spaced on Slaney's mel scale from 0 Hz to half the rate."""
    edges = mel.edges(RATE, BANDS)
    return mel.filters(RATE, WINDOW // 2 + 1, BANDS).T * 2 / (edges[2:] - edges[:-2])[:, None]


@functools.cache
def chroma_bank() -> Float[np.ndarray, "12 k"]:
    """Return weights from bins to pitch classes, C first: Gaussians around semitones, largest in the octaves near C5.

    Ellis, Chroma feature analysis and synthesis, 2007, with librosa's default settings.
    """
    f = np.fft.rfftfreq(TONAL_WINDOW, 1 / RATE)[1:]  # 0 Hz has no pitch
    semitones = 12 * np.log2(f / (440 / 16))
    width = np.maximum(np.append(np.diff(semitones), 1), 1)
    apart = (semitones - np.arange(12)[:, None] + 6) % 12 - 6
    bank = np.exp(-2 * np.square(apart / width))
    bank *= np.exp(-0.5 * np.square((semitones / 12 - 5) / 2)) / np.linalg.norm(bank, axis=0)
    return np.pad(np.roll(bank, -3, axis=0), ((0, 0), (1, 0)))  # the first class becomes C instead of A
