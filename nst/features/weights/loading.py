"""Weights by the name of a source or by path, fetched and ported once and verified at every load."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from nst.errors import InputError, unknown
from nst.features.weights import hdf5_file, ported, sources
from nst.features.weights.entries import refusing
from nst.features.weights.formats import is_safetensors
from nst.features.weights.network import VGG19, Weights, random
from nst.features.weights.port import port, read
from nst.features.weights.sources import DEFAULTS, SOURCES
from nst.files import cache_dir, make_once, sha256, user_path

RANDOM = "random"


def load(name: str, *, network: str | None = None, seed: int = 0) -> Weights:
    """Load weights, fetching and porting them the first time.

    Args:
      name: A source of `SOURCES`, `"random"`, or the path of a weight file.
      network: The network that the weights are for, one of `KERNELS`; None accepts any, and draws random weights for
        VGG-19.
      seed: Seed of random weights.

    Raises:
      InputError: An unknown name, or weights that are absent, damaged, of another network, or of an unknown
        preprocessing.
    """
    if name == RANDOM:
        return random(seed, network or VGG19)
    if name in SOURCES:
        _check_network(name, SOURCES[name].network, network)  # before it is fetched
    path = _path(name)
    digest = ported.verified(path, remedy(path))
    weights = read(path)._replace(source=name, sha256=digest)
    _check_network(name, weights.network, network)
    return weights


def _check_network(name: str, actual: str, expected: str | None) -> None:
    if expected is not None and actual != expected:
        raise InputError(
            f"{name}: these weights are of the network {actual}, not of {expected}: "
            f"take weights of {expected}, such as {DEFAULTS[expected]}, or the network {actual}"
        )


def are_drawn(name: str | None) -> bool:
    """Return whether weights are drawn at random; None stands for a network that needs no weight file."""
    return name is None or name == RANDOM


def digest(name: str | None) -> str | None:
    """Return the SHA-256 of the ported file that `load` reads; None for weights that are drawn at random."""
    return None if name is None or are_drawn(name) else ported.digest(_path(name))


def _path(name: str) -> Path:
    return fetched(name) if name in SOURCES else _file(name)


def folder() -> Path:
    """Return the folder of ported files."""
    return cache_dir() / "weights"


def _files() -> Path:
    """Return the folder of files that are ported from the user's own."""
    return folder() / "files"


def cached(name: str) -> Path:
    """Return the path of the ported file of a source, which may not exist yet."""
    return folder() / f"{name}.safetensors"


def is_cached(name: str) -> bool:
    """Return whether the weights of a source are in the cache, so that loading them fetches nothing."""
    return ported.beside(cached(name)).exists()


def remedy(path: Path) -> str:
    """Return what the user can do about a damaged ported file."""
    if path.parent == folder():
        return f"nst weights fetch {path.stem} --again"
    if path.parent == _files():
        return "delete it, and it is ported from your file again"
    return "copy or convert it again"


def fetched(name: str, *, again: bool = False) -> Path:
    """Return the ported file of a source; fetch and port it if it does not exist, or if `again`."""
    path = cached(name)
    if again:
        with ported.writing(path):
            ported.beside(path).unlink(missing_ok=True)
    _make_once(path, lambda: _fetch(name, path))
    return path


def _fetch(name: str, path: Path) -> None:
    network = SOURCES[name].network
    others = ", ".join(
        other for other, source in SOURCES.items() if other != name and source.network == network
    )
    otherwise = f"take another source ({others}) or a file you have, features.weights=PATH"
    if name.endswith("-keras"):  # before 60 MB are fetched
        hdf5_file.check_installed(name)
    with _scratch(path) as scratch:
        file = SOURCES[name].fetch(scratch, otherwise)
        sources.check(file, name, otherwise)
        port(file, path)


@contextlib.contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """Make a folder beside `path`, empty even if a killed process left files in it, and remove it afterwards."""
    # Always the same name: one process at a time gets here, so an existing folder is a leftover.
    scratch = path.with_name(f".{path.stem}.fetching")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _file(name: str) -> Path:
    """Return the path of a ported file itself; for any other file, that of its port in the cache, named by its hash."""
    path = user_path(name)
    if not path.is_file():
        raise _absent(name, path)
    with refusing(path):
        if is_safetensors(path) and ported.origin(path):
            return path
        digest = sha256(path)
    target = _files() / f"{digest}.safetensors"
    _make_once(target, lambda: port(path, target))
    return target


def _absent(name: str, path: Path) -> InputError:
    if path.name == name and not path.suffix and not path.exists():
        return unknown("weights", name, [*SOURCES, RANDOM, "a weight file's path"])
    reason = "is not a file" if path.exists() else "does not exist"
    return InputError(f"{path}: {reason}: give a weight file, or one of {', '.join([*SOURCES, RANDOM])}")


def _make_once(path: Path, make: Callable[[], None]) -> None:
    """Make a ported file in one process at a time; its hash, written last, marks it as complete."""
    with ported.writing(path):
        if not path.exists():
            ported.beside(path).unlink(missing_ok=True)
        make_once(ported.beside(path), make)
