"""Audio in memory as people have it: one or two axes, integers or floats."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from nst.audio.read import AudioWarning, read
from nst.audio.resample import resample
from nst.errors import InputError
from nst.types import Array, Audio

#: Audio that the library takes; see `as_audio`.
AudioLike = str | Path | Audio | Array


def as_audio(name: str, audio: Any, rate: int) -> np.ndarray:
    """Return samples, float32 `[n, channels]`, of one or two channels.

    Args:
      name: What messages call the audio.
      audio: A path or the name of a sample, `Audio`, or an array `[n]` or `[n, channels]` of floats, or of integers,
        which are scaled to a full scale of ±1.
      rate: Sampling rate, Hz: files and `Audio` are resampled to it, arrays have it.

    Raises:
      InputError: The audio can't be read, or an array has another shape or type, no samples, or values that are not
        finite.
    """
    if isinstance(audio, str | Path):
        return read(audio, rate=rate).samples
    if isinstance(audio, Audio):
        audio = resample(audio._replace(samples=as_audio(name, audio.samples, audio.rate)), rate).samples
    array = np.asarray(audio)
    array = array[:, None] if array.ndim == 1 else array
    said = f"{name} is {np.asarray(audio).dtype} {np.asarray(audio).shape}"
    if array.dtype.kind not in "fiu":
        raise InputError(f"{said}: give floats or integers")
    if array.ndim != 2 or array.shape[1] not in (1, 2) or not len(array):
        first = array.ndim == 2 and array.shape[0] in (1, 2) and array.shape[1]
        remedy = "channels come last: transpose it" if first else "give samples [n], [n, 1] or [n, 2]"
        raise InputError(f"{said}: {remedy}")
    if not np.isfinite(array).all():
        raise InputError(f"{name} has samples that are not finite: remove them")
    if array.dtype.kind == "f":
        return np.asarray(array, np.float32)
    limits = np.iinfo(array.dtype)
    middle = (limits.max // 2 + 1) if limits.min == 0 else 0
    return ((array.astype(np.float64) - middle) / (limits.max // 2 + 1 if middle else -limits.min)).astype(
        np.float32
    )


def warn_if_silent(name: str, samples: Array) -> None:
    """Warn if audio is silent: it has no content to keep and no style to transfer."""
    if samples.size and not np.ptp(samples):
        warnings.warn(f"{name} is silent: is it the right audio?", AudioWarning, stacklevel=3)
