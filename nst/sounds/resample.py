"""Sounds at another rate."""

import numpy as np

from nst.errors import InputError
from nst.sounds import packages
from nst.sounds.sound import Sound

#: From below what a telephone has to above what converters reach, Hz. Beyond, a header is damaged.
MIN_RATE, MAX_RATE = 1_000, 768_000


def check_rate(rate: int, whose: str) -> None:
    """Refuse a rate that no sound has.

    Args:
      rate: Hz.
      whose: A path or a setting, for the message.

    Raises:
      InputError: It is out of bounds.
    """
    if not MIN_RATE <= rate <= MAX_RATE:
        raise InputError(f"{whose}: a rate of {rate} Hz: give one from {MIN_RATE} to {MAX_RATE}")


def resample(sound: Sound, rate: int) -> Sound:
    """A sound at another rate, in Hz, by libsoxr's best filter, of linear phase: nothing is shifted.

    It lasts as long as before, to the nearest sample; what lies before and after is taken as silence.

    Raises:
      InputError: The rate is out of bounds, or the sound is too short to have a sample at it.
    """
    check_rate(rate, "resampling")
    if rate == sound.rate:
        return sound
    samples = packages.soxr().resample(np.ascontiguousarray(sound.samples), sound.rate, rate, "VHQ")
    if not len(samples):
        raise InputError(f"{len(sound.samples)} samples at {sound.rate} Hz are none at {rate}: give more")
    return Sound(samples, rate)
