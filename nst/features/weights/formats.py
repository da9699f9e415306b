"""The formats of weight files, recognized by the first bytes of a file, whatever its name."""

import zipfile
from pathlib import Path

from nst.features.weights import hdf5_file, npz_file, safetensors_file, torch_file
from nst.features.weights.entries import Entries, Unreadable

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"

FORMATS = "Keras' .h5, .safetensors, .npz, or torch's .pth"


def entries(path: Path) -> Entries:
    """Return the arrays of a weight file by name; `refusing` converts what this raises to an InputError."""
    with open(path, "rb") as file:
        head = file.read(16)
    if head.startswith(_HDF5):
        return hdf5_file.entries(path)
    if head.startswith(_ZIP):
        return _zip_entries(path)
    if head.startswith(_PICKLE):
        return torch_file.legacy_entries(path)
    if is_safetensors(path):
        return safetensors_file.entries(path)
    raise Unreadable(f"{'an empty file' if not head else 'not a weight file'}: give {FORMATS}")


def is_safetensors(path: Path) -> bool:
    """Return whether a file begins as safetensors do: with the length of a header and the bracket that opens it."""
    with open(path, "rb") as file:
        head = file.read(9)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size


def _zip_entries(path: Path) -> Entries:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(map(torch_file.is_pickle, names)):
        return torch_file.zip_entries(path)
    if any(name.endswith(".npy") for name in names):
        return npz_file.entries(path)
    raise Unreadable(f"a zip without weights: give {FORMATS}")
