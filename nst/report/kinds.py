"""What runs of pictures and of sounds differ in, as far as a report shows it: nothing else here asks which it is."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nst.config import defaults
from nst.errors import InputError
from nst.runs.audio import SOUNDS
from nst.runs.image import PICTURES
from nst.stylize import plan

#: What a run is given, in a config's group, in `inputs` of its facts and as parts of its sheet.
INPUTS = ("content", "style")


class Kind(NamedTuple):
    """Where a run has what."""

    group: str  # of a config, in which `content`, `style` and `seed` are
    result: str  # the file; those in `frames` end alike
    preview: str  # the picture of the result
    inputs: Mapping[str, str]  # pictures of `INPUTS`, where they are not parts of the sheet
    sounds: Mapping[str, str]  # the files of `INPUTS` as they were heard; none where nothing is to be heard
    files: tuple[str, ...]  # at the top of a run directory, and linked
    config: str  # the config file of a command, whose fields are `defaults`
    defaults: Callable[[], Mapping[str, Any]]
    steps: Callable[[Mapping[str, Any]], int]  # of a whole run, from its config

    def latest(self, folder: Path) -> str:
        """The file of a run's result, or its last frame while there is none; empty if there is neither."""
        if (folder / self.result).exists():
            return self.result
        frames = sorted((folder / "frames").glob(f"[0-9]*{Path(self.result).suffix}"))
        return f"frames/{frames[-1].name}" if frames else ""

    def total(self, config: Mapping[str, Any]) -> int | None:
        """Steps of a whole run; None where the config does not say."""
        try:
            return self.steps(config)
        except (InputError, KeyError, TypeError, ValueError):
            return None


def of(config: Mapping[str, Any]) -> Kind:
    """The kind of a run, by the dotted names of its config."""
    return SOUND if any(name.startswith(f"{SOUND.group}.") for name in config) else PICTURE


def _at_all_scales(config: Mapping[str, Any]) -> int:
    names = ("images.size", "optimizer.steps", "pyramid.scales", "pyramid.steps")
    return sum(scale.steps for scale in plan(*(config[name] for name in names)))


def _at_one(config: Mapping[str, Any]) -> int:
    return int(config["optimizer.steps"])


PICTURE = Kind(
    group=PICTURES.group,
    result=PICTURES.result,
    preview=PICTURES.result,
    inputs={},
    sounds={},
    files=PICTURES.files,
    config="configs/gatys.py",
    defaults=defaults,
    steps=_at_all_scales,
)
SOUND = Kind(
    group=SOUNDS.group,
    result=SOUNDS.result,
    preview="spectrogram.png",
    inputs={part: f"{part}.png" for part in INPUTS},
    sounds={part: f"{part}.wav" for part in INPUTS},
    files=tuple(name for name in SOUNDS.files if name.removesuffix(".png") not in INPUTS),
    config="configs/audio.py",
    defaults=functools.partial(defaults, "audio"),
    steps=_at_one,
)
KINDS = (PICTURE, SOUND)
