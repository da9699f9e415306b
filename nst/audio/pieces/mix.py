"""Tools shared by the pieces: frequencies, envelopes, resonances, mixing of notes."""

from collections.abc import Sequence

import numpy as np

from nst.types import Audio

RATE = 44_100  # Hz
_LEVEL = 10 ** (-18 / 20)  # root mean square of a piece, of full scale
_FADE_SECONDS = 0.3


def hertz(key: int) -> float:
    """Return the frequency of a MIDI key in equal temperament: 69 is A at 440 Hz, 60 is middle C."""
    return 440 * 2 ** ((key - 69) / 12)


def times(seconds: float) -> np.ndarray:
    """Return the time of each sample, s."""
    return np.arange(round(seconds * RATE)) / RATE


def silence(seconds: float, channels: int = 1) -> np.ndarray:
    """Return an empty track `[n, channels]` to add notes to."""
    return np.zeros((round(seconds * RATE), channels))


def add(track: np.ndarray, note: np.ndarray, start: float, gains: Sequence[float] = (1.0,)) -> None:
    """Add a note `[n]` to a track at `start`, s, with a gain for each channel; it is cut at the end of the track."""
    part = track[round(start * RATE) :][: len(note)]
    part += note[: len(part), None] * np.asarray(gains)


def panned(position: float) -> tuple[float, float]:
    """Return the gains of left and right, of constant total power, for a position from -1 (left) to 1 (right)."""
    angle = (position + 1) * np.pi / 4
    return float(np.cos(angle)), float(np.sin(angle))


def swell(seconds: float, attack: float, release: float) -> np.ndarray:
    """Return an envelope that rises to 1 and falls by half a cosine each."""
    t = times(seconds)
    rising, falling = np.clip(t / attack, 0, 1), np.clip((seconds - t) / release, 0, 1)
    return (1 - np.cos(np.pi * rising)) * (1 - np.cos(np.pi * falling)) / 4


def grid(count: int) -> np.ndarray:
    """Return the frequencies, Hz, of an FFT that filters `count` samples, with room for a quarter second of ringing."""
    size = 2 ** int(np.ceil(np.log2(count + RATE // 4)))
    return np.fft.rfftfreq(size, 1 / RATE)


def filtered(samples: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Filter samples `[n]` by a complex gain at the frequencies of `grid(n)`."""
    size = 2 * (len(gain) - 1)
    return np.fft.irfft(np.fft.rfft(samples, size) * gain, size)[: len(samples)]


def resonant(samples: np.ndarray, modes: Sequence[tuple[float, float, float]], direct: float) -> np.ndarray:
    """Add samples `[n]`, scaled, and the response of second-order resonators to them.

    Args:
      samples: The signal that drives the resonators.
      modes: Center in Hz, quality (center / width) and gain at the center of each resonator.
      direct: Gain of the samples themselves.
    """
    f = grid(len(samples))
    gain = np.full(len(f), direct, complex)
    for center, quality, strength in modes:
        gain += strength * f * center / (f * center + 1j * quality * (f**2 - center**2))
    return filtered(samples, gain)


def finished(track: np.ndarray) -> Audio:
    """Return a track as audio: its end faded out, at the common level of all pieces."""
    fade = np.ones(len(track))
    count = round(_FADE_SECONDS * RATE)
    fade[-count:] = (1 + np.cos(np.linspace(0, np.pi, count))) / 2
    track = track * fade[:, None]
    track *= _LEVEL / np.sqrt(np.mean(np.square(track)))
    return Audio(track.astype(np.float32), RATE)
