"""Config files, which are Python modules with a function `get_config`."""

import importlib.util
import traceback
from pathlib import Path
from types import ModuleType

from ml_collections import ConfigDict

from nst.errors import InputError

_EXAMPLE = "give a config such as configs/gatys.py"


def load_file(path: Path) -> ModuleType:
    """Load a config file as a module.

    Raises:
      InputError: The path is not a Python file that can be loaded.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file: {_EXAMPLE}")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise InputError(f"{path} is not a Python file: {_EXAMPLE}")
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{_place(path, error)} can't be loaded: {_reason(error)}") from error
    return module


def get_config(path: Path, variant: str = "") -> ConfigDict:
    """Return the config of a config file.

    Args:
      path: The file.
      variant: The argument of its `get_config`; empty for none.

    Raises:
      InputError: The file can't be loaded, or does not return a config.
    """
    module = load_file(path)
    function = getattr(module, "get_config", None)
    if not callable(function):
        raise InputError(f"{path} has no get_config(): add one that returns nst.config.base() with changes")
    try:
        config = function(variant) if variant else function()
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{_place(path, error)}: get_config() fails: {_reason(error)}") from error
    if not isinstance(config, ConfigDict):
        kind = type(config).__name__
        raise InputError(f"{path}: get_config() returns {kind}: return nst.config.base() with changes")
    return config


def _place(path: Path, error: Exception) -> str:
    """Return the path with the number of the line that fails, if it is in the file."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path.absolute())
    ]
    if isinstance(error, SyntaxError):
        lines.append(error.lineno)
    return f"{path}, line {lines[-1]}" if lines else str(path)


def _reason(error: Exception) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}"
