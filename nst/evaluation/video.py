"""Evaluation of video, from runs or made by any program."""

import itertools
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from nst import config, files, images, video
from nst.errors import InputError, RunError
from nst.evaluation import image
from nst.evaluation.modality import FOLDER, Compared, Evaluation
from nst.metrics import BASELINES, evaluate
from nst.metrics.video import VIDEO_METRICS, Footage, check, numbers, over_frames, temporal
from nst.runs import follow
from nst.runs.finished import Finished, written
from nst.types import Style, Values
from nst.video import VideoWarning

# A share of the aspect; in small frames the rounding of a side to an even number is more.
_SAME_ASPECT = 0.02


class Reference(NamedTuple):
    """The content and the styles that results are compared with.

    Attributes:
      content: The content, read frame by frame.
      styles: The styles in the size in which they are used.
    """

    content: Footage
    styles: Sequence[Style]


def describe(folder: Path, run: Finished) -> dict[str, Any]:
    """Return the layers, inputs as the run wrote them, and versions on which its metrics depend.

    Raises:
      InputError: A file is absent.
    """
    names = run.modality.names(run.inputs)
    inputs = {name: written(folder, run.modality.file(name).name) for name in names}
    return _facts(image.style_layers(run), inputs)


def _facts(style_layers: Sequence[str], inputs: Values) -> dict[str, Any]:
    facts = image.facts(style_layers)
    return facts | {"inputs": {**inputs, **facts["inputs"]}}


def metrics(run: Finished) -> Sequence[str]:
    """Return the names of a run's metrics, which depend on its style layers and on the number of styles."""
    return [*VIDEO_METRICS, *over_frames([dict.fromkeys(image.metrics(run), 0.0)])]


def key(run: Finished, inputs: Values) -> str:
    """Return a key that runs share if their results are compared with the same files in the same layers."""
    hashes = {name: inputs[name]["sha256"] for name in run.modality.names(inputs)}
    return json.dumps([hashes, image.style_layers(run)])


def read(folder: Path, run: Finished, inputs: Values) -> tuple[Footage, Reference]:
    """Return the result and what it is compared with, as the run wrote them."""
    result, content = (
        footage(folder / name) for name in (run.modality.result.name, inputs["content"]["path"])
    )
    names = [name for name in run.modality.names(inputs) if name != "content"]
    styles = [Style(images.read(folder / inputs[name]["path"])) for name in names]
    return result, Reference(content, styles)


def footage(name: str | Path, size: tuple[int, int] | None = None) -> Footage:
    """Return a clip whose frames are read when they are needed, resized to `size` (height, width).

    Raises:
      InputError: It can't be read to its end, or has one frame only.
    """
    times = video.timeline(name)
    if len(times) < 3:
        raise InputError(f"{name} has one frame: give a clip, or an image with inputs that are images")
    frames = len(times) - 1

    def read() -> Any:
        return (_resized(frame.image, size) for frame in video.read(name))

    return Footage(read, frames, frames / float(times[-1]))


