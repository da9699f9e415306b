"""The optional packages that audio needs, imported on first use."""

import importlib
from types import ModuleType

from nst.errors import InputError


def soundfile() -> ModuleType:
    """Return the package soundfile, for libsndfile, which decodes and encodes.

    Raises:
      InputError: It is not installed.
    """
    return _imported("soundfile")


def soxr() -> ModuleType:
    """Return the package soxr, for libsoxr, which resamples.

    Raises:
      InputError: It is not installed.
    """
    return _imported("soxr")


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:  # OSError: its C library is missing
        raise InputError(f"audio needs {name}, which is not installed: pip install 'nst[audio]'") from error
