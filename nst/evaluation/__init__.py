"""What `scripts/evaluate.py` does: every metric of finished runs, or of any pictures, beside the two baselines."""

import functools
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from nst import config, features, files, images, record
from nst.arguments import Parser
from nst.errors import InputError
from nst.evaluation import table
from nst.experiment.finished import finished, pictures
from nst.images import PictureWarning
from nst.metrics import BASELINES, evaluate, held_out, names

FILE = "evaluation.json"
_WEIGHTS = features.weights.DEFAULT


@functools.cache
def network() -> features.VGG19:
    """The network of every evaluation, whatever the run's own was, so that runs compare.

    VGG-19 as it was trained: the original weights, max pooling, zeros around, exact products in float32.
    """
    return features.load("vgg19", weights=_WEIGHTS, pooling="max", padding="zeros", convolution="direct")


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments (without the program's name) ask for."""
    parser = Parser(prog="scripts/evaluate.py", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="directories of runs or sweeps, or results")
    parser.add_argument("--content", help="the content picture of the results")
    parser.add_argument("--style", help="the style picture of the results")
    parser.add_argument("--size", type=int, help="longest side that content and style are brought to")
    parser.add_argument("--json", type=Path, help="write the figures of the results here")
    parser.add_argument("--again", action="store_true", help="also what is evaluated already")
    options = parser.parse_args(list(arguments))
    if options.content is None and options.style is None:
        if options.size is not None or options.json is not None:
            raise InputError("--size and --json are for results: add their --content and --style")
        of_runs([folder for path in options.paths for folder in runs(path)], again=options.again)
        return
    if options.content is None or options.style is None or options.again:
        raise InputError("results need both --content and --style, and no --again")
    found = of_pictures(options.content, options.style, options.paths, size=options.size)
    if options.json is not None:
        record.write_json(options.json, found)
    baselines = {"baselines": found["baselines"], "layers": found["layers"]}
    table.show({name: baselines | {"metrics": row} for name, row in found["results"].items()})


def runs(path: Path) -> list[Path]:
    """A run directory itself; of a sweep's, or of a folder of runs, those that are finished.

    Raises:
      InputError: There is none.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such directory: give one of scripts/run.py or scripts/sweep.py")
    if (path / "config.json").exists():
        return [path]
    within = path / "trials" if (path / "trials").is_dir() else path
    found = sorted(done.parent for done in within.glob("*/done"))
    if not found:
        raise InputError(
            f"{path} has no finished run: give a directory of scripts/run.py or scripts/sweep.py"
        )
    return found


def of_runs(folders: Sequence[Path], *, again: bool = False) -> None:
    """Evaluate finished runs and print their figures; one that can't be leaves the others alone.

    Raises:
      InputError: One or more can't be evaluated, told when all others are.
    """
    found, errors = {}, []
    for folder in track(folders, "evaluating", console=Console(stderr=True), transient=True):
        try:
            found[str(folder)] = of_run(folder, again=again)
        except InputError as error:
            errors.append(error)
    table.show(found)
    if errors:
        more = f" ({len(errors) - 1} more could not be evaluated either)" if len(errors) > 1 else ""
        raise InputError(f"{errors[0]}{more}") from errors[0]


def of_run(folder: Path, *, again: bool = False) -> dict[str, Any]:
    """Evaluate a finished run and keep it as `evaluation.json`, or read that where it is of the same.

    Args:
      folder: The run directory.
      again: Evaluate it in any case.

    Returns:
      `metrics` of the result and `baselines`, by the names of `METRICS`; `terms` of the loss at the end; `layers`
      optimised and held out; path and SHA-256 of `inputs`; `versions`.

    Raises:
      InputError: The run can't be evaluated.
    """
    run = finished(folder)
    facts = {"terms": run.terms, "layers": _layers(run.style_layers)}
    facts |= {"inputs": run.inputs | {"weights": _weights()}, "versions": _versions()}
    earlier = _earlier(folder / FILE)
    if not again and _is_of(earlier, facts, names(run.style_layers)):
        return earlier
    result, content, style = pictures(folder, run)
    try:
        figures = evaluate(
            content, style, {"result": result}, extractor=network(), style_layers=run.style_layers
        )
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error
    found = {"metrics": figures.pop("result"), "baselines": figures} | facts
    record.write_json(folder / FILE, found)
    return found


def of_pictures(
    content: str, style: str, results: Sequence[Path], *, size: int | None = None
) -> dict[str, Any]:
    """Evaluate pictures that any program made.

    Args:
      content: A path or a sample's name.
      style: The same; brought to the content's longest side.
      results: Paths; one of another size than the content is resized to that, with a warning.
      size: Longest side, pixels, that the content is brought to; its own by default.

    Returns:
      As `of_run`, `results` by path in place of `metrics`, and no `terms`. The layers optimised are taken to be
      those of the paper, the default of a config.

    Raises:
      InputError: A picture can't be read or is too small.
    """
    if size is not None and size < 1:
        raise InputError(f"--size {size}: give a number of pixels above 0")
    target = images.read(content)
    target = images.fit(target, size or max(target.shape[:2]))
    wanted = images.fit(images.read(style), max(target.shape[:2]))
    layers = tuple(config.base().loss.style_layers)
    named = {str(path): _resized(path, target.shape[:2]) for path in results}
    figures = evaluate(target, wanted, named, extractor=network(), style_layers=layers)
    paths = {"content": content, "style": style} | {name: name for name in named}
    inputs = {name: _file(path) for name, path in paths.items()} | {"weights": _weights()}
    return {
        "results": {name: figures[name] for name in named},
        "baselines": {name: figures[name] for name in BASELINES},
        "layers": _layers(layers),
        "size": [*target.shape[1::-1]],
        "inputs": inputs,
        "versions": _versions(),
    }


def _resized(path: Path, size: tuple[int, int]) -> np.ndarray:
    result = images.read(path)
    if result.shape[:2] != size:
        had, has = (f"{width}×{height}" for height, width in (result.shape[:2], size))
        warnings.warn(
            f"{path} has {had} pixels: resized to {has}, as the content", PictureWarning, stacklevel=3
        )
    return images.resize(result, *size)


def _file(picture: str) -> dict[str, str]:
    path = images.list_pictures(picture)[0]
    return {"path": str(path), "sha256": files.sha256(path)}


def _weights() -> dict[str, Any]:
    return {"path": _WEIGHTS, "sha256": features.weights.digest(_WEIGHTS)}


def _versions() -> dict[str, str]:
    return record.versions("scikit-image")


def _layers(style_layers: Sequence[str]) -> dict[str, list[str]]:
    return {"optimised": [*style_layers], "held_out": [*held_out(style_layers)]}


def _is_of(earlier: Mapping[str, Any], facts: Mapping[str, Any], wanted: Sequence[str]) -> bool:
    return all(earlier.get(key) == value for key, value in facts.items()) and [*earlier["metrics"]] == [
        *wanted
    ]


def _earlier(path: Path) -> dict[str, Any]:
    """What was written before; nothing if that can't be read, for it is written anew."""
    try:
        found = json.loads(path.read_text())
        return found if isinstance(found, dict) and isinstance(found.get("metrics"), dict) else {}
    except (OSError, ValueError):
        return {}