def _resized(frame: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    if size is None or frame.shape[:2] == size:
        return frame
    return images.eight_bits(images.resize(frame.astype(np.float32) / 255, *size))


def compare(reference: Reference, results: Mapping[str, Footage], run: Finished) -> Compared:
    """Return the metrics of results of one content and the same styles, in the style layers of `run`."""
    return _compared(reference, results, image.style_layers(run))


def _compared(reference: Reference, results: Mapping[str, Footage], style_layers: Sequence[str]) -> Compared:
    """Return the metrics of results and baselines; over time, the first style is a clip that does not change."""
    content, style = BASELINES
    clips = {**results, content: reference.content}
    check(clips)
    try:
        of_frames = _of_frames(reference, results, style_layers)
        over_time = temporal(clips | {style: _still(reference)})
    except (MemoryError, jax.errors.JaxRuntimeError) as error:  # on a CPU, XLA's message may not name memory
        raise RunError(
            f"the video could not be evaluated ({' '.join(str(error).split()) or 'memory ran out'}); "
            "if memory ran out, compare the clips with --content, --style and a smaller --size"
        ) from error
    figures = {name: over_time[name].metrics | over_frames(rows) for name, rows in of_frames.items()}
    return Compared(figures, {name: over_time[name].by_frame for name in clips})


def _still(reference: Reference) -> Footage:
    """Return the first style in the size of the content, over and over."""
    content = reference.content
    height, width = next(content.frames()).shape[:2]
    frame = images.eight_bits(images.cover(reference.styles[0].image, height, width))
    return content._replace(frames=lambda: itertools.repeat(frame, content.length))


def _of_frames(
    reference: Reference, results: Mapping[str, Footage], style_layers: Sequence[str]
) -> dict[str, list[dict[str, float]]]:
    """Return the metrics of images of some frames of the results and the baselines."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in (*results, *BASELINES)}
    content, styles = reference
    chosen, clips = numbers(content.length), (content, *results.values())
    for number, frames in enumerate(zip(*(clip.frames() for clip in clips), strict=True)):
        if number in chosen:
            target, *others = (frame.astype(np.float32) / 255 for frame in frames)
            named = dict(zip(results, others, strict=True))
            figures = evaluate(target, styles, named, extractor=image.network(), style_layers=style_layers)
            for name, row in figures.items():
                rows[name].append(row)
    return rows


def of_videos(content: str, style: str, results: Sequence[Path], size: int | None = None) -> dict[str, Any]:
    """Evaluate video that any program made.

    Args:
      content: A path, also of a folder of frames, or a sample's name.
      style: An image: a path or a sample's name; it is resized to the content's longest side.
      results: Paths, also of folders of frames, with the frames of the content. A result of another size and the same
        aspect is resized to the content's, with a warning.
      size: Longest side, pixels, that the content is resized to; by default its own.

    Returns:
      As `nst.evaluation.image.of_images`; `size` is width, height and number of frames, and `by_frame` has the
      values of `nst.metrics.video.Temporal.by_frame` of each result and of `content`.

    Raises:
      InputError: A file can't be read, or a result has another number of frames or another aspect.
    """
    if size is not None and size < 1:
        raise InputError(f"--size {size}: give a number of pixels above 0")
    clip = video.probe(content)
    shape = images.fit_size(clip.height, clip.width, size or max(clip.height, clip.width))
    style_image = images.fit(images.read(style), max(shape))
    for path in results:
        _check_size(path, shape)
    target = footage(content, shape)
    named = {str(path): footage(path, shape) for path in results}
    layers = tuple(follow.resolved(config.base()).loss.style_layers)
    figures, by_frame = _compared(Reference(target, [Style(style_image)]), named, layers)
    paths = {"content": video.find(content), "style": images.list_images(style)[0]}
    paths |= {name: Path(name) for name in named}
    return {
        "results": {name: figures[name] for name in named},
        "baselines": {name: figures[name] for name in BASELINES},
        "size": [*shape[::-1], target.length],
        "by_frame": by_frame,
    } | _facts(
        layers, {name: {"path": str(path), "sha256": files.sha256(path)} for name, path in paths.items()}
    )


def _check_size(path: Path, size: tuple[int, int]) -> None:
    """Warn of a result of another size than the content; raise InputError if it has another aspect."""
    clip = video.probe(path)
    if (clip.height, clip.width) == size:
        return
    before, after = (f"{width}×{height}" for height, width in ((clip.height, clip.width), size))
    ratio = clip.height * size[1] / (clip.width * size[0])
    if abs(ratio - 1) > max(_SAME_ASPECT, 2 / min(clip.height, clip.width)):
        raise InputError(
            f"{path} has {before} pixels, which is not the aspect of the content, {after}: crop either one"
        )
    warnings.warn(
        f"{path} has {before} pixels: resized to {after}, as the content", VideoWarning, stacklevel=3
    )


VIDEO = Evaluation(
    describe=describe,
    metrics=metrics,
    key=key,
    read=read,
    compare=compare,
    extensions=frozenset({*video.EXTENSIONS, FOLDER} - {".gif"}),
    of_results=of_videos,
)
