"""Writing of audio in the format of the file's extension, without clipping."""

import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst.audio import packages
from nst.audio.resample import MAX_RATE, MIN_RATE
from nst.errors import InputError
from nst.files import user_path, write_bytes
from nst.types import Audio

#: The highest true peak that is written, of full scale: −1 dB as in EBU R 128, which leaves headroom for lossy formats.
CEILING = 10 ** (-1 / 20)
_TOLERANCE = 1.0001  # factor of the ceiling, so that audio that is read back and written again is not changed

_OVERSAMPLING = 4  # ITU-R BS.1770, annex 2
_BLOCK = 2**16  # frames: libsndfile's Vorbis overflows the stack on millions at once
_LEVELS = 2**23  # levels of 24 bits from 0 to full scale


class _Format(NamedTuple):
    """A format: libsndfile's options, a test for sampling rates that it supports, and these rates in words."""

    options: dict[str, Any]
    has: Callable[[int], bool]
    rates: str


def _flac_has(rate: int) -> bool:
    # The header of a frame has 16 bits for the rate, in Hz or in tens of Hz.
    return MIN_RATE <= rate < 2**16 or (rate <= 655_350 and rate % 10 == 0)


_MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_FORMATS = {
    ".wav": _Format(
        {"format": "WAV", "subtype": "PCM_24"},
        lambda rate: MIN_RATE <= rate <= MAX_RATE,
        f"{MIN_RATE} to {MAX_RATE}",
    ),
    ".flac": _Format(
        {"format": "FLAC", "subtype": "PCM_24"},
        _flac_has,
        f"{MIN_RATE} to 655350, above 65535 in tens",
    ),
    ".ogg": _Format(
        {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.2},  # about 256 kbit/s in stereo
        lambda rate: MIN_RATE <= rate <= 200_000,
        f"{MIN_RATE} to 200000",
    ),
    ".mp3": _Format(
        {"format": "MP3", "compression_level": 0.0, "bitrate_mode": "CONSTANT"},  # 320 kbit/s
        _MP3_RATES.__contains__,
        ", ".join(map(str, _MP3_RATES)),
    ),
}


def check_output(path: str | Path, *, rate: int | None = None) -> None:
    """Raise InputError, before a run, if `write` could not write an output after it.

    Args:
      path: The output file.
      rate: Sampling rate in Hz, if it is known.

    Raises:
      InputError: The extension is unknown, or its format does not support the rate.
    """
    format = _FORMATS.get(Path(path).suffix.lower())
    if format is None:
        raise InputError(f"{path}: unknown extension of an output: choose from {', '.join(_FORMATS)}")
    if rate is not None and not format.has(rate):
        raise InputError(
            f"{path}: {rate} Hz cannot be written (only {format.rates}): resample it, or choose .wav"
        )


def write(path: str | Path, audio: Audio) -> float:
    """Write audio in the format of the extension, completely or not at all.

    If the true peak, which includes the wave between samples, is above `CEILING`, all samples are scaled by one factor,
    so that nothing is clipped. The same audio gives the same bytes as .wav, .flac and .mp3; .ogg has a random serial
    number.

    Args:
      path: A path that ends in .wav or .flac (24 bits), .ogg (Vorbis) or .mp3.
      audio: Audio of one or two channels.

    Returns:
      The gain of the scaling in dB, 0 or below.

    Raises:
      InputError: As `check_output`, or the audio is empty, has more than two channels or samples that are not finite.

    Example:
      >>> nst.audio.write("melody.wav", nst.audio.read("melody"))
      0.0
    """
    path = user_path(path)
    samples = np.asarray(audio.samples, np.float32)
    check_output(path, rate=audio.rate)
    if samples.ndim != 2 or samples.shape[1] not in (1, 2) or not len(samples):
        raise InputError(
            f"{path}: samples of shape {samples.shape} cannot be written: give [samples, channels] with 1 or 2 channels"
        )
    peak = _true_peak(samples, audio.rate)
    if not math.isfinite(peak):
        raise InputError(f"{path}: the audio has samples that are not finite: it is not written")
    gain = CEILING / peak if peak > CEILING * _TOLERANCE else 1.0
    format = _FORMATS[path.suffix.lower()]
    write_bytes(path, _encoded(samples, gain, audio.rate, format.options))
    return 20 * math.log10(gain)


def _true_peak(samples: np.ndarray, rate: int) -> float:
    """Return the highest absolute value at four times the sampling rate; not finite if a sample is not."""
    stream = packages.soxr().ResampleStream(rate, _OVERSAMPLING * rate, samples.shape[1], quality="HQ")
    peaks = [np.abs(samples).max()]
    for block, last in _blocks(samples):
        between = stream.resample_chunk(np.ascontiguousarray(block), last=last)
        peaks.append(np.abs(between).max(initial=0))
    return float(np.max(peaks))


def _encoded(samples: np.ndarray, gain: float, rate: int, options: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    soundfile = packages.soundfile()
    with soundfile.SoundFile(stream, "w", rate, samples.shape[1], **options) as file:
        for block, _ in _blocks(samples):
            scaled = block * gain
            file.write(_rounded(scaled) if options.get("subtype") == "PCM_24" else scaled.astype(np.float32))
    return stream.getvalue()


def _rounded(samples: np.ndarray) -> np.ndarray:
    """Round to 24-bit levels, in the upper bits of int32.

    libsndfile would write floats times 2²³ − 1, but reads levels divided by 2²³.
    """
    levels = np.rint(samples.astype(np.float64) * _LEVELS)
    return levels.astype(np.int32) << 8


def _blocks(samples: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Yield blocks of samples, each with whether it is the last."""
    for start in range(0, len(samples), _BLOCK):
        yield samples[start : start + _BLOCK], start + _BLOCK >= len(samples)
