"""Reader of NumPy's .npz, without pickle."""

import zipfile
from pathlib import Path

import numpy as np

from nst.features.weights.entries import Entries, Entry, Unreadable

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def entries(path: Path) -> Entries:
    """Return the arrays of a file by name, without the `.npy`."""
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if name.endswith(".npy")]
        return {member.removesuffix(".npy"): _entry(path, archive, member) for member in members}


def _entry(path: Path, archive: zipfile.ZipFile, member: str) -> Entry:
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in _HEADERS:
            raise Unreadable(f"{member} has version {version} of the .npy format: save it again with NumPy")
        shape, _, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        raise Unreadable(f"{member} holds Python objects, not numbers: save it again as float32")
    return Entry(shape, lambda: _read(path, member))


def _read(path: Path, member: str) -> np.ndarray:
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
