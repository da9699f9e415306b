"""Names of processes that hold a lock or a lease, unique over all machines while the process lives."""

import os
import socket

import psutil


def own() -> str:
    """Return the name of this process: `MACHINE PID`."""
    return f"{_machine()} {os.getpid()}"


def is_alive(name: str) -> bool | None:
    """Return whether the process of a name runs; None for one of another machine, or for no name."""
    machine, _, process = name.strip().rpartition(" ")
    if machine != _machine() or not process.isdecimal():
        return None
    return psutil.pid_exists(int(process))


def _machine() -> str:
    """Return the host name and the process namespace: two containers may have the same host name."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = "-"
    return f"{socket.gethostname()} {namespace}"
