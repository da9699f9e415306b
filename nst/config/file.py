"""Config files, which are Python modules with a function `get_config`."""

import difflib
import importlib.util
import traceback
from pathlib import Path
from types import ModuleType

from ml_collections import ConfigDict

from nst.errors import InputError
from nst.files import user_path

_EXAMPLE = "give a config such as configs/gatys.py"

_PACKAGE = Path(__file__).parents[1]
#: Where nst's own configs are: in the wheel within the package, in a clone beside it.
_OWN = (_PACKAGE / "configs", _PACKAGE.parent / "configs")


def locate(name: str) -> Path:
    """Return the path of a config file; `gatys`, `presets/strotss` and `configs/gatys.py` are found from any folder."""
    path = user_path(name)
    own = [folder / name.removeprefix("configs/").removesuffix(".py") for folder in _OWN]
    candidates = [path, *(each.with_name(f"{each.name}.py") for each in own)]
    return next((each for each in candidates if each.is_file()), path)


def load_file(path: Path) -> ModuleType:
    """Load a config file as a module.

    Raises:
      InputError: The path is not a Python file that can be loaded.
    """
    if not path.exists():
        known = sorted({each.stem for folder in _OWN for each in folder.glob("*.py")})
        similar = difflib.get_close_matches(path.stem, known, n=3)
        hint = (
            f"did you mean {' or '.join(similar)}?"
            if similar
            else f"{_EXAMPLE}, or one of {', '.join(known)}"
        )
        raise InputError(f"{path}: no such file: {hint}")
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
