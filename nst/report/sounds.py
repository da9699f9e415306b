"""Which sounds a report plays, and MP3s of them that fit into it: every browser has a decoder of these."""

import base64
import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst import files
from nst.report.runs import Run
from nst.runs.modality import File
from nst.sounds import EXTENSIONS, Sound, packages, resample

_TOTAL = 50_000_000  # bytes of all sounds as base64
_KBITS = (
    64,
    48,
    32,
)  # a second of one channel, of the same for all: the better one must not sound the better
#: From the rates, Hz, that MPEG audio has, to the least and the most kbit/s: layer III of MPEG-1, 2 and 2.5.
_MPEG = {
    **dict.fromkeys((48_000, 44_100, 32_000), (32, 320)),
    **dict.fromkeys((24_000, 22_050, 16_000), (8, 160)),
    **dict.fromkeys((12_000, 11_025, 8_000), (8, 64)),
}


class Excerpt(NamedTuple):
    """An MP3 as base64."""

    seconds: float
    data: str


class Sounds:
    """The sounds of some runs, each once: `found` has their paths."""

    def __init__(self, runs: Sequence[Run]):
        self.found: list[str] = []
        self._once: dict[str, int] = {}  # by what is in a file
        self._own = {run.folder: self._inputs(run) for run in runs}
        self._alike: dict[tuple[str, str], int] = {}
        for run in runs:
            for part, place in self._own[run.folder].items():
                self._alike.setdefault(run.input(part), place)

    def of(self, run: Run) -> dict[str, int]:
        """Return places in `found` of a run's `result` and inputs, as far as these can be played."""
        names = [name for name in run.modality.inputs if run.input(name) in self._alike]
        others = {name: self._alike[run.input(name)] for name in names}
        latest = run.latest if _playable(run.modality.result) else ""
        return others | self._own[run.folder] | ({"result": self._add(run.folder / latest)} if latest else {})

    def _inputs(self, run: Run) -> dict[str, int]:
        """Return places of the inputs as this run used them, which depends on its config too."""
        files_of = {name: file for name, file in run.modality.inputs.items() if _playable(file)}
        paths = {name: run.folder / file.name for name, file in files_of.items()}
        return {name: self._place(path) for name, path in paths.items() if path.exists()}

    def _place(self, path: Path) -> int:
        digest = files.sha256(path)
        if digest not in self._once:
            self._once[digest] = self._add(path)
        return self._once[digest]

    def _add(self, path: Path) -> int:
        self.found.append(str(path))
        return len(self.found) - 1


def _playable(file: File) -> bool:
    return Path(file.name).suffix in EXTENSIONS


def excerpts(found: Sequence[str], total: int = _TOTAL) -> tuple[list[Excerpt | None], float | None]:
    """The sounds in at most `total` bytes together; None for one that can't be read.

    The more there are, the fewer bits a second have; where even the fewest are too many, only the first seconds of
    each are there.

    Returns:
      The sounds, and how many seconds they were cut to if any was.
    """
    if not found:
        return [], None
    lengths = [_length(path) for path in found]
    room = total * 3 // 4 * 8 / 1000  # kbit; base64 makes four bytes of three
    weight = sum(seconds * channels for seconds, channels in lengths)
    kbits = next((k for k in _KBITS if k * weight <= room), _KBITS[-1])
    longest = room / (kbits * sum(channels for _, channels in lengths)) if kbits * weight > room else None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [*pool.map(lambda path: excerpt(path, kbits, longest), found)], longest


def _length(path: str) -> tuple[float, int]:
    """Seconds and channels, of which an MP3 has two at most."""
    soundfile = packages.soundfile()
    try:
        told = soundfile.info(path)
    except (OSError, RuntimeError):
        return 0.0, 1
    return told.duration, min(2, told.channels)


def excerpt(path: str, kbits: int, seconds: float | None = None) -> Excerpt | None:
    """The beginning of a sound, or all of it.

    Args:
      path: Its file.
      kbits: A second and a channel.
      seconds: How long it may be.
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
    except (OSError, RuntimeError):  # libsndfile's, of damaged files
        return None


def _mp3(samples: np.ndarray, rate: int, kbits: int) -> bytes:
    soundfile = packages.soundfile()
    if rate not in _MPEG:
        above = min((known for known in _MPEG if known > rate), default=max(_MPEG))
        samples, rate = resample(Sound(samples, rate), above)
    least, most = _MPEG[rate]
    wanted = max(least, min(kbits * samples.shape[1], most))
    # libsndfile's level is linear between the most and the least, which itself it does not take.
    level = min((most - wanted) / (most - least), 0.99)
    stream = io.BytesIO()
    options: Any = {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": level}
    soundfile.write(stream, samples, rate, **options)
    return stream.getvalue()
