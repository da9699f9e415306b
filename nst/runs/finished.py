"""A finished run, read back: its result, and what it was made of as the run saw or heard that."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from nst import files, images, record, sounds
from nst.errors import InputError
from nst.runs.image import framed


class Finished(NamedTuple):
    """What a run came to."""

    inputs: dict[str, dict[str, Any]]  # path and SHA-256 of the result, the content and the style
    style_layers: tuple[str, ...]
    terms: dict[str, float]  # the loss and its terms at the end
    config: ConfigDict

    @property
    def is_sound(self) -> bool:
        """Whether it is of sounds, which have no layers."""
        return "audio" in self.config


def finished(folder: Path) -> Finished:
    """Read a run directory, pictures left for `pictures`, sounds for `heard`.

    Raises:
      InputError: There is no finished run, its record is damaged, or a picture or sound is absent or has changed.
    """
    if not (folder / "config.json").exists():
        raise InputError(f"{folder} is no run directory: give one with a config.json")
    if not (folder / "done").exists():
        raise InputError(f"{folder} is not finished: go on with scripts/run.py --resume --workdir {folder}")
    lines = record.metrics(folder / "metrics.jsonl")
    try:
        facts = json.loads((folder / "config.json").read_text())
        config = ConfigDict(facts["config"])
        if "audio" in config:
            inputs, style_layers = {name: _kept(folder, f"{name}.wav") for name in ("content", "style")}, ()
        else:
            inputs = {name: _found(name, facts["inputs"][name], config) for name in ("content", "style")}
            style_layers = tuple(config.loss.style_layers)
        terms = {name: value for name, value in lines[-1].items() if name not in record.COUNTERS}
    except InputError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}/config.json or metrics.jsonl is damaged: run it again") from error
    result = _kept(folder, "audio.wav" if "audio" in config else "image.png")
    return Finished({"result": result} | inputs, style_layers, terms, config)


def _kept(folder: Path, name: str) -> dict[str, str]:
    """A file that the run itself wrote."""
    if not (folder / name).exists():
        raise InputError(f"{folder / name} is not there: run it again")
    return {"path": name, "sha256": files.sha256(folder / name)}


def _found(name: str, recorded: Mapping[str, str], config: ConfigDict) -> dict[str, str]:
    """The picture where it lay, else where the config finds it now; refused if it is another."""
    path = Path(recorded["path"])
    if not path.is_file():
        path = images.list_pictures(config.images[name])[0]
    if files.sha256(path) != recorded["sha256"]:
        raise InputError(f"{path} is not the {name} picture of the run any more: put that back, or run again")
    return {"path": str(path), "sha256": recorded["sha256"]}


def pictures(folder: Path, run: Finished) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Result, content and style: the content at the result's size, the style at the last scale's.

    Args:
      folder: Of the run.
      run: What `finished` said of it.
    """
    result = images.read(folder / "image.png")
    content, style = (
        images.cover(picture, *framed(run.config, name, picture.shape[:2]))
        for name in ("content", "style")
        for picture in [images.read(run.inputs[name]["path"])]
    )
    longest = max(1, round(run.config.images.size * run.config.images.style_scale))
    return result, images.resize(content, *result.shape[:2]), images.fit(style, longest)


def heard(folder: Path, rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples `[n, channels]` of result, content and style, as the run wrote them.

    Args:
      folder: Of the run.
      rate: Hz, to resample to.
    """
    result, content, style = (
        sounds.read(folder / f"{name}.wav", rate=rate).samples for name in ("audio", "content", "style")
    )
    return result, content, style
