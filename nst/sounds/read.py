"""Reading sounds: a path or a sample's name in, float32 samples of one or two channels out."""

import warnings
from pathlib import Path

import numpy as np

from nst import inputs
from nst.errors import InputError
from nst.sounds import samples
from nst.sounds.decode import decode
from nst.sounds.formats import SUPPORTED
from nst.sounds.resample import check_rate, resample
from nst.sounds.sound import Sound

#: What is transformed lasts seconds to minutes; the rest is files chosen by mistake.
MAX_SECONDS = 600.0

#: Of files that are taken for sounds, in small letters.
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


class SoundWarning(UserWarning):
    """A sound could not be read quite as it is."""


def read(sound: str | Path, *, rate: int | None = None, max_seconds: float = MAX_SECONDS) -> Sound:
    """Read a sound as float32 samples `[n, channels]`, mono or stereo.

    Integers are scaled so that full scale is ±1; floats stay as they are, beyond that too. Of more than two channels,
    whose places few files tell, the mean is read as mono, with a `SoundWarning`. Silence is a sound.

    Args:
      sound: A path, or the name of a sample (where both exist the path wins).
      rate: Hz, to resample to; the file's own if there is none.
      max_seconds: The longest sound to decode.

    Raises:
      InputError: There is no such sound, or it can't be read whole.
    """
    if rate is not None:
        check_rate(rate, "rate")
    path = _find(sound)
    found = decode(path, max_seconds)
    channels = found.samples.shape[1]
    if channels > 2:
        warnings.warn(f"{path} has {channels} channels: their mean is read", SoundWarning, stacklevel=2)
        mean = found.samples.mean(axis=1, keepdims=True, dtype=np.float64)
        found = found._replace(samples=mean.astype(np.float32))
    return found if rate is None else resample(found, rate)


def each(name: str) -> list[str]:
    """The names of the sounds of a folder, as a config has them; of one sound, its own.

    Raises:
      InputError: As `list_sounds`.
    """
    paths = list_sounds(name)
    return [*map(str, paths)] if Path(name).is_dir() else [name]


def list_sounds(path: str | Path) -> list[Path]:
    """The sounds of a folder, sorted by name and not of its subfolders; of one sound, itself.

    Raises:
      InputError: There is no such file, folder or sample, or the folder has no sound.
    """
    folder = Path(path)
    if not str(path):
        raise InputError("the name of a sound is empty: give a path, a folder or a sample's name")
    if not folder.is_dir():
        return [_find(path)]
    return inputs.listed(folder, EXTENSIONS, "sound", SUPPORTED)


def _find(sound: str | Path) -> Path:
    path = Path(sound)
    if inputs.exists(path, "sound"):
        return path
    sample = samples.locate(str(sound))
    if sample is None:
        names = ", ".join(samples.NAMES)
        raise InputError(f"{sound}: no such file, nor a sample of that name (samples: {names})")
    return sample
