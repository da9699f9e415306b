"""Evaluation of images, from runs or made by any program."""

import functools
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from nst import config, features, files, images, record
from nst.config import fields
from nst.errors import InputError, RunError
from nst.evaluation.modality import Compared, Evaluation, Figures
from nst.images import ImageWarning
from nst.metrics import BASELINES, NETWORK, evaluate, held_out, names
from nst.runs import follow
from nst.runs.finished import Finished, undamaged
from nst.runs.follow import reloaded
from nst.runs.guidance import further, is_mask
from nst.runs.image_task import loaded
from nst.runs.modality import Job
from nst.transfer.styles import regions_at, style_at
from nst.types import Image, Mask, Network, Style, Values

_WEIGHTS = features.NETWORKS[NETWORK].default_weights


@functools.cache
def network() -> Network:
    """Return the network of all evaluations: the same one for all runs, so that they can be compared.

    It is used as it was trained: original weights, max pooling, zero padding, exact products in float32.
    """
    return features.load(
        NETWORK,
        weights=_WEIGHTS,
        pooling="max",
        padding="zeros",
        convolution="direct",
        normalise="none",
    )


def describe(folder: Path, run: Finished) -> dict[str, Any]:
    """Return the layers, inputs and versions on which the metrics of a run depend.

    Raises:
      InputError: An image is absent or has changed since the run.
    """
    with undamaged(folder):
        inputs = {name: _located(name, run) for name in run.modality.names(run.inputs)}
        layers = _layers(style_layers(run))
    return {"layers": layers, "inputs": inputs | {"weights": _weights()}, "versions": _versions()}


def _located(name: str, run: Finished) -> dict[str, str]:
    """Return path and hash of an input, at its recorded path or where the config names it; refuse another image."""
    recorded = run.inputs[name]
    path = Path(recorded["path"])
    if not path.is_file():
        path = _named(name, run)
    if files.sha256(path) != recorded["sha256"]:
        raise InputError(
            f"{path} is no longer the {name} image of the run: restore the image, or repeat the run"
        )
    return {"path": str(path), "sha256": recorded["sha256"]}


def _named(name: str, run: Finished) -> Path:
    """Return the file of an input where the config names it."""
    if name in run.modality.inputs:
        return run.modality.find(run.config, name)[0]
    main = {each: Path(run.inputs[each]["path"]) for each in run.modality.inputs}
    return further(reloaded(dict(fields(run.config))), main)[name]


def metrics(run: Finished) -> Sequence[str]:
    """Return the names of a run's metrics, which depend on its style layers and masks."""
    keep = "keep" in run.inputs or bool(run.config.images.get("keep"))
    masked = any(name == "style_2" or is_mask(name) for name in run.inputs)
    return names(style_layers(run), masked=masked, keep=keep)


def style_layers(run: Finished) -> tuple[str, ...]:
    """Return the layers of the evaluation's network that a run has optimized; none if the run had another network."""
    own = run.config.features.get("network", NETWORK)
    return tuple(run.config.loss.style_layers) if own == NETWORK else ()


class Reference(NamedTuple):
    """The content and the styles that results are compared with, in their size.

    Attributes:
      content: `[h, w, 3]`.
      styles: The styles at the size of the last scale, with their masks.
      keep: `[h, w]`, 1 where results are the content itself; None if nothing is kept.
    """

    content: Image
    styles: Sequence[Style]
    keep: Mask | None


# Fields of the group `images` that change a result, but not what it is compared with.
_OF_RESULT = ("init", "seed", "strength", "guidance", "style_weights")


def key(run: Finished, inputs: Values) -> str:
    """Return a key that runs share if their results are compared with the same images in the same layers."""
    hashes = {name: inputs[name]["sha256"] for name in run.modality.names(inputs)}
    framing = {name: value for name, value in run.config.images.items() if name not in _OF_RESULT}
    return json.dumps([hashes, framing, style_layers(run)])


