"""Input files that users name: find and list them, with errors in one line; silence their decoders."""

import contextlib
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from nst.errors import InputError

_STDERR = 2


def exists(path: Path, what: str) -> bool:
    """Return whether there is a regular file, or a link to one, at `path`.

    Args:
      path: The path.
      what: The kind of file, such as `image`, for the message.

    Raises:
      InputError: The path is something else, such as a folder, or can't be read.
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
    """Return the files of a folder that have one of the extensions, sorted by name, without subfolders.

    Args:
      folder: The folder; hidden files are left out.
      extensions: Extensions in lower case, with the dot.
      what: The kind of file, such as `image`, for the message.
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
    """Return the first `count` bytes of a file.

    Raises:
      InputError: The file can't be read, or is empty.
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
    """Discard what decoders in C print: they write to the standard error of the process itself."""
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
