"""Leases: which process works at a trial, in files that expire. Locks of files fail on shared file systems.

A lease is the file NAME.N, made by an exclusive creation, which is atomic on NFS too, and touched as long as its holder
lives. One that was not touched for a while has no holder: whoever makes NAME.N+1 takes over. So nothing is ever removed
or renamed under a holder, and a holder that slept finds that there is a later one.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

#: Seconds between two touches, and after how many without one a lease has expired.
BEAT, EXPIRY = 5.0, 60.0


class Lease:
    """A lease that this process holds; a thread of its own touches it until it is given back."""

    def __init__(self, path: Path, lost: Callable[[], None]):
        self.path = path
        self._lost = lost
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        while not self._done.wait(BEAT):
            name, _, number = self.path.name.rpartition(".")
            try:
                os.utime(self.path)
            except FileNotFoundError:  # whoever took over has finished
                return self._lost()
            except OSError:  # the file system is away for a moment
                continue
            if _latest(self.path.parent, name) > int(number):
                return self._lost()

    def give_back(self) -> None:
        """End it, and remove those that expired before it."""
        self._done.set()
        self._thread.join()
        name, _, number = self.path.name.rpartition(".")
        for i in range(int(number), 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self.path.with_name(f"{name}.{i}").unlink()


def take(folder: Path, name: str, lost: Callable[[], None]) -> Lease | None:
    """The lease of that name, unless another process holds it.

    Args:
      folder: Where leases lie.
      name: Of what is leased.
      lost: Called, in another thread, if the lease expired and another process took it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    latest = _latest(folder, name)
    if latest and not _expired(folder / f"{name}.{latest}"):
        return None
    path = folder / f"{name}.{latest + 1}"
    try:
        with open(path, "x") as file:
            file.write(f"{holder()}\n")
    except FileExistsError:  # another process was faster
        return None
    return Lease(path, lost)


def holder() -> str:
    """A name of this process that no other one in the world has while it lives."""
    return f"{_machine()} {os.getpid()}"


def _machine() -> str:
    """Host and process numbers: two containers may have one name."""
    try:
        numbers = os.readlink("/proc/self/ns/pid")
    except OSError:
        numbers = "-"
    return f"{socket.gethostname()} {numbers}"


def holders(folder: Path) -> dict[str, str]:
    """By name, host and process of the leases that have not expired."""
    found = {}
    for path in folder.glob("*.*") if folder.exists() else ():
        name, _, number = path.name.rpartition(".")
        with contextlib.suppress(FileNotFoundError):
            if number.isdigit() and int(number) == _latest(folder, name) and not _expired(path):
                found[name] = path.read_text().strip()
    return found


def _latest(folder: Path, name: str) -> int:
    prefix = f"{name}."
    with os.scandir(folder) as entries:
        numbers = [e.name.removeprefix(prefix) for e in entries if e.name.startswith(prefix)]
    return max((int(number) for number in numbers if number.isdigit()), default=0)


def _expired(path: Path) -> bool:
    """Whether its holder is known to be dead, or was not heard of by the clock of the file system."""
    try:
        machine, _, process = path.read_text().strip().rpartition(" ")
        if machine == _machine() and not psutil.pid_exists(int(process)):
            return True
        return _now(path.parent) - path.stat().st_mtime > EXPIRY
    except FileNotFoundError:  # given back in the meantime
        return False
    except ValueError:  # not written yet
        return _now(path.parent) - path.stat().st_mtime > EXPIRY


def _now(folder: Path) -> float:
    probe = folder / f".clock-{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
