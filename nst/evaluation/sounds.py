"""Sounds, of runs or made by any program: read, brought to a length, compared."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nst import files, record, sounds
from nst.errors import InputError, RunError
from nst.metrics import BASELINES, sound
from nst.sounds import SoundWarning


def are_sounds(results: Sequence[Path]) -> bool:
    """Whether these are sounds, by their extensions, and not pictures.

    Raises:
      InputError: Some are and some are not.
    """
    heard = {path.suffix.lower() in sounds.EXTENSIONS: path for path in results}
    if len(heard) > 1:
        raise InputError(f"{heard[True]} is a sound and {heard[False]} is not: evaluate them apart")
    return True in heard


def of_sounds(content: str, style: str, results: Sequence[Path]) -> dict[str, Any]:
    """Evaluate sounds that any program made, at 22 050 Hz.

    Args:
      content: A path or a sample's name.
      style: The same, of any length.
      results: Paths; one of another length than the content is cut or goes on in silence, with a warning.

    Returns:
      As `nst.evaluation.of_pictures`; `size` are the samples compared, and there are no `layers`.

    Raises:
      InputError: A sound can't be read or is too short.
      RunError: Memory ran out.
    """
    target, wanted = (sounds.read(name, rate=sound.RATE).samples for name in (content, style))
    named = {str(path): _of_length(path, len(target)) for path in results}
    figures = compared(target, wanted, named)
    paths = {"content": content, "style": style} | {name: name for name in named}
    return {
        "results": {name: figures[name] for name in named},
        "baselines": {name: figures[name] for name in BASELINES},
        "layers": {},
        "size": [len(target)],
        "inputs": {name: _file(path) for name, path in paths.items()},
        "versions": record.versions(),
    }


def compared(
    content: np.ndarray, style: np.ndarray, results: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Figures as `nst.metrics.sound.evaluate` gives them, of sounds at its rate.

    Raises:
      InputError: As there.
      RunError: Memory ran out.
    """
    try:
        return sound.evaluate(content, style, results, rate=sound.RATE)
    except MemoryError as error:
        seconds = max(len(content), len(style)) / sound.RATE
        reason = " ".join(str(error).split()) or "memory ran out"
        raise RunError(
            f"{seconds:.0f} s of sound could not be evaluated ({reason}): shorten the sounds"
        ) from error


def _of_length(path: Path, samples: int) -> np.ndarray:
    result = sounds.read(path, rate=sound.RATE).samples
    if len(result) != samples:
        had, has = (f"{n / sound.RATE:.3f}" for n in (len(result), samples))
        how = "cut" if len(result) > samples else "continued in silence"
        warnings.warn(f"{path} lasts {had} s: {how} to {has}, as the content", SoundWarning, stacklevel=3)
    return np.pad(result[:samples], ((0, max(0, samples - len(result))), (0, 0)))


def _file(name: str) -> dict[str, str]:
    path = sounds.list_sounds(name)[0]
    return {"path": str(path), "sha256": files.sha256(path)}
