"""Ported files, our format of weights: safetensors that hold the origin of the weights, each beside its SHA-256."""

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

# One text for all metadata: safetensors writes several in no fixed order, and equal weights should give equal bytes.
_KEY = "nst"


class Origin(NamedTuple):
    """The origin of the weights in a ported file.

    Attributes:
      source: The name of a source, or of the file that the weights were read from.
      licence: The license, and the authors.
      preprocessing: The preprocessing of images that the weights expect.
      source_sha256: The SHA-256 of the file that the weights were read from.
      network: The network. VGG-19 is not written to files, so that the bytes and hashes of files from before there were
        other networks stay the same.
    """

    source: str
    licence: str
    preprocessing: Preprocessing
    source_sha256: str
    network: str = VGG19


def beside(path: Path) -> Path:
    """Return the path of the file with the SHA-256 of a ported file, in the format of `sha256sum`."""
    return path.with_name(path.name + ".sha256")


def write(path: Path, weights: Weights, source_sha256: str) -> None:
    """Write weights to `path`, and then their hash beside it."""
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
    """Convert an OSError while `path` is written to an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error}): make room there, or name another folder "
            f"(NST_CACHE_DIR for the cache)"
        ) from error


def origin(path: Path) -> Origin | None:
    """Return the origin of the weights in a ported file; None for any other safetensors file.

    For a damaged file any exception may be raised; `refusing` converts it.
    """
    text = safetensors_file.metadata(path).get(_KEY)
    if text is None:
        return None
    fields = json.loads(text)
    texts = [str(fields[key]) for key in ("source", "licence", "source_sha256")]
    network = fields.get("network", VGG19)
    if network not in KERNELS:
        raise Unreadable(
            f"weights of the unknown network {network!r}: give weights of {' or '.join(KERNELS)}"
        )
    return Origin(texts[0], texts[1], preprocessing.parse(fields["preprocessing"]), texts[2], network)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, computed once in a process unless the file changes."""
    stat = path.stat()
    return _digest(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


@functools.lru_cache(maxsize=8)
def _digest(path: Path, state: tuple[int, ...]) -> str:
    return sha256(path)


def verified(path: Path, remedy: str) -> str:
    """Return the SHA-256 of a ported file, after a comparison with the one beside it, if there is one.

    Raises:
      InputError: The file is absent, or has changed since it was written.
    """
    try:
        actual = digest(path)
        expected = beside(path).read_text().split()[0] if beside(path).exists() else actual
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{path}: cannot be read ({error}): {remedy}") from error
    if actual != expected:
        raise InputError(f"{path}: expected SHA-256 {expected}, got {actual} (changed on the disk): {remedy}")
    return actual
