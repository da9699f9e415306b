"""The mel scale of Slaney (Auditory Toolbox, 1998): 3 mel per 200 Hz up to 1 kHz, then 27 mel per factor of 6.4."""

import numpy as np
from jaxtyping import Float


def mel(hertz: float | int) -> float:
    """Convert a frequency from Hz to mel."""
    return 3 * hertz / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def edges(rate: int, bands: int) -> Float[np.ndarray, " edges"]:
    """Return the edges of overlapping bands, `[bands + 2]`, in Hz, evenly spaced in mel from 0 to half the rate.

    Band i begins at edge i, peaks at edge i + 1 and ends at edge i + 2.
    """
    mels = np.linspace(0, mel(rate / 2), bands + 2)
    return np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))


def filters(rate: int, bins: int, bands: int) -> Float[np.ndarray, "bins bands"]:
    """Return triangular filters of height 1 between the `edges`.

    Args:
      rate: Sampling rate, Hz.
      bins: Number of frequencies, from 0 Hz to half the rate.
      bands: Number of filters.
    """
    low, peak, high = (edges(rate, bands)[i : i + bands] for i in range(3))
    f = np.linspace(0, rate / 2, bins)[:, None]
    return np.maximum(np.minimum((f - low) / (peak - low), (high - f) / (high - peak)), 0)
