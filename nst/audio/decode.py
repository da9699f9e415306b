"""Decoding of audio files, completely or not at all."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from nst.audio import packages
from nst.audio.formats import is_cut, sniff, tells_length
from nst.audio.resample import check_rate
from nst.errors import InputError
from nst.inputs import silent_stderr
from nst.types import Audio

_UNKNOWN = 2**62  # frames; for an unknown length libsndfile reports about 2**63
_TAIL_BYTES = 4096  # allowed after the last frame of an MP3, for tags


class _File(io.FileIO):
    """A file that ignores failing seeks: libsndfile seeks before the start of damaged files and catches no error."""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return super().seek(offset, whence)
        except OSError:
            return self.tell()


def decode(path: Path, max_seconds: float) -> Audio:
    """Decode an audio file with all its channels, at its own sampling rate.

    Args:
      path: The file.
      max_seconds: The longest audio to decode.

    Returns:
      Float32 samples `[n, channels]` and their rate in Hz.

    Raises:
      InputError: The file can't be read, is not of a supported format, is truncated or damaged, has no samples or
        samples that are not finite, or is longer than `max_seconds` by its header.
    """
    format = sniff(path)
    soundfile = packages.soundfile()
    try:
        with _File(path) as file:
            if is_cut(file, format):
                raise _cut(path)
            file.seek(0)
            # The open file, not its path: libsndfile would also go by the extension.
            with silent_stderr(), soundfile.SoundFile(file) as opened:
                _check(path, opened.frames, opened.samplerate, max_seconds)
                samples = opened.read(dtype="float32", always_2d=True)
                _check_whole(path, file, opened, len(samples))
                rate = opened.samplerate
    except InputError:
        raise
    except Exception as error:  # from libsndfile or the operating system, or MemoryError
        raise InputError(
            f"{path} is truncated or damaged ({_reason(error)}): fetch or export it again"
        ) from error
    _check_finite(path, samples, rate)
    return Audio(samples, rate)


def _check(path: Path, frames: int, rate: int, max_seconds: float) -> None:
    """Raise InputError if the header shows that the file can't be used, before memory is allocated."""
    check_rate(rate, str(path))
    if frames == 0:
        raise InputError(f"{path} has no samples: record or export it again")
    if frames >= _UNKNOWN:
        raise InputError(f"{path} does not say how long it is: export it again")
    if frames > max_seconds * rate:
        raise InputError(
            f"{path} lasts {frames / rate:.5g} s, more than {max_seconds:g}: cut it, or raise --max_seconds"
        )


def _check_whole(path: Path, file: io.FileIO, opened: Any, count: int) -> None:
    """Raise InputError if frames are missing, or if an MP3 without a length is longer than libsndfile guessed."""
    end = file.tell()
    if opened.format != "MP3" or tells_length(file):
        if count < opened.frames:
            raise _cut(path)
    elif file.seek(0, os.SEEK_END) - end > _TAIL_BYTES:
        raise InputError(f"{path} does not say how long it is: export it again")
    file.seek(end)


def _check_finite(path: Path, samples: np.ndarray, rate: int) -> None:
    finite = np.isfinite(samples).all(axis=1)
    if not finite.all():
        seconds = np.argmin(finite) / rate
        raise InputError(
            f"{path} has samples that are not finite, the first at {seconds:.3f} s: export it again"
        )


def _cut(path: Path) -> InputError:
    return InputError(f"{path} is truncated (it is shorter than its header says): fetch or export it again")


def _reason(error: Exception) -> str:
    text = " ".join(str(getattr(error, "error_string", error)).split()).removeprefix("Error : ").rstrip(".")
    return text or type(error).__name__
