"""Synthetic audio with known notes and spectra."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from nst.metrics.audio import RATE


def noise(generator, seconds):
    return generator.standard_normal((round(seconds * RATE), 1))


def rumbling(generator, seconds, *, slope=-0.9, swell=1.0):
    """Return noise of varying loudness, with a spectrum that falls or rises."""
    x = noise(generator, seconds)[:, 0]
    spectrum = np.fft.rfft(x) * np.arange(1, len(x) // 2 + 2) ** slope
    x = np.fft.irfft(spectrum, len(x)) * (1.2 + swell * np.sin(np.arange(len(x)) / 2000))
    return (x / np.abs(x).max())[:, None]


#: Amplitudes of the harmonics of an instrument.
TIMBRES = {
    "pure": np.array([1.0]),
    "bright": 1 / np.arange(1, 11),
    "hollow": np.array([1, 0, 1 / 3, 0, 1 / 5, 0, 1 / 7]),
    "thin": np.array([0.3, 1, 0.8, 0.6, 0.3, 0.2, 0.1]),
}


def played(notes, timbre="bright", *, seconds=0.5, tuning=0.0):
    """Return notes in sequence, MIDI numbers or chords of them, each with a short attack and a decay."""
    t = np.arange(round(seconds * RATE)) / RATE
    shape = np.minimum(t / 0.01, 1) * np.exp(-2 * t)
    parts = []
    for chord in notes:
        frequencies = 440 * 2 ** ((np.atleast_1d(chord) + tuning - 69) / 12)
        partials = [
            a * np.sin(2 * np.pi * h * f * t + 3 * h)
            for f in frequencies
            for h, a in enumerate(TIMBRES[timbre], 1)
            if h * f < RATE / 2
        ]
        parts.append(shape * np.sum(partials, axis=0))
    return np.concatenate(parts)[:, None]


@pytest.fixture(scope="module")
def make():
    """Give `make.noise`, `make.rumbling` and `make.played`, which return samples `[n, 1]`."""
    generator = np.random.default_rng(0)
    return SimpleNamespace(
        noise=partial(noise, generator), rumbling=partial(rumbling, generator), played=played
    )
