"""Rain: hiss in gusts, ticks of drops, and drops that fall into water and ring."""

import numpy as np

from nst.audio.pieces.mix import add, filtered, finished, grid, panned, silence, times
from nst.types import Audio

_SEED = 1933  # Minnaert, On Musical Air-Bubbles and the Sounds of Running Water
_SECONDS = 7.0
_TICKS, _DROPS = 160, 8  # per second


def make() -> Audio:
    """Return the piece: stereo, 7 s."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    track = silence(_SECONDS, channels=2)
    for channel in range(2):
        track[:, channel] = 0.33 * _hiss(rng)
    for _ in range(round(_TICKS * _SECONDS)):
        gains = panned(rng.uniform(-1, 1))
        add(track, _tick(rng), rng.uniform(0, _SECONDS), gains)
    for _ in range(round(_DROPS * _SECONDS)):
        gains = panned(rng.uniform(-0.8, 0.8))
        add(track, _drop(rng), rng.uniform(0, _SECONDS), gains)
    return finished(track)


def _hiss(rng: np.random.Generator) -> np.ndarray:
    """Return noise `[n]`, strongest at 1 to 6 kHz, in gusts."""
    t = times(_SECONDS)
    frequencies = grid(len(t))
    color = (frequencies / (frequencies + 900)) ** 2 / (1 + (frequencies / 6000) ** 2)
    slow, fast = (np.sin(2 * np.pi * (rate * t + rng.random())) for rate in (0.31, 0.83))
    return filtered(rng.standard_normal(len(t)), color) * (1 + 0.5 * slow * fast)


def _tick(rng: np.random.Generator) -> np.ndarray:
    """Return a drop on a hard surface, `[n]`: a few milliseconds of noise about one frequency."""
    t = times(0.025)
    frequency, decay = np.exp(rng.uniform(np.log(1500), np.log(9000))), rng.uniform(0.0015, 0.004)
    rough = 1 + 0.2 * rng.standard_normal(len(t))
    return rng.uniform(0.04, 0.3) * np.exp(-t / decay) * np.sin(2 * np.pi * frequency * t) * rough


def _drop(rng: np.random.Generator) -> np.ndarray:
    """Return a drop into water, `[n]`: its bubble rings, with a pitch that rises as the bubble does."""
    t = times(0.16)
    frequency, decay = np.exp(rng.uniform(np.log(500), np.log(2200))), rng.uniform(0.015, 0.035)
    phase = 2 * np.pi * frequency * (t + rng.uniform(0.5, 4) * t**2)
    return rng.uniform(0.1, 0.3) * np.minimum(t / 0.0015, 1) * np.exp(-t / decay) * np.sin(phase)
