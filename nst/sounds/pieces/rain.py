"""Rain: a hiss that comes and goes, the ticks of drops, and now and then one that falls into water and rings."""

import numpy as np

from nst.sounds.pieces.mix import add, filtered, finished, grid, panned, silence, times
from nst.sounds.sound import Sound

_SEED = 1933  # Minnaert, On Musical Air-Bubbles and the Sounds of Running Water
_SECONDS = 7.0
_TICKS, _DROPS = 160, 8  # in a second


def make() -> Sound:
    """The piece: stereo, 7 s."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    track = silence(_SECONDS, channels=2)
    for channel in range(2):
        track[:, channel] = 0.33 * _hiss(rng)
    for _ in range(round(_TICKS * _SECONDS)):
        place = panned(rng.uniform(-1, 1))
        add(track, _tick(rng), rng.uniform(0, _SECONDS), place)
    for _ in range(round(_DROPS * _SECONDS)):
        place = panned(rng.uniform(-0.8, 0.8))
        add(track, _drop(rng), rng.uniform(0, _SECONDS), place)
    return finished(track)


def _hiss(rng: np.random.Generator) -> np.ndarray:
    """Noise, `[n]`, strongest at 1 to 6 kHz, in gusts."""
    t = times(_SECONDS)
    frequencies = grid(len(t))
    colour = (frequencies / (frequencies + 900)) ** 2 / (1 + (frequencies / 6000) ** 2)
    slow, fast = (np.sin(2 * np.pi * (rate * t + rng.random())) for rate in (0.31, 0.83))
    return filtered(rng.standard_normal(len(t)), colour) * (1 + 0.5 * slow * fast)


def _tick(rng: np.random.Generator) -> np.ndarray:
    """A drop on something hard, `[n]`: a few milliseconds of noise about one frequency."""
    t = times(0.025)
    frequency, decay = np.exp(rng.uniform(np.log(1500), np.log(9000))), rng.uniform(0.0015, 0.004)
    rough = 1 + 0.2 * rng.standard_normal(len(t))
    return rng.uniform(0.04, 0.3) * np.exp(-t / decay) * np.sin(2 * np.pi * frequency * t) * rough


def _drop(rng: np.random.Generator) -> np.ndarray:
    """A drop into water, `[n]`: the bubble that it leaves rings, higher and higher as it rises."""
    t = times(0.16)
    frequency, decay = np.exp(rng.uniform(np.log(500), np.log(2200))), rng.uniform(0.015, 0.035)
    phase = 2 * np.pi * frequency * (t + rng.uniform(0.5, 4) * t**2)
    return rng.uniform(0.1, 0.3) * np.minimum(t / 0.0015, 1) * np.exp(-t / decay) * np.sin(phase)
