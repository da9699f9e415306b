"""What a config's `sweep()` yields: mappings from dotted field names to values, in plain Python.

def sweep():
    yield from grid({"features.pooling": ("avg", "max"), "images.seed": range(3)})
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

#: From dotted field name to value: what one trial differs by from the sweep's config.
Overrides = dict[str, Any]


def grid(fields: Mapping[str, Iterable[Any]]) -> Iterator[Overrides]:
    """Every combination of the values of each field; the last field changes fastest."""
    for values in itertools.product(*fields.values()):
        yield dict(zip(fields, values, strict=True))


def zipped(fields: Mapping[str, Iterable[Any]]) -> Iterator[Overrides]:
    """The first value of each field, then the second of each, and so on; ValueError if one has fewer."""
    for values in zip(*fields.values(), strict=True):
        yield dict(zip(fields, values, strict=True))


def crossed(*sweeps: Iterable[Overrides]) -> Iterator[Overrides]:
    """Every combination of one element of each sweep; of two values for one field the later sweep's."""
    for parts in itertools.product(*sweeps):
        yield {name: value for part in parts for name, value in part.items()}


#: Draws one value.
Draw = Callable[[np.random.Generator], Any]


def random(number: int, fields: Mapping[str, Draw], *, seed: int = 0) -> Iterator[Overrides]:
    """So many random ones: more of them begin with the same ones. (Bergstra and Bengio, Random Search, JMLR 2012.)"""
    generator = np.random.default_rng(seed)
    for _ in range(number):
        yield {name: draw(generator) for name, draw in fields.items()}


def uniform(low: float | int, high: float | int) -> Draw:
    """Between two numbers."""
    return lambda generator: float(generator.uniform(low, high))


def log_uniform(low: float | int, high: float | int) -> Draw:
    """Between two positive numbers, each decade as likely as the next."""
    return lambda generator: float(np.exp(generator.uniform(np.log(low), np.log(high))))


def choice(*values: Any) -> Draw:
    """One of the values."""
    return lambda generator: values[int(generator.integers(len(values)))]
