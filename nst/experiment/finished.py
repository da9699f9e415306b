"""A finished run, read back: its result, and the pictures that it was made of as the run saw them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from nst import files, images, record
from nst.errors import InputError
from nst.experiment.pictures import framed


class Finished(NamedTuple):
    """What a run came to."""

    inputs: dict[str, dict[str, Any]]  # path and SHA-256 of the result, the content and the style
    style_layers: tuple[str, ...]
    terms: dict[str, float]  # the loss and its terms at the end
    config: ConfigDict


def finished(folder: Path) -> Finished:
    """Read a run directory, pictures left for `pictures`.

    Raises:
      InputError: There is no finished run, its record is damaged, or a picture is absent or has changed.
    """
    if not (folder / "config.json").exists():
        raise InputError(f"{folder} is no run directory: give one with a config.json")
    if not (folder / "done").exists():
        raise InputError(f"{folder} is not finished: go on with scripts/run.py --resume --workdir {folder}")
    lines = record.metrics(folder / "metrics.jsonl")
    try:
        facts = json.loads((folder / "config.json").read_text())
        config = ConfigDict(facts["config"])
        inputs = {name: _found(name, facts["inputs"][name], config) for name in ("content", "style")}
        style_layers = tuple(config.loss.style_layers)
        terms = {name: value for name, value in lines[-1].items() if name not in record.COUNTERS}
    except InputError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}/config.json or metrics.jsonl is damaged: run it again") from error
    if not (folder / "image.png").exists():
        raise InputError(f"{folder}/image.png is not there: run it again")
    result = {"path": "image.png", "sha256": files.sha256(folder / "image.png")}
    return Finished({"result": result} | inputs, style_layers, terms, config)


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
