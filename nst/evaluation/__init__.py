"""What `scripts/evaluate.py` does: every metric of finished runs, or of any results, beside the two baselines."""

import functools
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from rich.console import Console
from rich.progress import track

from nst import config, features, files, images, record
from nst.arguments import Parser
from nst.errors import InputError, RunError
from nst.evaluation import table
from nst.evaluation.sounds import are_sounds, compared, of_sounds
from nst.images import PictureWarning
from nst.metrics import BASELINES, evaluate, held_out, names, sound
from nst.runs.finished import Finished, finished, heard, pictures

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
    parser.add_argument("--content", help="the content of the results")
    parser.add_argument("--style", help="the style of the results")
    parser.add_argument(
        "--size", type=int, help="longest side that content and style are brought to, of pictures"
    )
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
    found = _of_results(options.content, options.style, options.paths, options.size)
    if options.json is not None:
        record.write_json(options.json, found)
    baselines = {"baselines": found["baselines"], "layers": found["layers"]}
    table.show({name: baselines | {"metrics": row} for name, row in found["results"].items()})


def _of_results(content: str, style: str, results: Sequence[Path], size: int | None) -> dict[str, Any]:
    if not are_sounds(results):
        return of_pictures(content, style, results, size=size)
    if size is not None:
        raise InputError(f"--size {size} is for pictures: leave it out, sounds are compared at their length")
    return of_sounds(content, style, results)


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


def of_runs(folders: Sequence[Path], *, again: bool = False) -> dict[str, dict[str, Any]]:
    """Evaluate finished runs, keep that as `evaluation.json` in each, and print their figures.

    Runs of the same pictures or sounds share what is computed of those. One that can't be evaluated leaves the
    others alone.

    Args:
      folders: The run directories.
      again: Evaluate them in any case, also where that file is of the same.

    Returns:
      By folder `metrics` of the result and `baselines`, by the names of `METRICS`, of sounds of `SOUND_METRICS`;
      `terms` of the loss at the end; `layers` optimised and held out, none of sounds; path and SHA-256 of `inputs`;
      `versions`.

    Raises:
      InputError: One or more can't be evaluated, told when all others are.
      RunError: Memory ran out.
    """
    found: dict[str, dict[str, Any]] = {}
    errors: list[InputError] = []
    due: dict[str, list[_Due]] = {}
    for folder in folders:
        with _noted(errors):
            run = finished(folder)
            facts, wanted = _facts(run), sound.names() if run.is_sound else names(run.style_layers)
            earlier = _earlier(folder / record.EVALUATION)
            if not again and _is_of(earlier, facts, wanted):
                found[str(folder)] = earlier
            else:
                due.setdefault(_seen_of(run), []).append(_Due(folder, run, facts))
    groups = [runs[i : i + _TOGETHER] for runs in due.values() for i in range(0, len(runs), _TOGETHER)]
    for alike in track(groups, "evaluating", console=Console(stderr=True), transient=True):
        with _noted(errors):
            found |= _of_alike(alike, errors)
    short = len({folder.name for folder in folders}) == len(folders)
    shown = [folder for folder in folders if str(folder) in found]
    table.show({folder.name if short else str(folder): found[str(folder)] for folder in shown})
    if errors:
        more = f" ({len(errors) - 1} more could not be evaluated either)" if len(errors) > 1 else ""
        raise InputError(f"{errors[0]}{more}") from errors[0]
    return found


_TOGETHER = 16  # results in memory at once


class _Due(NamedTuple):
    """A run that is to be evaluated, and what its file will say beside the figures."""

    folder: Path
    run: Finished
    facts: dict[str, Any]


@contextmanager
def _noted(errors: list[InputError]) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        errors.append(error)


def _seen_of(run: Finished) -> str:
    """What runs have in common whose results are compared with the same sounds, or pictures in the same layers."""
    shas = [run.inputs[name]["sha256"] for name in ("content", "style")]
    if run.is_sound:
        return json.dumps(shas)
    framing = {name: value for name, value in run.config.images.items() if name not in ("init", "seed")}
    return json.dumps([shas, framing, run.style_layers])


def _of_alike(alike: Sequence[_Due], errors: list[InputError]) -> dict[str, dict[str, Any]]:
    """Evaluate runs of the same pictures or sounds together, or one by one if one of them can't be."""
    folders = [str(due.folder) for due in alike]
    try:
        figures = _figures(alike)
    except InputError as error:
        if len(alike) == 1:
            raise InputError(f"{folders[0]}: {str(error).removeprefix(f'{folders[0]}: ')}") from error
        found = {}
        for due in alike:
            with _noted(errors):
                found |= _of_alike([due], errors)
        return found
    baselines = {name: figures[name] for name in BASELINES}
    found = {}
    for due in alike:
        found[str(due.folder)] = {"metrics": figures[str(due.folder)], "baselines": baselines} | due.facts
        record.write_json(due.folder / record.EVALUATION, found[str(due.folder)])
    return found


def _figures(alike: Sequence[_Due]) -> dict[str, dict[str, float]]:
    run = alike[0].run
    read = {
        str(due.folder): heard(due.folder, sound.RATE) if run.is_sound else pictures(due.folder, due.run)
        for due in alike
    }
    _, content, style = next(iter(read.values()))
    results = {folder: result for folder, (result, _, _) in read.items()}
    if run.is_sound:
        return compared(content, style, results)
    return _compared(content, style, results, run.style_layers)


def _compared(
    content: np.ndarray, style: np.ndarray, results: Mapping[str, np.ndarray], layers: Sequence[str]
) -> dict[str, dict[str, float]]:
    try:
        return evaluate(content, style, results, extractor=network(), style_layers=layers)
    except (MemoryError, jax.errors.JaxRuntimeError) as error:  # XLA says anything at all on a CPU
        height, width = content.shape[:2]
        raise RunError(
            f"{width}×{height} pixels could not be evaluated ({' '.join(str(error).split()) or 'memory ran out'}); "
            "if it is memory, compare the pictures with --content, --style and a smaller --size"
        ) from error


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
      As `of_runs`, `results` by path in place of `metrics`, and no `terms`. The layers optimised are taken to be
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
    figures = _compared(target, wanted, named, layers)
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


def _facts(run: Finished) -> dict[str, Any]:
    """What a run's file says beside its figures; the network that pictures are seen through hears no sounds."""
    if run.is_sound:
        return {"terms": run.terms, "layers": {}, "inputs": run.inputs, "versions": record.versions()}
    inputs = run.inputs | {"weights": _weights()}
    layers = _layers(run.style_layers)
    return {"terms": run.terms, "layers": layers, "inputs": inputs, "versions": _versions()}


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
