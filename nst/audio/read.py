"""Reading of audio: a path or a sample's name in, float32 samples of one or two channels out."""

import warnings
from collections.abc import Collection
from pathlib import Path

import numpy as np

from nst import inputs
from nst.audio import samples
from nst.audio.decode import decode
from nst.audio.formats import SUPPORTED
from nst.audio.resample import check_rate, resample
from nst.types import Audio

#: The longest audio that is read by default, s: longer files are likely chosen by mistake.
MAX_SECONDS = 600.0

#: The extensions of audio files in a folder, in lower case.
EXTENSIONS = {
    ".wav",
    ".wave",
    ".flac",
    ".ogg",
    ".oga",
    ".opus",
    ".mp3",
    ".aif",
    ".aiff",
    ".aifc",
    ".caf",
    ".au",
}

_KIND = inputs.Kind("audio file", EXTENSIONS, SUPPORTED, samples.NAMES, samples.locate)


class AudioWarning(UserWarning):
    """Audio is not read exactly as it is stored."""


def read(name: str | Path, *, rate: int | None = None, max_seconds: float = MAX_SECONDS) -> Audio:
    """Read audio as float32 samples `[n, channels]`, mono or stereo.

    Integers are scaled to a full scale of ±1; floats are kept, even beyond ±1. More than two channels are averaged to
    mono, with an `AudioWarning`: few files say which speaker a channel is for. Silent files are valid.

    Args:
      name: The name of a sample, or a path (`./rain` or a `Path` if it is also the name of a sample).
      rate: Sampling rate to resample to, Hz; by default the file's own.
      max_seconds: The longest audio to decode.

    Raises:
      InputError: There is no such file or sample, or it can't be read to its end.

    Example:
      >>> samples, rate = nst.audio.read("melody", rate=22_050)
      >>> samples.shape, rate
      ((174416, 1), 22050)
    """
    if rate is not None:
        check_rate(rate, "rate")
    path = inputs.find(name, _KIND)
    decoded = decode(path, max_seconds)
    channels = decoded.samples.shape[1]
    if channels > 2:
        warnings.warn(f"{path} has {channels} channels: their mean is read", AudioWarning, stacklevel=2)
        mean = decoded.samples.mean(axis=1, keepdims=True, dtype=np.float64)
        decoded = decoded._replace(samples=mean.astype(np.float32))
    return decoded if rate is None else resample(decoded, rate)


def each(name: str) -> list[str]:
    """Return the config values of single audio files: the paths in a folder, or the name of one file or sample.

    Raises:
      InputError: As `list_audio`.
    """
    return [*map(str, list_audio(name))] if inputs.is_folder(name, _KIND) else [name]


def list_audio(path: str | Path, words: Collection[str] = ()) -> list[Path]:
    """Return the paths of the audio files in a folder, sorted by name, without subfolders; of a single one, its path.

    Raises:
      InputError: There is no such file, folder or sample, or the folder has no audio file.
    """
    return inputs.find_all(path, _KIND._replace(words=words))
