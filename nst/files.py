"""Files that are complete or absent: the cache folder, hashes, atomic writes, downloads."""

import contextlib
import functools
import hashlib
import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from io import BufferedWriter
from pathlib import Path

import platformdirs
from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from nst.errors import InputError

_BLOCK = 1 << 20
_TIMEOUT_SECONDS = 30


def user_path(name: str | Path) -> Path:
    """Return the path that a user gave, with `~` at its beginning as the home folder."""
    try:
        return Path(name).expanduser()
    except RuntimeError:  # of a user that does not exist
        return Path(name)


def cache_dir() -> Path:
    """Return the user's cache folder for weights and samples, or the folder that `NST_CACHE_DIR` names."""
    return user_path(os.environ.get("NST_CACHE_DIR") or platformdirs.user_cache_dir("nst"))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and files of a folder, as 64 hexadecimal digits."""
    if path.is_dir():
        each = (f"{file.name} {sha256(file)}\n" for file in sorted(path.iterdir()) if file.is_file())
        return hashlib.sha256("".join(each).encode()).hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def usable(path: Path) -> Iterator[None]:
    """Convert an OSError in the block to an InputError with a remedy.

    Args:
      path: The path in the cache folder that the block uses, for the message.

    Raises:
      InputError: The path can't be used.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"{path}: {reason}: check the folder's space and permissions, or name another with NST_CACHE_DIR"
        ) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which is renamed to `path` if the block ends without an error.

    The file is flushed to the disk before it is renamed, so a crash leaves the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is last, as libraries choose the format by it.
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield beside
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        if error.filename in (None, str(beside)):  # the error of a failed write has no filename
            error.filename = str(path)
        raise
    finally:
        beside.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove temporary files of `replacing`, anywhere in a folder, that killed processes left."""
    for path in folder.rglob(".*"):
        if re.fullmatch(r"\..+\.\d+(\.\w+)?", path.name):
            path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: beside `path`, then renamed."""
    with replacing(path) as beside:
        beside.write_bytes(content)


def make_once(path: Path, make: Callable[[], None]) -> Path:
    """Call `make` to write `path` if it is absent, and return `path`; other processes wait meanwhile.

    `make` must write atomically, as `replacing` does: a file that exists is taken to be complete.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(path.name + ".lock")):
        if not path.exists():
            make()
    return path


def sample_place(name: str, code: Iterable[Path]) -> Path:
    """Return the path in the cache of a sample that code makes; other code has another path.

    Args:
      name: The name of the file.
      code: The files of the code.
    """
    return cache_dir() / "samples" / _version(tuple(code)) / name


@functools.cache
def _version(code: tuple[Path, ...]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in code)).hexdigest()[:8]


def download(url: str, path: Path, *, expected_sha256: str, otherwise: str) -> None:
    """Fetch `url` to `path` with a progress bar, if its hash is the expected one.

    Args:
      url: An http, https or file address.
      path: The target, written atomically.
      expected_sha256: Hexadecimal digits that the file's SHA-256 starts with.
      otherwise: The alternative for the user, which ends the error message.

    Raises:
      InputError: The host can't be reached, or the hash is another.
    """
    with replacing(path) as beside:
        try:
            with (
                urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response,
                open(beside, "wb") as file,
            ):
                total = int(response.headers.get("Content-Length") or 0) or None
                _copy(response.read, file, total, path.name)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # the error holds the connection
            reason = " ".join(str(getattr(error, "reason", error)).split())
            raise InputError(f"{url} could not be fetched ({reason}): {otherwise}") from error
        actual = sha256(beside)
        if not actual.startswith(expected_sha256):
            raise InputError(
                f"{url}: expected SHA-256 {expected_sha256}, got {actual} "
                f"(truncated, changed, or a proxy's page): try again, or {otherwise}"
            )


def _copy(read: Callable[[int], bytes], target: BufferedWriter, total: int | None, title: str) -> None:
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        while block := read(_BLOCK):
            target.write(block)
            progress.advance(task, len(block))
