"""Our own weight files: safetensors with what belongs to the weights inside, and their SHA-256 beside."""

import contextlib
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import safetensors.numpy

from nst.errors import InputError
from nst.features.weights import preprocessing, safetensors_file
from nst.features.weights.entries import Unreadable
from nst.features.weights.network import KERNELS, VGG19, Weights
from nst.features.weights.preprocessing import Preprocessing
from nst.files import sha256, write_bytes

# One text for all: safetensors writes several in no fixed order, and equal weights should give equal bytes.
_KEY = "nst"


class Origin(NamedTuple):
    """What a file of ours says about its weights. `source_sha256` is that of the file they were read from.

    A file that says no network is VGG-19's: only other networks are written, so that files and hashes from before
    there were others stay the same.
    """

    source: str
    licence: str
    preprocessing: Preprocessing
    source_sha256: str
    network: str = VGG19


def beside(path: Path) -> Path:
    """Where the SHA-256 of a file of ours lies, in the format of `sha256sum`."""
    return path.with_name(path.name + ".sha256")


def write(path: Path, weights: Weights, source_sha256: str) -> None:
    """Write weights to `path`, and last of all their hash beside it."""
    origin = Origin(weights.source, weights.licence, weights.preprocessing, source_sha256)._asdict()
    del origin["network"]
    origin["preprocessing"] = weights.preprocessing._asdict()
    if weights.network != VGG19:
        origin["network"] = weights.network
    arrays = {
        f"{layer}/{part}": array
        for layer, parts in weights.parameters.items()
        for part, array in parts.items()
    }
    text = json.dumps(origin, sort_keys=True)
    write_bytes(path, safetensors.numpy.save(arrays, metadata={_KEY: text}))
    write_bytes(beside(path), f"{sha256(path)}  {path.name}\n".encode())


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what keeps a file from being written into one line."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error}): make room there, or name another folder "
            f"(NST_CACHE_DIR for the cache)"
        ) from error


def origin(path: Path) -> Origin | None:
    """What a file of ours says about its weights; None if it is not ours. Damage raises anything."""
    text = safetensors_file.metadata(path).get(_KEY)
    if text is None:
        return None
    fields = json.loads(text)
    texts = [str(fields[key]) for key in ("source", "licence", "source_sha256")]
    network = fields.get("network", VGG19)
    if network not in KERNELS:
        raise Unreadable(
            f"weights of {network!r}, which is none of {', '.join(KERNELS)}: give weights of these"
        )
    return Origin(texts[0], texts[1], preprocessing.parse(fields["preprocessing"]), texts[2], network)


def digest(path: Path) -> str:
    """The SHA-256 of a file, computed once in a process unless the file is written to."""
    stat = path.stat()
    return _digest(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


@functools.lru_cache(maxsize=8)
def _digest(path: Path, as_it_stands: tuple[int, ...]) -> str:
    return sha256(path)


def verified(path: Path, remedy: str) -> str:
    """The SHA-256 of a file of ours, which must be the one beside it, if there is one.

    Raises:
      InputError: The file is absent, or is not what it was when it was written.
    """
    try:
        actual = digest(path)
        expected = beside(path).read_text().split()[0] if beside(path).exists() else actual
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{path}: cannot be read ({error}): {remedy}") from error
    if actual != expected:
        raise InputError(f"{path}: expected SHA-256 {expected}, got {actual} (changed on the disk): {remedy}")
    return actual
