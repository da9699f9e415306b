"""Estimation of the pitches in each frame, several at once, of any instrument.

The outline is that of Klapuri, Multiple fundamental frequency estimation by summing harmonic amplitudes, 2006: take the
pitch whose harmonics are strongest, remove them, repeat. Simpler here: spectral peaks are summed in bins of a semitone,
with weights that fall from each harmonic to the next (Salamon and Gómez, Melody extraction from polyphonic music
signals using pitch contour characteristics, 2012); the first harmonic must be present; and harmonics are removed
completely, so that the octave above a pitch is part of that pitch.
"""

import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from nst.metrics.audio.heard import RATE, TONAL_HOP, TONAL_WINDOW, hann, in_blocks

LOWEST, HIGHEST = 28, 96  # MIDI numbers: E1, 41 Hz, to C7, 2093 Hz
_PITCHES = HIGHEST - LOWEST + 1
_AT_ONCE = 6  # the most pitches in a frame
_AUDIBLE = 1e-4  # least power of a peak, relative to a sine as loud as the audio
_FLAT = -1.0  # greatest second difference of log power over bins: a steady sine has about −3, a click 0
_PRESENT = 0.25  # least salience of a further pitch, relative to the first of the frame
_FALL = 0.8  # ratio of the weights of consecutive harmonics
_HARMONICS = np.rint(12 * np.log2(np.arange(1, 11))).astype(int)  # semitones of ten harmonics above the first


class _Peaks(NamedTuple):
    """Spectral peaks: the frame of each, its pitch as a fractional MIDI number, and its amplitude."""

    frame: Int[np.ndarray, " p"]
    midi: Float[np.ndarray, " p"]
    amplitude: Float[np.ndarray, " p"]


def tuning(x: Float[np.ndarray, " n"]) -> float:
    """Return the offset of notes from A4 = 440 Hz, in semitones in [−½, ½]: the circular mean over spectral peaks."""

    def phasor(power: np.ndarray) -> np.ndarray:
        peaks = _peaks(power)
        return np.array([np.sum(peaks.amplitude * np.exp(2j * np.pi * peaks.midi))])

    return float(np.angle(np.sum(in_blocks(x, TONAL_WINDOW, TONAL_HOP, phasor))) / (2 * np.pi))


def pitches(x: Float[np.ndarray, " n"], tuning: float) -> Bool[np.ndarray, "u pitches"]:
    """Return whether each pitch from `LOWEST` to `HIGHEST` is present in each frame.

    Args:
      x: Samples at a root mean square of 1.
      tuning: Offset from A4 = 440 Hz in semitones, the same for all audio that is compared: with it notes lie near
        whole semitones, not between two.
    """
    return in_blocks(x, TONAL_WINDOW, TONAL_HOP, functools.partial(_present, tuning=tuning))


def _peaks(power: Float[np.ndarray, "t k"]) -> _Peaks:
    """Return the audible local maxima, interpolated between bins by a parabola through three log powers."""
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
    """Return the weight of each semitone in the salience of each pitch."""
    comb = np.zeros((_PITCHES, _PITCHES + _HARMONICS[-1]))
    for number, above in enumerate(_HARMONICS):
        comb[np.arange(_PITCHES), np.arange(_PITCHES) + above] = _FALL**number
    return comb


def _present(power: Float[np.ndarray, "t k"], tuning: float) -> Bool[np.ndarray, "t pitches"]:
    frame, midi, amplitude = _peaks(power)
    comb = _comb()
    semitone = np.rint(midi - tuning).astype(int) - LOWEST
    inside = (semitone >= 0) & (semitone < comb.shape[1])
    left = np.zeros((len(power), comb.shape[1]))
    np.maximum.at(left, (frame[inside], semitone[inside]), amplitude[inside])

    present = np.zeros((len(power), _PITCHES), bool)
    first = np.max(_salience(left), axis=1)
    for _ in range(_AT_ONCE):
        salience = _salience(left)
        best = np.argmax(salience, axis=1)
        (frames,) = np.nonzero((first > 0) & (np.max(salience, axis=1) >= _PRESENT * first))
        present[frames, best[frames]] = True
        left[frames] *= comb[best[frames]] == 0
    return present


def _salience(amplitudes: Float[np.ndarray, "t semitones"]) -> Float[np.ndarray, "t pitches"]:
    """Return the salience of pitches, 0 without a first harmonic: a chord of sines is not its root octaves below."""
    return (amplitudes @ _comb().T) * (amplitudes[:, :_PITCHES] > 0)
