"""What the pieces share: keys, envelopes, resonances, and putting notes together."""

from collections.abc import Sequence

import numpy as np

from nst.sounds.sound import Sound

RATE = 44_100  # Hz
_LEVEL = 10 ** (-18 / 20)  # root mean square of a piece, of full scale
_FADE_SECONDS = 0.3


def hertz(key: int) -> float:
    """The frequency of a MIDI key in equal temperament: 69 is A at 440 Hz, 60 the middle C."""
    return 440 * 2 ** ((key - 69) / 12)


def times(seconds: float) -> np.ndarray:
    """The time of each sample, s."""
    return np.arange(round(seconds * RATE)) / RATE


def silence(seconds: float, channels: int = 1) -> np.ndarray:
    """Samples `[n, channels]` to add notes to."""
    return np.zeros((round(seconds * RATE), channels))


def add(track: np.ndarray, note: np.ndarray, start: float, gains: Sequence[float] = (1.0,)) -> None:
    """Add a note `[n]` to a track from `start`, s, on, with a gain for each channel; what is beyond its end is lost."""
    place = track[round(start * RATE) :][: len(note)]
    place += note[: len(place), None] * np.asarray(gains)


def panned(position: float) -> tuple[float, float]:
    """Gains of left and right, of the same power everywhere: -1 is left, 1 is right."""
    angle = (position + 1) * np.pi / 4
    return float(np.cos(angle)), float(np.sin(angle))


def swell(seconds: float, attack: float, release: float) -> np.ndarray:
    """An envelope that rises and falls by half a cosine, with 1 between."""
    t = times(seconds)
    rising, falling = np.clip(t / attack, 0, 1), np.clip((seconds - t) / release, 0, 1)
    return (1 - np.cos(np.pi * rising)) * (1 - np.cos(np.pi * falling)) / 4


def grid(count: int) -> np.ndarray:
    """Frequencies, Hz, on which `count` samples and what rings after them are filtered by fast FFTs."""
    size = 2 ** int(np.ceil(np.log2(count + RATE // 4)))
    return np.fft.rfftfreq(size, 1 / RATE)


def filtered(samples: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Samples `[n]` through a filter: its complex gain at the frequencies of `grid(n)`."""
    size = 2 * (len(gain) - 1)
    return np.fft.irfft(np.fft.rfft(samples, size) * gain, size)[: len(samples)]


def resonant(samples: np.ndarray, modes: Sequence[tuple[float, float, float]], direct: float) -> np.ndarray:
    """Samples `[n]` as they are, times `direct`, and through resonators of second order.

    Args:
      samples: What drives them.
      modes: Of each resonator the centre in Hz, its quality, which is centre / width, and its gain at the centre.
      direct: A gain.
    """
    f = grid(len(samples))
    gain = np.full(len(f), direct, complex)
    for centre, quality, strength in modes:
        gain += strength * f * centre / (f * centre + 1j * quality * (f**2 - centre**2))
    return filtered(samples, gain)


def finished(track: np.ndarray) -> Sound:
    """A track with its end faded out, at the level that all pieces have."""
    fade = np.ones(len(track))
    count = round(_FADE_SECONDS * RATE)
    fade[-count:] = (1 + np.cos(np.linspace(0, np.pi, count))) / 2
    track = track * fade[:, None]
    track *= _LEVEL / np.sqrt(np.mean(np.square(track)))
    return Sound(track.astype(np.float32), RATE)
