"""Programs in their own processes: the time of each line that they write, and their peak memory."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nst.errors import RunError

# Bounds of the seconds between two polls, which are a fiftieth of the time since the last line.
_SHORTEST, _LONGEST = 0.0005, 0.01
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes that ru_maxrss counts in


#: The repository.
ROOT = Path(__file__).parents[1]


def run_command(config: Path, changes: Mapping[str, Any], workdir: Path) -> list[str]:
    """Return the command of `scripts/run.py` for a config file.

    Args:
      config: The file.
      changes: Values of fields by dotted names, in place of the config's.
      workdir: The run directory.
    """
    fields = [f"--config.{name}={value}" for name, value in changes.items()]
    script = str(ROOT / "scripts" / "run.py")
    return [sys.executable, script, f"--config={config}", *fields, f"--workdir={workdir}"]


class Watched(NamedTuple):
    """Output of a program: each line with the seconds since the command, and the peak memory in bytes."""

    lines: list[tuple[float, str]]
    peak: int


def watch(
    command: Sequence[str], folder: Path, *, follow: str = "stdout", environment: Mapping[str, str]
) -> Watched:
    """Run a command to its end and time the lines of a file as they come.

    The peak memory is at least that of this process so far, because the system passes a parent's peak on to a child.

    Args:
      command: The program and its arguments.
      folder: The output is written to `stdout` and `stderr` in this folder.
      follow: The file to watch, relative to `folder`; it need not exist at first.
      environment: Variables in addition to those of this process.

    Raises:
      RunError: The program failed; the message has its last line of stderr.
    """
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with open(folder / "stdout", "wb") as stdout, open(folder / "stderr", "wb") as stderr:
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env={**os.environ, **environment})
    try:
        watched = _follow(process, folder / follow, began)
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
    if process.returncode:
        errors = (folder / "stderr").read_text(errors="replace").strip().splitlines() or ["nothing on stderr"]
        raise RunError(f"{' '.join(command[:3])} … ended with status {process.returncode}: {errors[-1]}")
    return watched


def _follow(process: subprocess.Popen, path: Path, began: float) -> Watched:
    lines: list[tuple[float, str]] = []
    offset = 0
    while True:
        # Ask whether the program has ended before reading the file, so that its last lines are read too.
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        new, offset = _new_lines(path, offset)
        lines += [(time.monotonic() - began, line) for line in new]
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return Watched(lines, usage.ru_maxrss * _RSS_UNIT)
        since = time.monotonic() - began - (lines[-1][0] if lines else 0)
        time.sleep(min(max(since / 50, _SHORTEST), _LONGEST))


def _new_lines(path: Path, offset: int) -> tuple[list[str], int]:
    """Return the complete lines after `offset`, and the offset of their end."""
    if not path.exists():
        return [], offset
    with open(path, "rb") as file:
        file.seek(offset)
        block = file.read()
    end = block.rfind(b"\n") + 1
    return block[:end].decode(errors="replace").splitlines(), offset + end
