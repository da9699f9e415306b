"""What the readers of all formats give: arrays by name, their shapes known before anything is read."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst.errors import InputError

_LONGEST_REASON = 160


class Unreadable(Exception):  # noqa: N818 - it says what the file is
    """Why a file is refused, in a few words; `refusing` adds the file and the remedy."""


class Entry(NamedTuple):
    """An array in a file. Its shape is known, and can be refused, before `read` allocates anything."""

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]


Entries = dict[str, Entry]


@contextlib.contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn whatever a damaged or hostile file makes a reader raise into one line about that file."""
    try:
        yield
    except InputError:
        raise
    except Unreadable as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # Libraries answer damage with anything from struct.error to RuntimeError.
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise InputError(f"{path}: damaged or cut short ({reason}): fetch or copy it again") from error
