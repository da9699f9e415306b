"""Input files that users name: find and list them, with errors in one line; silence their decoders."""

import contextlib
import os
import stat
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nst.errors import InputError
from nst.files import user_path

_STDERR = 2
_NAMED = 5  # files that a warning names


class Kind(NamedTuple):
    """A kind of input file.

    Attributes:
      what: The kind in words, such as `image`, for messages.
      extensions: Extensions of such files in a folder, in lower case, with the dot.
      supported: The formats in words, for messages.
      samples: The names of samples.
      locate: `locate(name)` returns the file of a sample, which is fetched or made if it is absent.
      words: Other values of the setting that names a file, for messages.
    """

    what: str
    extensions: Collection[str]
    supported: str
    samples: Collection[str]
    locate: Callable[[str], Path | None]
    words: Collection[str] = ()


def find(name: str | Path, kind: Kind) -> Path:
    """Return the file of a path or of a sample's name.

    The string `coffee` is the sample, even if there is a file or folder of that name, which is `./coffee` or
    `Path("coffee")`: otherwise a command would change with what lies beside it.

    Raises:
      InputError: There is no such file or sample, or it can't be read.
    """
    path = user_path(name)
    if isinstance(name, str) and name in kind.samples:
        if path.exists():
            warnings.warn(f"{name} is the sample; the file or folder of that name is ./{name}", stacklevel=2)
    elif exists(path, kind.what):
        return path
    sample = kind.locate(str(name))
    if sample is None:
        words = f", nor one of {', '.join(kind.words)}" if kind.words else ""
        raise InputError(
            f"{name}: no such file{words}, nor a sample of that name (samples: {', '.join(kind.samples)})"
        )
    return sample


def is_folder(name: str | Path, kind: Kind) -> bool:
    """Return whether a name is that of a folder, not of a file or a sample."""
    return not (isinstance(name, str) and name in kind.samples) and user_path(name).is_dir()


def find_all(name: str | Path, kind: Kind) -> list[Path]:
    """Return the files of a folder, sorted by name and without subfolders; of a path or sample, its file.

    Raises:
      InputError: There is no such file, folder or sample, or the folder has no such file.
    """
    if not str(name):
        raise InputError(f"the name of an {kind.what} is empty: give a path, a folder or a sample's name")
    if is_folder(name, kind):
        return listed(user_path(name), kind.extensions, kind.what, kind.supported)
    return [find(name, kind)]


def joined(names: str | Sequence[str]) -> str:
    """Return several names as one string with commas; a string is returned as it is.

    Raises:
      InputError: One of several names has a comma.
    """
    if isinstance(names, str):
        return names
    if any("," in name for name in names):
        raise InputError(f"{tuple(names)}: rename the file whose name has a comma, or give it alone")
    return ",".join(names)


def several(names: str) -> list[str]:
    """Return the names in a list with commas; a string that is the path of a file, or empty, is not split."""
    if not names:
        return []
    whole = names.startswith("tfds:") or "," not in names or user_path(names).exists()
    return [names] if whole else [name.strip() for name in names.split(",")]


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
        visible = [file for file in folder.iterdir() if not file.name.startswith(".") and file.is_file()]
        files = [file for file in visible if file.suffix.lower() in extensions]
        others = [file for file in visible if file not in files]
    except OSError as error:
        raise InputError(f"{folder} cannot be listed ({error.strerror}): check its permissions") from error
    if not files:
        raise InputError(f"{folder} has no {what}s: supported are {supported}")
    if others:
        names = ", ".join(sorted(file.name for file in others)[:_NAMED])
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        warnings.warn(f"{folder}: not {what}s by their extensions, left out: {names}{more}", stacklevel=2)
    return sorted(files, key=lambda file: file.name)


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
