"""The optional package that video needs, imported on first use."""

import importlib
from typing import Any

from nst.errors import InputError


def av() -> Any:
    """Return the package av (PyAV), for FFmpeg, which decodes and encodes.

    Raises:
      InputError: It is not installed.
    """
    try:
        return importlib.import_module("av")
    except (ImportError, OSError) as error:  # OSError: a C library is missing
        raise InputError("video needs av, which is not installed: pip install 'nst[video]'") from error
