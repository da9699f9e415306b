"""The pitches that sound in each frame, several at once, whatever instrument plays them.

Klapuri, Multiple fundamental frequency estimation by summing harmonic amplitudes, 2006, in its plan: the pitch whose
harmonics are strongest is taken, they are removed, and so on. Simpler here: what is summed are spectral peaks in bins
of a semitone, with weights that fall from each harmonic to the next (Salamon and Gómez, Melody extraction from
polyphonic music signals using pitch contour characteristics, 2012); the first harmonic has to be there; and what is
taken is removed whole, so that an octave above a pitch is part of that pitch.
"""

import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from nst.metrics.sound.heard import RATE, TONAL_HOP, TONAL_WINDOW, hann, in_blocks

LOWEST, HIGHEST = 28, 96  # MIDI numbers: E1, 41 Hz, to C7, 2093 Hz
_PITCHES = HIGHEST - LOWEST + 1
_AT_ONCE = 6
_AUDIBLE = 1e-4  # of the power of a sine as loud as the sound: peaks below it are none
_FLAT = -1.0  # second difference of log power over bins: that of a steady sine is near −3, that of a click 0
_PRESENT = 0.25  # of the salience of a frame's first pitch: what is left below it is no pitch
_FALL = 0.8  # from the weight of one harmonic to the next
_HARMONICS = np.rint(12 * np.log2(np.arange(1, 11))).astype(int)  # semitones above the first of ten


class _Peaks(NamedTuple):
    frame: Int[np.ndarray, " p"]
    midi: Float[np.ndarray, " p"]
    amplitude: Float[np.ndarray, " p"]


def tuning(x: Float[np.ndarray, " n"]) -> float:
    """Where notes lie between those of A4 = 440 Hz, semitones in [−½, ½]: the circular mean over spectral peaks."""

    def turned(power: np.ndarray) -> np.ndarray:
        peaks = _peaks(power)
        return np.array([np.sum(peaks.amplitude * np.exp(2j * np.pi * peaks.midi))])

    return float(np.angle(np.sum(in_blocks(x, TONAL_WINDOW, TONAL_HOP, turned))) / (2 * np.pi))


def pitches(x: Float[np.ndarray, " n"], tuning: float) -> Bool[np.ndarray, "u pitches"]:
    """Which of `LOWEST` to `HIGHEST` sound in each frame.

    Args:
      x: At a root mean square of 1.
      tuning: In semitones; the same one for sounds that are compared, so that no note lies between two.
    """
    return in_blocks(x, TONAL_WINDOW, TONAL_HOP, functools.partial(_sounding, tuning=tuning))


def _peaks(power: Float[np.ndarray, "t k"]) -> _Peaks:
    """The local maxima that are audible, between bins by a parabola through the logarithms of three."""
    audible = _AUDIBLE * np.square(np.sum(hann(TONAL_WINDOW))) / 2
    before, here, after = power[:, :-2], power[:, 1:-1], power[:, 2:]
    frame, k = np.nonzero((here > before) & (here >= after) & (here > audible))
    a, b, c = (np.log(np.maximum(each[frame, k], 1e-300)) for each in (before, here, after))
    curvature = a - 2 * b + c
    steep = curvature < _FLAT
    a, b, c, frame, k, curvature = (each[steep] for each in (a, b, c, frame, k, curvature))
    f = (k + 1 + (a - c) / (2 * curvature)) * RATE / TONAL_WINDOW
    return _Peaks(frame, 69 + 12 * np.log2(f / 440), np.exp(b / 2))


@functools.cache
def _comb() -> Float[np.ndarray, "pitches semitones"]:
    """The weight of each semitone in each pitch."""
    comb = np.zeros((_PITCHES, _PITCHES + _HARMONICS[-1]))
    for number, above in enumerate(_HARMONICS):
        comb[np.arange(_PITCHES), np.arange(_PITCHES) + above] = _FALL**number
    return comb


def _sounding(power: Float[np.ndarray, "t k"], tuning: float) -> Bool[np.ndarray, "t pitches"]:
    frame, midi, amplitude = _peaks(power)
    comb = _comb()
    semitone = np.rint(midi - tuning).astype(int) - LOWEST
    inside = (semitone >= 0) & (semitone < comb.shape[1])
    left = np.zeros((len(power), comb.shape[1]))
    np.maximum.at(left, (frame[inside], semitone[inside]), amplitude[inside])

    found = np.zeros((len(power), _PITCHES), bool)
    first = np.max(_salience(left), axis=1)
    for _ in range(_AT_ONCE):
        salience = _salience(left)
        best = np.argmax(salience, axis=1)
        (sounds,) = np.nonzero((first > 0) & (np.max(salience, axis=1) >= _PRESENT * first))
        found[sounds, best[sounds]] = True
        left[sounds] *= comb[best[sounds]] == 0
    return found


def _salience(amplitudes: Float[np.ndarray, "t semitones"]) -> Float[np.ndarray, "t pitches"]:
    """Of pitches whose first harmonic is there: a chord of pure tones would else be its root, octaves below."""
    return (amplitudes @ _comb().T) * (amplitudes[:, :_PITCHES] > 0)
