"""The optional packages that video needs, imported on first use."""

import importlib
from typing import Any

from nst.errors import InputError


def av() -> Any:
    """Return the package av (PyAV), for FFmpeg, which decodes and encodes.

    Raises:
      InputError: It is not installed.
    """
    return _imported("av", "av")


def cv2() -> Any:
    """Return the package opencv-python-headless, for optical flow.

    Raises:
      InputError: It is not installed.
    """
    return _imported("cv2", "opencv-python-headless")


def _imported(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:  # OSError: a C library is missing
        raise InputError(
            f"video needs {package}, which is not installed: pip install 'nst[video]'"
        ) from error
