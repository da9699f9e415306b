"""Interlocking bells over a gong, in stereo, by the partials of Risset's bell.

Risset, An Introductory Catalogue of Computer Synthesized Sounds, Bell Laboratories, 1969, number 430. Two players share
a fast figure, each playing where the other rests, and a gong marks the rounds, as in a gamelan. The bells of the second
player are a little sharp.
"""

import functools

import numpy as np

from nst.audio.pieces.mix import RATE, add, finished, panned, silence, times
from nst.types import Audio

#: Ratio to the frequency, offset in Hz, strength, and decay time relative to the longest.
_PARTIALS = (
    *((0.56, 0.0, 1.0, 1.0), (0.56, 1.0, 0.67, 0.9), (0.92, 0.0, 1.0, 0.65), (0.92, 1.7, 1.8, 0.55)),
    *((1.19, 0.0, 2.67, 0.325), (1.7, 0.0, 1.67, 0.35), (2.0, 0.0, 1.46, 0.25), (2.74, 0.0, 1.33, 0.2)),
    *((3.0, 0.0, 1.33, 0.15), (3.76, 0.0, 1.0, 0.1), (4.07, 0.0, 1.33, 0.075)),
)
_ATTACK = 0.004  # s

_PULSE = 0.115  # s
_ROUND = 16  # pulses
_ROUNDS = 4
#: Five tones to the octave at nearly equal steps, cents above 415 Hz.
_SCALE = (0, 231, 474, 717, 955, 1200, 1431)
#: Steps of the scale at each pulse: the two players, with rests where the other one plays.
_LEFT = ((3, None, 5, 3, None, 2, None, 3), (None, 1, None, 2, 3, None, 1, None))
_RIGHT = ((None, 4, None, None, 6, None, 4, None), (5, None, 4, None, None, 6, None, 4))
_GONGS = {0: (0, 0.5), 8: (2, 0.3)}  # by pulse: step of the scale two octaves below, loudness


def make() -> Audio:
    """Return the piece: stereo, about 9 s."""
    bell, track = functools.cache(_bell), silence(_ROUND * _ROUNDS * _PULSE + 1.6, channels=2)

    def strike(pulse: int, frequency: float, seconds: float, loudness: float, position: float) -> None:
        gains = [loudness * gain for gain in panned(position)]
        add(track, bell(frequency, seconds), pulse * _PULSE, gains)

    for pulse in range(_ROUND * _ROUNDS):
        turn, place = divmod(pulse, _ROUND)
        accent = 0.9 if place % 4 == 0 else 0.65 + 0.1 * (turn % 2)
        for figure, position, sharp in ((_LEFT, -0.7, 1.0), (_RIGHT, 0.7, 1.011)):
            step = figure[place // 8][place % 8]
            if step is not None:
                strike(pulse, _hertz(step) * sharp, 1.8, accent, position)
        if place in _GONGS:
            step, loudness = _GONGS[place]
            strike(pulse, _hertz(step) / 4, 3.5, loudness, 0.0)
    strike(_ROUND * _ROUNDS, _hertz(0) / 4, 3.5, 0.5, 0.0)
    return finished(track)


def _hertz(step: int) -> float:
    return 415 * 2 ** (_SCALE[step] / 1200)


def _bell(frequency: float, seconds: float) -> np.ndarray:
    """Return a bell `[n]` whose longest partial decays by 60 dB in `seconds`."""
    note = np.zeros(round(seconds * RATE))
    for i, (ratio, offset, strength, duration) in enumerate(_PARTIALS):
        t = times(seconds * duration)
        phase = -np.pi * i**2 / len(_PARTIALS)  # of Schroeder, 1970: the peaks of the partials don't coincide
        wave = np.sin(2 * np.pi * (ratio * frequency + offset) * t + phase)
        note[: len(t)] += strength * 10 ** (-3 * t / (seconds * duration)) * wave
    attack = round(_ATTACK * RATE)
    note[:attack] *= np.linspace(0, 1, attack)
    return note
