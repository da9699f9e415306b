"""Files that users name: found, listed or refused in one line, and decoders that keep quiet about them."""

import contextlib
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from nst.errors import InputError

_STDERR = 2


def exists(path: Path, what: str) -> bool:
    """Whether there is a file at `path`.

    Args:
      path: A regular file or a link to one, if anything is there.
      what: A picture or a sound, for the message.

    Raises:
      InputError: Something else is there, or it can't be told.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        raise InputError(
            f"{path} cannot be read ({getattr(error, 'strerror', error)}): check the path"
        ) from error
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder: name one of its {what}s")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is not a regular file: copy the {what} into one")
    return True


def listed(folder: Path, extensions: Collection[str], what: str, supported: str) -> list[Path]:
    """The files of a folder that have one of the extensions, sorted by name and not of its subfolders.

    Args:
      folder: Hidden files are left out.
      extensions: In small letters, with the dot.
      what: A picture or a sound, for the message.
      supported: The formats, for the message.

    Raises:
      InputError: The folder can't be listed, or has no such file.
    """
    try:
        files = [file for file in folder.iterdir() if _has(file, extensions)]
    except OSError as error:
        raise InputError(f"{folder} cannot be listed ({error.strerror}): check its permissions") from error
    if not files:
        raise InputError(f"{folder} has no {what}s: supported are {supported}")
    return sorted(files, key=lambda file: file.name)


def _has(file: Path, extensions: Collection[str]) -> bool:
    return file.suffix.lower() in extensions and not file.name.startswith(".") and file.is_file()


def beginning(path: Path, count: int) -> bytes:
    """The first bytes of a file.

    Raises:
      InputError: It can't be read, or has none.
    """
    try:
        with open(path, "rb") as file:
            first = file.read(count)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    if not first:
        raise InputError(f"{path} is empty: fetch or export it again")
    return first


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Drop what decoders in C print: they know only the process's own standard error."""
    try:
        saved = os.dup(_STDERR)
    except OSError:  # closed
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
        yield
    finally:
        os.dup2(saved, _STDERR)
        os.close(saved)
