"""Slow chords of bowed strings: sawtooth waves with vibrato and a little noise, through the resonances of a body."""

import numpy as np

from nst.audio.pieces.mix import RATE, add, finished, hertz, resonant, silence, swell, times
from nst.types import Audio

_SEED = 1677
#: Start of each chord, s, its duration, s, and its MIDI keys, from D minor to the half cadence.
_CHORDS = (
    (0.0, 2.2, (38, 50, 57, 65)),
    (2.0, 2.2, (46, 53, 62, 65)),
    (4.0, 2.2, (43, 55, 58, 67)),
    (6.0, 2.3, (45, 57, 61, 64)),
)
_VIBRATO = 5.4, 16.0  # Hz, cents
_TREMOLO = 3.0, 0.35  # Hz, depth
_HIGHEST = 14_000  # Hz, limit of the overtones
_NOISE = 0.05
_TABLE = 2**13
#: Air, body and bridge: Hz, quality, gain.
_BODY = (
    (110.0, 5.0, 0.6),
    (225.0, 8.0, 0.8),
    (440.0, 8.0, 0.9),
    (560.0, 8.0, 0.7),
    (1100.0, 3.0, 0.4),
    (2500.0, 1.5, 0.9),
)


def make() -> Audio:
    """Return the piece: mono, about 9 s."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    track = silence(_CHORDS[-1][0] + _CHORDS[-1][1] + 0.3)
    for start, seconds, keys in _CHORDS:
        for key in keys:
            add(track, _note(hertz(key), seconds, rng), start)
    return finished(resonant(track[:, 0], _BODY, direct=0.15)[:, None])


def _note(frequency: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return one string `[n]`, with a vibrato that sets in late and random bowing."""
    t = times(seconds)
    phase, attack = rng.random(), rng.uniform(0.18, 0.3)
    rate, cents = _VIBRATO[0] * rng.uniform(0.92, 1.08), _VIBRATO[1] * np.clip(t / 0.8, 0, 1)
    bent = frequency * 2 ** (cents / 1200 * np.sin(2 * np.pi * (rate * t + phase)))
    wave = np.interp(np.cumsum(bent) / RATE % 1, np.arange(_TABLE + 1) / _TABLE, _sawtooth(frequency))
    trembling = 1 - _TREMOLO[1] * (0.5 + 0.5 * np.sin(2 * np.pi * _TREMOLO[0] * t))
    bow = 1 + _NOISE * rng.standard_normal(len(t))
    return wave * bow * trembling * swell(seconds, attack, 0.45)


def _sawtooth(frequency: float) -> np.ndarray:
    """Return one period of a band-limited sawtooth, with its first value repeated at the end."""
    harmonics = np.arange(1, int(_HIGHEST / frequency) + 1)
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    spectrum[harmonics] = -0.5j * _TABLE / harmonics
    period = np.fft.irfft(spectrum, _TABLE)
    return np.append(period, period[0])
