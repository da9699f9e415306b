"""The result of all readers of weight files: arrays by name, with shapes that are known before any array is read."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst.errors import InputError

_LONGEST_REASON = 160


class Unreadable(Exception):  # noqa: N818 - the name says what the file is
    """A weight file can't be used. The message is the reason; `refusing` adds the path."""


class Entry(NamedTuple):
    """An array in a file. Its shape can be checked before `read` allocates memory."""

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]


Entries = dict[str, Entry]


@contextlib.contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Convert whatever a reader raises for a damaged or hostile file to an InputError that names the file."""
    try:
        yield
    except InputError:
        raise
    except Unreadable as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # for damaged files libraries raise anything from struct.error to RuntimeError
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise InputError(f"{path}: damaged or cut short ({reason}): fetch or copy it again") from error
