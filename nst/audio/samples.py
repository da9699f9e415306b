"""Sample audio by name, synthesized on first use."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nst.audio.pieces import bells, bowed, melody, rain
from nst.audio.write import write
from nst.files import make_once, sample_place, usable
from nst.types import Audio

_CREDIT = "made by nst, Apache-2.0"
_PIECES = Path(__file__).parent / "pieces"


class Sample(NamedTuple):
    """A sample: its description, its maker and license, and the function that synthesizes it."""

    what: str
    credit: str
    make: Callable[[], Audio]


#: The samples by name.
SAMPLES: dict[str, Sample] = {
    "melody": Sample("a melody on a plucked string, mono", _CREDIT, melody.make),
    "bells": Sample("interlocking bells over a gong, stereo", _CREDIT, bells.make),
    "bowed": Sample("slow chords of bowed strings, mono", _CREDIT, bowed.make),
    "rain": Sample("rain with drops into water, stereo", _CREDIT, rain.make),
}

NAMES: tuple[str, ...] = tuple(SAMPLES)


def place(name: str) -> Path:
    """Return the path of a sample's file, which may not exist yet; it depends on the code that synthesizes samples."""
    return sample_place(f"{name}.wav", sorted(_PIECES.glob("*.py")))


def locate(name: str) -> Path | None:
    """Return the file of a sample, which is made if it is absent; None if there is no such sample.

    Raises:
      InputError: The file is absent and can't be written.
    """
    sample = SAMPLES.get(name)
    if sample is None:
        return None
    path = place(name)
    with usable(path):
        return make_once(path, lambda: _make(sample, path))


def _make(sample: Sample, path: Path) -> None:
    write(path, sample.make())
