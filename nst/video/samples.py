"""Sample clips by name, drawn on first use."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst.audio.pieces import melody
from nst.files import make_once, sample_place, usable
from nst.types import Audio
from nst.video import scene
from nst.video.clip import Frame

_CREDIT = "drawn by nst, Apache-2.0"
_STILL_FRAMES = 50
_ENCODER = Path(__file__).with_name("write.py")


class Sample(NamedTuple):
    """A sample: its description, its maker and license, and functions that make its frames and its sound."""

    what: str
    credit: str
    frames: Callable[[], Iterator[Frame]]
    sound: Callable[[], Audio | None] = lambda: None


def _pan() -> Iterator[Frame]:
    for number, image in enumerate(scene.frames()):
        yield Frame(image, number / scene.RATE, 1 / scene.RATE)


def _still() -> Iterator[Frame]:
    image = next(scene.frames())
    for number in range(_STILL_FRAMES):
        yield Frame(image, Fraction(number, 25), Fraction(1, 25))


def _sound() -> Audio:
    """Return the beginning of the sample melody, as long as the scene, faded out at the end."""
    samples, rate = melody.make()
    samples = samples[: round(scene.NUMBER / scene.RATE * rate)]
    left = np.arange(len(samples), 0, -1)[:, None] / (rate / 5)  # fifths of a second
    return Audio((samples * np.minimum(left, 1)).astype(np.float32), rate)


#: The samples by name.
SAMPLES: dict[str, Sample] = {
    "pan": Sample(
        "a ball that rolls over leaves, seen by a moving camera, with a melody", _CREDIT, _pan, _sound
    ),
    "still": Sample("its first frame for 2 s, silent", _CREDIT, _still),
}

NAMES: tuple[str, ...] = tuple(SAMPLES)


def place(name: str) -> Path:
    """Return the path of a sample's file, which may not exist yet; it depends on the code that draws and encodes."""
    return sample_place(f"{name}.mp4", [*map(Path, (__file__, scene.__file__, _ENCODER))])


def locate(name: str) -> Path | None:
    """Return the file of a sample, which is drawn if it is absent; None if there is no such sample.

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
    from nst.video.write import write  # which reads samples itself

    write(path, sample.frames(), sound=sample.sound())
