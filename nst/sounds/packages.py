"""The packages that sounds need and pictures don't, imported where one is used."""

import importlib
from types import ModuleType

from nst.errors import InputError


def soundfile() -> ModuleType:
    """libsndfile, which decodes and encodes.

    Raises:
      InputError: It is not installed.
    """
    return _imported("soundfile")


def soxr() -> ModuleType:
    """libsoxr, which resamples.

    Raises:
      InputError: It is not installed.
    """
    return _imported("soxr")


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:  # OSError: the library in C that it stands on is missing
        raise InputError(f"sounds need {name}, which is not installed: pip install 'nst[audio]'") from error
