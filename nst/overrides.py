"""Overrides for the `sweep()` of a config: mappings from dotted field names to values, in plain Python.

def sweep():
    yield from grid({"features.pooling": ("avg", "max"), "images.seed": range(3)})
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

#: Values by dotted field name that one trial sets in the config of the sweep.
Overrides = dict[str, Any]


def grid(fields: Mapping[str, Iterable[Any]]) -> Iterator[Overrides]:
    """Yield every combination of the values of each field; the last field changes fastest."""
    for values in itertools.product(*fields.values()):
        yield dict(zip(fields, values, strict=True))


def zipped(fields: Mapping[str, Iterable[Any]]) -> Iterator[Overrides]:
    """Yield the first value of each field, then the second of each, and so on; ValueError if lengths differ."""
    for values in zip(*fields.values(), strict=True):
        yield dict(zip(fields, values, strict=True))


def crossed(*sweeps: Iterable[Overrides]) -> Iterator[Overrides]:
    """Yield every combination of one element of each sweep; later sweeps replace fields of earlier ones."""
    for parts in itertools.product(*sweeps):
        yield {name: value for part in parts for name, value in part.items()}


#: A function that draws one value by a random generator.
Draw = Callable[[np.random.Generator], Any]


def random(number: int, fields: Mapping[str, Draw], *, seed: int = 0) -> Iterator[Overrides]:
    """Yield `number` random overrides (Bergstra and Bengio, JMLR 2012); a larger number extends the sequence."""
    generator = np.random.default_rng(seed)
    for _ in range(number):
        yield {name: draw(generator) for name, draw in fields.items()}


def uniform(low: float | int, high: float | int) -> Draw:
    """Return a function that draws uniformly between two numbers."""
    return lambda generator: float(generator.uniform(low, high))


def log_uniform(low: float | int, high: float | int) -> Draw:
    """Return a function that draws between two positive numbers, uniformly in the logarithm."""
    return lambda generator: float(np.exp(generator.uniform(np.log(low), np.log(high))))


def choice(*values: Any) -> Draw:
    """Return a function that draws one of the values, each with the same probability."""
    return lambda generator: values[int(generator.integers(len(values)))]
