"""Config files, which are Python modules."""

import importlib.util
from pathlib import Path
from types import ModuleType

from nst.errors import InputError


def load_file(path: Path) -> ModuleType:
    """Load a config file as a module; its `get_config()` returns the config.

    Raises:
      InputError: The path is not a Python file.
    """
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if specification is None or specification.loader is None:
        raise InputError(f"{path} is not a Python file: give a config such as configs/gatys.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
