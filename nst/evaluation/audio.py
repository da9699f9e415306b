"""Evaluation of audio, from runs or made by any program."""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nst import audio, files, record
from nst.audio import AudioWarning
from nst.errors import InputError, RunError
from nst.evaluation.modality import Compared, Evaluation, Figures
from nst.metrics import BASELINES
from nst.metrics import audio as audio_metrics
from nst.runs.finished import Finished, written
from nst.types import Values


def describe(folder: Path, run: Finished) -> dict[str, Any]:
    """Return the inputs, as the run wrote them, and the versions on which its metrics depend; `layers` is empty.

    Raises:
      InputError: A file is absent, or the run has several styles.
    """
    if "style_2" in run.inputs:
        raise InputError(
            f"{folder} has several styles: compare its audio.wav with each of them by --content and --style"
        )
    inputs = {name: written(folder, file.name) for name, file in run.modality.inputs.items()}
    return {"layers": {}, "inputs": inputs, "versions": record.versions()}


def metrics(run: Finished) -> Sequence[str]:
    """Return the names of a run's metrics."""
    return audio_metrics.names()


def key(run: Finished, inputs: Values) -> str:
    """Return a key that runs share if their results are compared with the same audio."""
    return json.dumps([inputs[name]["sha256"] for name in run.modality.inputs])


def read(folder: Path, run: Finished, inputs: Values) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return samples `[n, channels]` of the result, and of content and style, that the run wrote, at 22 050 Hz."""
    names = (run.modality.result.name, inputs["content"]["path"], inputs["style"]["path"])
    result, content, style = (audio.read(folder / name, rate=audio_metrics.RATE).samples for name in names)
    return result, (content, style)


def compare(
    inputs: tuple[np.ndarray, np.ndarray], results: Mapping[str, np.ndarray], run: Finished
) -> Compared:
    """Return the metrics of results of one content and style."""
    return Compared(_compared(*inputs, results))


def of_audio(content: str, style: str, results: Sequence[Path], size: int | None = None) -> dict[str, Any]:
    """Evaluate audio that any program made, at 22 050 Hz.

    Args:
      content: A path or a sample's name.
      style: The same, of any length.
      results: Paths. A result longer than the content is cut, a shorter one continued in silence, with a warning.
      size: None; a size is for images only.

    Returns:
      As `nst.evaluation.image.of_images`; `size` is the number of samples compared, and `layers` is empty.

    Raises:
      InputError: A file can't be read or is too short, or a size is given.
      RunError: Memory ran out.
    """
    if size is not None:
        raise InputError(f"--size {size} is for images: leave it out, audio is compared at its length")
    content_samples, style_samples = (
        audio.read(name, rate=audio_metrics.RATE).samples for name in (content, style)
    )
    named = {str(path): _of_length(path, len(content_samples)) for path in results}
    figures = _compared(content_samples, style_samples, named)
    paths = {"content": content, "style": style} | {name: name for name in named}
    return {
        "results": {name: figures[name] for name in named},
        "baselines": {name: figures[name] for name in BASELINES},
        "layers": {},
        "size": [len(content_samples)],
        "inputs": {name: _file(path) for name, path in paths.items()},
        "versions": record.versions(),
    }


def _compared(content: np.ndarray, style: np.ndarray, results: Mapping[str, np.ndarray]) -> Figures:
    try:
        return audio_metrics.evaluate(content, style, results, rate=audio_metrics.RATE)
    except MemoryError as error:
        seconds = max(len(content), len(style)) / audio_metrics.RATE
        reason = " ".join(str(error).split()) or "memory ran out"
        raise RunError(
            f"{seconds:.0f} s of audio could not be evaluated ({reason}): shorten the audio"
        ) from error


def _of_length(path: Path, samples: int) -> np.ndarray:
    result = audio.read(path, rate=audio_metrics.RATE).samples
    if len(result) != samples:
        before, after = (f"{n / audio_metrics.RATE:.3f}" for n in (len(result), samples))
        how = "cut" if len(result) > samples else "continued in silence"
        warnings.warn(
            f"{path} lasts {before} s: {how} to {after}, as the content", AudioWarning, stacklevel=3
        )
    return np.pad(result[:samples], ((0, max(0, samples - len(result))), (0, 0)))


def _file(name: str) -> dict[str, str]:
    path = audio.list_audio(name)[0]
    return {"path": str(path), "sha256": files.sha256(path)}


AUDIO = Evaluation(
    describe=describe,
    metrics=metrics,
    key=key,
    read=read,
    compare=compare,
    extensions=frozenset(audio.EXTENSIONS),
    of_results=of_audio,
)
