"""A melody on a plucked string, by the algorithm of Karplus and Strong.

Karplus and Strong, Digital Synthesis of Plucked-String and Drum Timbres, Computer Music Journal 7(2), 1983, tuned as
in Jaffe and Smith, Extensions of the Karplus-Strong Plucked-String Algorithm, in the same issue.
"""

from typing import NamedTuple

import numpy as np

from nst.audio.pieces.mix import RATE, add, finished, hertz, resonant, silence
from nst.types import Audio

_SEED = 1983
_EIGHTH = 0.23  # s
_PICK = 0.17  # the place where the string is plucked, in units of its length
_DECAY = 3.0  # s in which the fundamental decays by 60 dB
_LEAD = 0.05  # s of silence before the first note
_RING = 0.12  # s by which a note overlaps the next one
#: Air and top of a guitar's body: Hz, quality, gain.
_BODY = ((105.0, 6.0, 0.5), (205.0, 8.0, 0.7), (390.0, 6.0, 0.5), (2600.0, 1.0, 0.4))


class Note(NamedTuple):
    """A note of the score: MIDI key, length in eighths, loudness in (0, 1]."""

    key: int
    eighths: int
    loudness: float


#: In D, four bars of eight eighths; the third begins with B minor.
SCORE: tuple[Note, ...] = tuple(
    Note(*note)
    for note in (
        *((62, 2, 0.9), (66, 1, 0.6), (69, 1, 0.7), (74, 2, 1.0), (73, 1, 0.6), (69, 1, 0.6)),
        *((71, 2, 0.9), (67, 1, 0.6), (69, 1, 0.7), (66, 2, 0.8), (64, 2, 0.6)),
        *((59, 1, 0.7), (62, 1, 0.6), (66, 1, 0.7), (71, 1, 0.8), (76, 2, 1.0), (74, 1, 0.7), (71, 1, 0.6)),
        *((73, 1, 0.8), (69, 1, 0.6), (64, 1, 0.6), (67, 1, 0.7), (62, 4, 0.9)),
    )
)


def make() -> Audio:
    """Return the piece: mono, about 8 s."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    track = silence(_LEAD + sum(note.eighths for note in SCORE) * _EIGHTH + 0.5)
    for note, start in zip(SCORE, starts(), strict=True):
        seconds = note.eighths * _EIGHTH + _RING
        add(track, pluck(hertz(note.key), seconds, note.loudness, rng), start)
    return finished(resonant(track[:, 0], _BODY, direct=1.0)[:, None])


def starts() -> list[float]:
    """Return the start of each note of the score, s."""
    return [_LEAD + sum(note.eighths for note in SCORE[:i]) * _EIGHTH for i in range(len(SCORE))]


def pluck(frequency: float, seconds: float, loudness: float, rng: np.random.Generator) -> np.ndarray:
    """Return a plucked string `[n]`: a burst of noise in a loop that dampens it in every period, high overtones most.

    y[n] = ρ Σₖ h[k] y[n-m-k]: h is the mean of two neighbors, a delay of half a sample, followed by Lagrange's cubic, a
    delay of 1 to 2 samples. So the loop is as long as the period and the note is in tune. The sum reads samples that
    are at least m old, so m samples are computed at once.
    """
    period = RATE / frequency
    m = int(period - 1.5)
    h = np.convolve([0.5, 0.5], _lagrange(period - 0.5 - m)) * 10 ** (-3 * period / (_DECAY * RATE))
    n, before = round(seconds * RATE), m + len(h) - 1
    y = np.zeros(before + n + m)
    y[:before] = _burst(before, loudness, rng)
    for start in range(before, before + n, m):
        y[start : start + m] = np.convolve(y[start - before : start], h, "valid")
    return y[before:][:n] * _released(n)


def _burst(count: int, loudness: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise with the overtones of a string plucked at `_PICK`; a loud pluck has stronger high overtones."""
    k = np.arange(count // 2 + 1)
    strength = np.sin(np.pi * _PICK * k) / np.maximum(k, 1) ** (2.0 - loudness)
    burst = np.fft.irfft(strength * np.exp(2j * np.pi * rng.random(len(k))), count)
    return burst * loudness / np.sqrt(np.mean(burst**2))


def _lagrange(delay: float) -> np.ndarray:
    """Return four filter taps that delay by 1 to 2 samples (Laakso and others, Splitting the Unit Delay, 1996)."""
    k = np.arange(4)
    return np.array([np.prod([(delay - j) / (i - j) for j in k if j != i]) for i in k])


def _released(count: int) -> np.ndarray:
    """Return an envelope that is 1 and then falls to 0 over the overlap with the next note."""
    last = round(_RING * RATE)
    return np.concatenate([np.ones(count - last), np.cos(np.linspace(0, np.pi / 2, last)) ** 2])
