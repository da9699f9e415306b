"""Writing sounds, in the format of the file's extension, never clipped."""

import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst.errors import InputError
from nst.files import write_bytes
from nst.sounds import packages
from nst.sounds.resample import MAX_RATE, MIN_RATE
from nst.sounds.sound import Sound

#: The highest true peak that is written: EBU R 128's -1 dB, which leaves room for what lossy formats add.
CEILING = 10 ** (-1 / 20)
_TOLERANCE = 1.0001  # of the peak: what is read back and written again stays as it is

_OVERSAMPLING = 4  # ITU-R BS.1770, annex 2
_BLOCK = 2**16  # frames: libsndfile's Vorbis overflows the stack on millions at once
_LEVELS = 2**23  # of 24 bits, from 0 to full scale


class _Format(NamedTuple):
    """How libsndfile writes it, which rates it has, and these in words."""

    options: dict[str, Any]
    has: Callable[[int], bool]
    rates: str


def _flac_has(rate: int) -> bool:
    # A frame's header has 16 bits for it, in Hz or in tens of Hz.
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
    """Refuse before a run what `write` would refuse after it.

    Args:
      path: Where the sound is to go.
      rate: Its rate in Hz, if it is known.

    Raises:
      InputError: The extension, or the rate with it, can't be written.
    """
    format = _FORMATS.get(Path(path).suffix.lower())
    if format is None:
        raise InputError(f"{path}: unknown extension of an output: choose from {', '.join(_FORMATS)}")
    if rate is not None and not format.has(rate):
        raise InputError(
            f"{path}: {rate} Hz cannot be written (only {format.rates}): resample it, or choose .wav"
        )


def write(path: str | Path, sound: Sound) -> float:
    """Write a sound in the format of the extension, whole or not at all.

    Where its true peak, that of the wave between the samples too, is above `CEILING`, all of it is made quieter by one
    factor, so that nothing is clipped and nothing else changes. Of .wav, .flac and .mp3 the same sound gives the same
    bytes; .ogg has a serial number that is drawn anew each time.

    Args:
      path: Ends in .wav or .flac (24 bits), .ogg (Vorbis) or .mp3.
      sound: One or two channels.

    Returns:
      By how much it was made quieter: a gain in dB, 0 or below.

    Raises:
      InputError: As `check_output`, or the sound is empty, has other channels, or samples that are not finite.
    """
    path = Path(path)
    samples = np.asarray(sound.samples, np.float32)
    check_output(path, rate=sound.rate)
    if samples.ndim != 2 or samples.shape[1] not in (1, 2) or not len(samples):
        raise InputError(f"{path}: samples of shape {samples.shape}: give some of one channel or two")
    peak = _true_peak(samples, sound.rate)
    if not math.isfinite(peak):
        raise InputError(f"{path}: the sound has samples that are not finite: it is not written")
    gain = CEILING / peak if peak > CEILING * _TOLERANCE else 1.0
    format = _FORMATS[path.suffix.lower()]
    write_bytes(path, _encoded(samples, gain, sound.rate, format.options))
    return 20 * math.log10(gain)


def _true_peak(samples: np.ndarray, rate: int) -> float:
    """The highest absolute value of the samples and of three more between each two; not finite if one is not."""
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
    """24 bits in the upper part of 32. libsndfile scales by one level less than it divides by when it reads."""
    levels = np.rint(samples.astype(np.float64) * _LEVELS)
    return levels.astype(np.int32) << 8


def _blocks(samples: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """The samples in pieces, each with whether it is the last."""
    for start in range(0, len(samples), _BLOCK):
        yield samples[start : start + _BLOCK], start + _BLOCK >= len(samples)