def read(folder: Path, run: Finished, inputs: Values) -> tuple[np.ndarray, Reference]:
    """Return the result, `[h, w, 3]`, and what it is compared with."""
    result = images.read(folder / run.modality.result.name)
    size = (result.shape[0], result.shape[1])
    paths = {name: Path(inputs[name]["path"]) for name in run.modality.names(inputs)}
    config = reloaded(dict(fields(run.config)))
    config.images.alpha = "flatten"  # images are compared on white
    content, _, styles, regions = loaded(config, Job(paths, folder), images.MAX_PIXELS)
    side = config.images.size * float(config.images.style_scale)
    fitted = [style_at(style, side, size) for style in styles]
    return result, Reference(images.resize(content, *size), fitted, regions_at(regions, size).keep)


def compare(reference: Reference, results: Mapping[str, np.ndarray], run: Finished) -> Compared:
    """Return the metrics of results of one content and the same styles, in the style layers of `run`."""
    return Compared(_compared(reference, results, style_layers(run)))


def _compared(reference: Reference, results: Mapping[str, np.ndarray], layers: Sequence[str]) -> Figures:
    content, styles, keep = reference
    try:
        return evaluate(content, styles, results, extractor=network(), style_layers=layers, keep=keep)
    except (MemoryError, jax.errors.JaxRuntimeError) as error:  # on a CPU, XLA's message may not name memory
        height, width = content.shape[:2]
        raise RunError(
            f"{width}×{height} pixels could not be evaluated ({' '.join(str(error).split()) or 'memory ran out'}); "
            "if memory ran out, compare the images with --content, --style and a smaller --size"
        ) from error


def of_images(content: str, style: str, results: Sequence[Path], size: int | None = None) -> dict[str, Any]:
    """Evaluate images that any program made.

    Args:
      content: A path or a sample's name.
      style: The same; it is resized to the content's longest side.
      results: Paths. A result of another size than the content is resized to it, with a warning.
      size: Longest side, pixels, that the content is resized to; by default its own.

    Returns:
      As `nst.evaluation.of_runs`, with `results` by path in place of `metrics`, and without `terms`. The optimized
      layers are taken to be those of the default config.

    Raises:
      InputError: An image can't be read or is too small.
    """
    if size is not None and size < 1:
        raise InputError(f"--size {size}: give a number of pixels above 0")
    content_image = images.read(content)
    content_image = images.fit(content_image, size or max(content_image.shape[:2]))
    style_image = images.fit(images.read(style), max(content_image.shape[:2]))
    layers = tuple(follow.resolved(config.base()).loss.style_layers)
    named = {str(path): _resized(path, content_image.shape[:2]) for path in results}
    figures = _compared(Reference(content_image, [Style(style_image)], None), named, layers)
    paths = {"content": content, "style": style} | {name: name for name in named}
    inputs = {name: _file(path) for name, path in paths.items()} | {"weights": _weights()}
    return {
        "results": {name: figures[name] for name in named},
        "baselines": {name: figures[name] for name in BASELINES},
        "layers": _layers(layers),
        "size": [*content_image.shape[1::-1]],
        "inputs": inputs,
        "versions": _versions(),
    }


def _resized(path: Path, size: tuple[int, int]) -> np.ndarray:
    result = images.read(path)
    if result.shape[:2] != size:
        before, after = (f"{width}×{height}" for height, width in (result.shape[:2], size))
        warnings.warn(
            f"{path} has {before} pixels: resized to {after}, as the content", ImageWarning, stacklevel=3
        )
    return images.resize(result, *size)


def _file(name: str) -> dict[str, str]:
    path = images.list_images(name)[0]
    return {"path": str(path), "sha256": files.sha256(path)}


def _weights() -> dict[str, Any]:
    return {"path": _WEIGHTS, "sha256": features.weights.digest(_WEIGHTS)}


def _versions() -> dict[str, str]:
    return record.versions("scikit-image")


def facts(style_layers: Sequence[str]) -> dict[str, Any]:
    """Return what all metrics of images in these style layers depend on: layers, weights and versions."""
    return {"layers": _layers(style_layers), "inputs": {"weights": _weights()}, "versions": _versions()}


def _layers(style_layers: Sequence[str]) -> dict[str, list[str]]:
    return {"optimized": [*style_layers], "held_out": [*held_out(style_layers)]}


IMAGE = Evaluation(
    describe=describe,
    metrics=metrics,
    key=key,
    read=read,
    compare=compare,
    extensions=frozenset(),
    of_results=of_images,
)
