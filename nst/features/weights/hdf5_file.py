"""Reader of HDF5, the format of Keras."""

import importlib.util
from pathlib import Path

import numpy as np

from nst.errors import InputError
from nst.features.weights.entries import Entries, Entry, Unreadable


def check_installed(name: str) -> None:
    """Raise InputError if h5py, which reads the weights `name`, is not installed."""
    if importlib.util.find_spec("h5py") is None:
        raise InputError(f"{name}: weights of Keras need h5py: pip install 'nst[keras]'")


def entries(path: Path) -> Entries:
    """Return the data sets of a file by full name, such as `block1_conv1/kernel:0`. Links are not followed.

    Raises:
      InputError: The package h5py is not installed.
    """
    check_installed(str(path))
    import h5py  # takes 11 MiB: only for such files

    datasets: Entries = {}

    def visit(name: str, item: h5py.Dataset | h5py.Group | h5py.Datatype) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            # Reading such a data set would read other files of the user.
            if item.external or item.is_virtual:
                raise Unreadable(f"{name} is stored in another file: give a file that holds its own weights")
            datasets[name] = Entry(tuple(item.shape), lambda: _read(path, name))

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return datasets


def _read(path: Path, name: str) -> np.ndarray:
    import h5py

    with h5py.File(path, "r") as file:
        dataset = file[name]
        assert isinstance(dataset, h5py.Dataset)
        return np.asarray(dataset[()])
