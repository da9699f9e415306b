"""Reader of safetensors, the format of ported files and of other programs."""

from pathlib import Path

import numpy as np
from safetensors import safe_open

from nst.features.weights.entries import Entries, Entry


def entries(path: Path) -> Entries:
    """Return the arrays of a file by name."""
    with safe_open(path, framework="numpy") as file:
        return {
            name: Entry(tuple(file.get_slice(name).get_shape()), lambda name=name: _read(path, name))
            for name in file.keys()  # noqa: SIM118 - not a dict: it can't be iterated over
        }


def metadata(path: Path) -> dict[str, str]:
    """Return the texts in the header of a file; empty if there are none."""
    with safe_open(path, framework="numpy") as file:
        return file.metadata() or {}


def _read(path: Path, name: str) -> np.ndarray:
    with safe_open(path, framework="numpy") as file:
        return file.get_tensor(name)
