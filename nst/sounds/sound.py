"""What a sound is."""

from typing import NamedTuple

import numpy as np


class Sound(NamedTuple):
    """A sound: float32 samples `[n, channels]` and their rate in Hz.

    Full scale is ±1; files of floats may go beyond it. One channel is mono, two are left and right.
    """

    samples: np.ndarray
    rate: int
