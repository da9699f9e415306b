"""Leases: files that expire and name the process that works on a trial. File locks fail on shared file systems.

A lease is the file NAME.N. It is created exclusively, which is atomic on NFS too, and touched while its holder lives.
A lease that was not touched for `EXPIRY` seconds has expired: the process that creates NAME.N+1 takes over. So no file
is removed or renamed under its holder, and a holder that was suspended finds a later lease.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from nst import holder

#: Seconds between two touches of a lease, and seconds without a touch after which it has expired.
BEAT, EXPIRY = 5.0, 60.0


class Lease:
    """A lease held by this process; a thread touches its file until it is given back."""

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
            except FileNotFoundError:  # the process that took over has finished
                return self._lost()
            except OSError:  # the file system is briefly unavailable
                continue
            if _latest(self.path.parent, name) > int(number):
                return self._lost()

    def give_back(self) -> None:
        """End the lease: remove its file, and those of the expired leases before it."""
        self._done.set()
        self._thread.join()
        name, _, number = self.path.name.rpartition(".")
        for i in range(int(number), 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self.path.with_name(f"{name}.{i}").unlink()


def take(folder: Path, name: str, lost: Callable[[], None]) -> Lease | None:
    """Take the lease `name`; return None if another process holds it.

    Args:
      folder: The folder of the leases.
      name: The name of what is leased, such as a trial.
      lost: Called in another thread if the lease expires and another process takes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    latest = _latest(folder, name)
    if latest and not _expired(folder / f"{name}.{latest}"):
        return None
    path = folder / f"{name}.{latest + 1}"
    try:
        with open(path, "x") as file:
            file.write(f"{holder.own()}\n")
    except FileExistsError:  # another process was faster
        return None
    return Lease(path, lost)


def holders(folder: Path, *, touch: bool = True) -> dict[str, str]:
    """Return the holder of each lease that has not expired, by the name of the lease.

    Args:
      folder: The folder of the leases.
      touch: Ask the file system for its time by a temporary file; otherwise the clock of this machine counts, and
        nothing is written.
    """
    held = {}
    for path in folder.glob("*.*") if folder.exists() else ():
        name, _, number = path.name.rpartition(".")
        with contextlib.suppress(FileNotFoundError):
            if number.isdigit() and int(number) == _latest(folder, name) and not _expired(path, touch=touch):
                held[name] = path.read_text().strip()
    return held


def _latest(folder: Path, name: str) -> int:
    prefix = f"{name}."
    with os.scandir(folder) as entries:
        numbers = [e.name.removeprefix(prefix) for e in entries if e.name.startswith(prefix)]
    return max((int(number) for number in numbers if number.isdigit()), default=0)


def _expired(path: Path, *, touch: bool = True) -> bool:
    """Return whether the holder of a lease is known to be dead, or was too late by the clock of the file system."""
    try:
        if holder.is_alive(path.read_text()) is False:
            return True
        now = _now(path.parent) if touch else time.time()
        return now - path.stat().st_mtime > EXPIRY
    except FileNotFoundError:  # given back in the meantime
        return False


def _now(folder: Path) -> float:
    """Return the time of the file system, whose clock may differ from that of this machine."""
    probe = folder / f".clock-{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
