"""The type of audio in memory."""

from typing import NamedTuple

import numpy as np


class Sound(NamedTuple):
    """Audio: float32 samples `[n, channels]` and their rate in Hz.

    Full scale is ±1; files of floats may exceed it. One channel is mono, two are left and right.
    """

    samples: np.ndarray
    rate: int
