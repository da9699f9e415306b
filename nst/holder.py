"""Names of processes that hold a lock or a lease, unique over all machines while the process lives."""

import os
import socket

import psutil

_SLACK = 60.0  # seconds by which the clocks of processes and of files may differ


def own() -> str:
    """Return the name of this process: `MACHINE PID`."""
    return f"{_machine()} {os.getpid()}"


def is_alive(name: str, since: float | None = None) -> bool | None:
    """Return whether the process of a name runs; None for one of another machine, or for no name.

    Args:
      name: The name that `own` returned in that process.
      since: A time at which the process ran, in seconds since 1970: a later process of the same number is another one.
    """
    machine, _, process = name.strip().rpartition(" ")
    if machine != _machine() or not process.isdecimal():
        return None
    try:
        running = psutil.Process(int(process))
        later = since is not None and running.create_time() > since + _SLACK
        return not later and running.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _machine() -> str:
    """Return the host name and the process namespace: two containers may have the same host name."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = "-"
    return f"{socket.gethostname()} {namespace}"
