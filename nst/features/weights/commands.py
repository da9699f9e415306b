"""Commands of `nst weights`: list, fetch, verify, convert, show."""

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from nst.errors import InputError, unknown
from nst.features.weights import loading, network, ported, preprocessing
from nst.features.weights.port import port
from nst.features.weights.sources import SOURCES


def list_sources() -> None:
    """Print the sources, their networks, licenses and sizes, and whether they are in the cache."""
    table = _table("name", "network", "MB", "cached")
    table.add_column("weights; preprocessing; license")
    for name, source in SOURCES.items():
        cached = "yes" if loading.is_cached(name) else "no"
        expected = preprocessing.name_of(source.preprocessing)
        text = f"{source.what}; {expected}; {source.licence}"
        table.add_row(name, source.network, str(source.megabytes), cached, text)
    Console().print(table)


def fetch(name: str, again: bool = False) -> None:
    """Fetch a source into the cache, and print its hash and path."""
    if name not in SOURCES:
        raise unknown("source", name, SOURCES)
    path = loading.fetched(name, again=again)
    _say(f"{ported.verified(path, loading.remedy(path))}  {path}")


def verify(name: str | None = None) -> None:
    """Verify the cached file of one source, or all cached files.

    Raises:
      InputError: A file is damaged or absent; the message names the first one.
    """
    if name is not None and name not in SOURCES:
        raise unknown("source", name, SOURCES)
    paths = [loading.cached(name)] if name else sorted(loading.folder().rglob("*.safetensors"))
    if not paths:
        _say(f"no weights in {loading.folder()}")
    for path in paths:
        if not ported.beside(path).exists():
            raise InputError(f"{path} or its .sha256 does not exist: {loading.remedy(path)}")
        ported.verified(path, loading.remedy(path))
        _say(f"ok  {path}")


def convert(file: Path, out: Path, preprocessing: str | None = None) -> None:
    """Port a weight file to `out`; raise InputError if that exists."""
    if out.suffix != ".safetensors" or out.exists():
        raise InputError(f"{out}: give a file that does not exist and ends in .safetensors")
    if not file.is_file():
        raise InputError(f"{file}: not a file: give a weight file")
    with ported.writing(out):
        port(file, out, _claimed(preprocessing))
    _say(f"{ported.verified(out, loading.remedy(out))}  {out}")


def _claimed(name: str | None) -> preprocessing.Preprocessing | None:
    return None if name is None else preprocessing.named(name)


def show(weights: str) -> None:
    """Print shape, number of parameters, mean, deviation and extremes of each array."""
    loaded = loading.load(weights)
    expected = preprocessing.name_of(loaded.preprocessing)
    table = _table("array", "shape", "size", "mean", "std", "min", "max")
    for layer, parts in loaded.parameters.items():
        for part, array in parts.items():
            shape = "×".join(map(str, array.shape))
            table.add_row(f"{layer} {part}", shape, str(array.size), *_figures(array))
    Console().print(table)
    _say(f"{loaded.source}: preprocessing {expected}; {loaded.licence}; SHA-256 {loaded.sha256 or '-'}")
    count, layers = _count(loaded.parameters), len(loaded.parameters)
    _say(f"{loaded.network}: {count} parameters in {layers} layers")


def _table(*headers: str) -> Table:
    """Return a table without lines and without wrapping, to fit in 80 columns."""
    table = Table(box=None)
    for header in headers:
        table.add_column(header, no_wrap=True)
    return table


def _figures(array: np.ndarray) -> list[str]:
    exact = array.astype(np.float64)
    return [f"{figure:.3g}" for figure in (exact.mean(), exact.std(), exact.min(), exact.max())]


def _count(parameters: network.Parameters) -> int:
    return sum(array.size for parts in parameters.values() for array in parts.values())


def _say(text: str) -> None:
    # Not by rich, which would wrap a path that the user wants to copy.
    print(text)
