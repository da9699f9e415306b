"""Sounds by name, made by our own code on first use."""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nst.files import cache_dir, make_once, usable
from nst.sounds.pieces import bells, bowed, melody, rain
from nst.sounds.sound import Sound
from nst.sounds.write import write

_OURS = "made by nst, Apache-2.0"
_PIECES = Path(__file__).parent / "pieces"


class Sample(NamedTuple):
    """A sound with a name: what it is, who made it and under which licence, and the code that makes it."""

    what: str
    credit: str
    make: Callable[[], Sound]


#: The samples by name.
SAMPLES: dict[str, Sample] = {
    "melody": Sample("a melody on a plucked string, mono", _OURS, melody.make),
    "bells": Sample("interlocking bells over a gong, stereo", _OURS, bells.make),
    "bowed": Sample("slow chords of bowed strings, mono", _OURS, bowed.make),
    "rain": Sample("rain with drops into water, stereo", _OURS, rain.make),
}

NAMES: tuple[str, ...] = tuple(SAMPLES)


def place(name: str) -> Path:
    """Where the file of a sample lies or will lie: another place for other code, so that no old sound is found."""
    return cache_dir() / "samples" / _version() / f"{name}.wav"


def locate(name: str) -> Path | None:
    """The file of a sample, made if need be; None if `name` is not a sample's.

    Raises:
      InputError: The file is absent and can't be written.
    """
    sample = SAMPLES.get(name)
    if sample is None:
        return None
    path = place(name)
    with usable(path):
        make_once(path, lambda: _make(sample, path))
    return path


def _make(sample: Sample, path: Path) -> None:
    write(path, sample.make())


@functools.cache
def _version() -> str:
    code = b"".join(file.read_bytes() for file in sorted(_PIECES.glob("*.py")))
    return hashlib.sha256(code).hexdigest()[:8]
