"""The audio that a report plays, as MP3s small enough to be part of it: every browser can decode them."""

import base64
import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from nst.audio import Audio, packages, resample

_TOTAL = 50_000_000  # bytes of all audio as base64
# kbit/s per channel. All clips have the same: the encoding must not make one sound better than another.
_KBITS = (64, 48, 32)
#: From the sampling rates of MPEG audio, in Hz, to the lowest and highest kbit/s: layer III of MPEG-1, 2 and 2.5.
_MPEG = {
    **dict.fromkeys((48_000, 44_100, 32_000), (32, 320)),
    **dict.fromkeys((24_000, 22_050, 16_000), (8, 160)),
    **dict.fromkeys((12_000, 11_025, 8_000), (8, 64)),
}


class Excerpt(NamedTuple):
    """An MP3 as base64, and its duration."""

    seconds: float
    data: str


def excerpts(paths: Sequence[str], total: int = _TOTAL) -> tuple[list[Excerpt | None], float | None]:
    """Encode audio files as MP3s of at most `total` bytes together.

    The more audio there is, the lower is the bit rate. If even the lowest rate is too high, only the first seconds of
    each file are encoded.

    Returns:
      The MP3s, None for a file that can't be read; and the seconds that files were cut to, None if none was.
    """
    if not paths:
        return [], None
    lengths = [_length(path) for path in paths]
    room = total * 3 // 4 * 8 / 1000  # kbit; base64 makes four bytes of three
    weight = sum(seconds * channels for seconds, channels in lengths)
    kbits = next((k for k in _KBITS if k * weight <= room), _KBITS[-1])
    longest = room / (kbits * sum(channels for _, channels in lengths)) if kbits * weight > room else None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [*pool.map(lambda path: excerpt(path, kbits, longest), paths)], longest


def _length(path: str) -> tuple[float, int]:
    """Return seconds and channels of an audio file; an MP3 has at most two channels."""
    soundfile = packages.soundfile()
    try:
        info = soundfile.info(path)
    except (OSError, RuntimeError):
        return 0.0, 1
    return info.duration, min(2, info.channels)


def excerpt(path: str, kbits: int, seconds: float | None = None) -> Excerpt | None:
    """Encode an audio file, or its beginning, as MP3; return None if it can't be read.

    Args:
      path: The audio file.
      kbits: Bit rate per channel, in kbit/s.
      seconds: Longest duration of the excerpt; by default that of the file.
    """
    soundfile = packages.soundfile()
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            frames = file.frames if seconds is None else min(file.frames, int(seconds * rate))
            samples = file.read(frames, dtype="float32", always_2d=True)
        if not len(samples) or not np.isfinite(samples).all():
            return None
        samples = samples if samples.shape[1] <= 2 else samples.mean(axis=1, keepdims=True)
        return Excerpt(round(len(samples) / rate, 3), base64.b64encode(_mp3(samples, rate, kbits)).decode())
    except (OSError, RuntimeError):  # raised by libsndfile for damaged files
        return None


def _mp3(samples: np.ndarray, rate: int, kbits: int) -> bytes:
    soundfile = packages.soundfile()
    if rate not in _MPEG:
        above = min((other for other in _MPEG if other > rate), default=max(_MPEG))
        samples, rate = resample(Audio(samples, rate), above)
    least, most = _MPEG[rate]
    bit_rate = max(least, min(kbits * samples.shape[1], most))
    # libsndfile's level is linear from 0 for the highest bit rate to 1 for the lowest, which it does not accept.
    level = min((most - bit_rate) / (most - least), 0.99)
    stream = io.BytesIO()
    options: Any = {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": level}
    soundfile.write(stream, samples, rate, **options)
    return stream.getvalue()
