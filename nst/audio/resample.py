"""Resampling of audio."""

import numpy as np

from nst.audio import packages
from nst.errors import InputError
from nst.types import Audio

#: Limits of the sampling rate, Hz, wider than telephones and converters need: any other rate is a damaged header.
MIN_RATE, MAX_RATE = 1_000, 768_000


def check_rate(rate: int, whose: str) -> None:
    """Raise InputError if a sampling rate is out of bounds.

    Args:
      rate: Sampling rate, Hz.
      whose: The path or the setting that has it, for the message.
    """
    if not MIN_RATE <= rate <= MAX_RATE:
        raise InputError(
            f"{whose}: a sampling rate of {rate} Hz is out of range: give one from {MIN_RATE} to {MAX_RATE} Hz"
        )


def resample(audio: Audio, rate: int) -> Audio:
    """Resample audio to a rate in Hz, by libsoxr's best linear-phase filter, which does not delay the audio.

    The duration stays the same to the nearest sample. Beyond both ends the filter sees silence.

    Raises:
      InputError: The rate is out of bounds, or the audio is too short to have a sample at it.
    """
    check_rate(rate, "resampling")
    if rate == audio.rate:
        return audio
    samples = packages.soxr().resample(np.ascontiguousarray(audio.samples), audio.rate, rate, "VHQ")
    if not len(samples):
        raise InputError(
            f"{len(audio.samples)} samples at {audio.rate} Hz are too few for one at {rate} Hz: give longer audio"
        )
    return Audio(samples, rate)
