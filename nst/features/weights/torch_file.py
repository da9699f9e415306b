"""Reader of both of torch's file formats, without torch.

Both hold a pickle of a dict of tensors, and the storages that the tensors are views of. In the zip (since torch 1.6)
each storage is an uncompressed member; in the older format they follow each other. Every size, offset and stride is
checked against its storage before an array is made.
"""

import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst.features.weights import pickled
from nst.features.weights.entries import Entries, Entry, Unreadable

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MOST_AXES = 8
_LONGEST_PICKLE = 1 << 24

_STORAGES = {
    "torch.FloatStorage": "<f4", "torch.DoubleStorage": "<f8", "torch.HalfStorage": "<f2",
    "torch.LongStorage": "<i8", "torch.IntStorage": "<i4", "torch.ShortStorage": "<i2",
    "torch.CharStorage": "<i1", "torch.ByteStorage": "<u1", "torch.BoolStorage": "<u1",
}  # fmt: skip


class Storage(NamedTuple):
    """A sequence of `size` numbers of one type; `key` is its name in the file."""

    key: str
    dtype: str
    size: int

    @property
    def bytes(self) -> int:
        """The size in the file, in bytes."""
        return self.size * np.dtype(self.dtype).itemsize


class Tensor(NamedTuple):
    """A view of a storage: `offset` and `stride` count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _storage(reference: Any) -> Storage:
    kind, dtype, key, _, count, *view = reference
    if kind != "storage" or dtype not in _STORAGES.values() or not isinstance(key, str):
        raise ValueError("a reference to something other than a storage")
    if any(part is not None for part in view):
        raise Unreadable("it has storages inside storages, as torch wrote them before 0.4: save it again")
    return Storage(key, dtype, _natural(count))


def _natural(number: Any) -> int:
    if not isinstance(number, int) or number < 0:
        raise ValueError("a size, offset or stride that is not a natural number")
    return number


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> Tensor:
    if not isinstance(storage, Storage) or len(shape) != len(stride) or len(shape) > _MOST_AXES:
        raise ValueError("a tensor without a storage, or with too few or too many strides")
    tensor = Tensor(storage, _natural(offset), tuple(map(_natural, shape)), tuple(map(_natural, stride)))
    steps = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride, strict=True))
    if 0 not in shape and tensor.offset + steps >= storage.size:
        raise ValueError(f"a tensor that reaches beyond its storage of {storage.size} numbers")
    return tensor


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


_ALLOWED = {
    "collections.OrderedDict": pickled.Dictionary,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
    **_STORAGES,
}


def zip_entries(path: Path) -> Entries:
    """Return the tensors of a zip by name."""
    with zipfile.ZipFile(path) as archive:
        (pickle,) = [name for name in archive.namelist() if is_pickle(name)]
        folder = pickle.removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist():
            with archive.open(f"{folder}byteorder") as file:
                if file.read(len("little") + 1) != b"little":  # not all: it may unpack to gigabytes
                    raise Unreadable(
                        "it was written on a big-endian machine: save it again on a little-endian one"
                    )
        if archive.getinfo(pickle).file_size > _LONGEST_PICKLE:
            raise Unreadable("its pickle is longer than any network's: give the file of a state_dict")
        state = pickled.load(io.BytesIO(archive.read(pickle)), _ALLOWED, _storage)

    def read(storage: Storage) -> bytes:
        with zipfile.ZipFile(path) as archive:
            return _member(archive, f"{folder}data/{storage.key}", storage.bytes)

    return _entries(state, read)


def is_pickle(member: str) -> bool:
    """Return whether a member of a zip is the pickle of torch."""
    return member.count("/") == 1 and member.endswith("/data.pkl")


def _member(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != size or info.compress_size != size:
        raise Unreadable(f"its member {name[:80]!r} is not {size} plain bytes: save it again with torch.save")
    return archive.read(info)


def legacy_entries(path: Path) -> Entries:
    """Return the tensors of a file in torch's older format by name."""
    storages: dict[str, Storage] = {}

    def remember(reference: Any) -> Storage:
        storage = _storage(reference)
        if storages.setdefault(storage.key, storage) != storage:
            raise ValueError("two storages with one key")
        return storage

    with open(path, "rb") as file:
        pickles = io.BytesIO(file.read(_LONGEST_PICKLE))
        _check_head(pickles)
        state = pickled.load(pickles, _ALLOWED, remember)
        keys = pickled.load(pickles, {}, _storage)
        if not all(isinstance(key, str) for key in keys):  # see `Dictionary`
            raise ValueError("a storage whose key is not a text")
        file.seek(pickles.tell())
        places = _places(file, [storages[key] for key in keys])

    def read(storage: Storage) -> bytes:
        with open(path, "rb") as file:
            file.seek(places[storage.key])
            return file.read(storage.bytes)

    return _entries(state, read)


def _check_head(pickles: io.BytesIO) -> None:
    if pickled.load(pickles, {}, _storage) != _MAGIC:
        raise Unreadable("a pickle, but not of torch: give a state_dict, .safetensors, .npz or Keras' .h5")
    if pickled.load(pickles, {}, _storage) != _PROTOCOL:
        raise Unreadable("written by a version of torch that is not known: save it again with a newer one")
    if not pickled.load(pickles, {}, _storage)["little_endian"]:
        raise Unreadable("it was written on a big-endian machine: save it again on a little-endian one")


def _places(file: io.BufferedIOBase, storages: list[Storage]) -> dict[str, int]:
    """Return the offset of each storage in the file, by key. A storage is its count of numbers, then the numbers."""
    size = os.fstat(file.fileno()).st_size
    places = {}
    for storage in storages:
        (count,) = struct.unpack("<q", file.read(8))
        places[storage.key] = file.tell()
        if count != storage.size or places[storage.key] + storage.bytes > size:
            raise ValueError("a storage is shorter than the tensors in it")
        file.seek(storage.bytes, os.SEEK_CUR)
    return places


def _entries(state: Any, read: Callable[[Storage], bytes]) -> Entries:
    if not isinstance(state, dict):
        raise Unreadable("it holds no dict of tensors: give the file of a state_dict")
    tensors: dict[str, Tensor] = {}
    for name, value in state.items():
        # A checkpoint of training holds the state_dict beside other values.
        inner = value.items() if isinstance(value, dict) else [(None, value)]
        for key, tensor in inner:
            if isinstance(tensor, Tensor):
                tensors[f"{name}" if key is None else f"{name}.{key}"] = tensor
    return {name: Entry(t.shape, lambda t=t: _array(t, read(t.storage))) for name, t in tensors.items()}


def _array(tensor: Tensor, content: bytes) -> np.ndarray:
    numbers = np.frombuffer(content, tensor.storage.dtype, tensor.storage.size)[tensor.offset :]
    strides = [step * numbers.itemsize for step in tensor.stride]
    return np.lib.stride_tricks.as_strided(numbers, tensor.shape, strides, writeable=False)
