"""Worker processes on this machine, started again when they die."""

import functools
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from nst.errors import InputError, Interrupted, RunError
from nst.files import cache_dir
from nst.process import keep_compiled_programs, keep_freed_memory
from nst.sweep.bars import Bars, watching
from nst.sweep.plan import Plan
from nst.sweep.trials import Folder
from nst.sweep.work import work

_DEATHS = 2  # of a worker at one trial, after which it counts as failed
_STOPPED = 3  # exit status of a worker that a signal stopped


class Worker(NamedTuple):
    """A process, the end of the pipe that it reports through, and the names of trials that it told of."""

    process: Any
    reports: Connection
    names: set[str]


def run(folder: Folder, plan: Plan, workers: int, batch: int) -> None:
    """Run what is left of a plan with so many worker processes.

    Raises:
      Interrupted: SIGINT or SIGTERM; the trials' states are kept.
      RunError: Workers die before they have begun.
    """
    with watching(folder, plan) as bars, signals() as received:
        running = [_start(folder, batch) for _ in range(workers)]
        deaths: Counter[str] = Counter()
        told = 0
        while running:
            wait([x for worker in running for x in (worker.reports, worker.process.sentinel)], timeout=0.5)
            for worker in [*running]:
                _receive(worker, bars)
                if worker.process.is_alive():
                    continue
                running.remove(worker)
                worker.reports.close()
                bars.settle(worker.names)
                if worker.process.exitcode not in (0, _STOPPED) and not received:
                    _record(folder, plan, bars.running(worker.names), worker.process.exitcode, deaths)
                    running.append(_start(folder, batch))
            bars.settle()
            if len(received) > told:
                told = len(received)
                for worker in running:
                    worker.process.terminate()  # saves its state; the second time it ends at once
    if received:
        raise Interrupted(received[0], "stopped: the same command goes on where this one was")


def _record(folder: Folder, plan: Plan, names: list[str], status: int, deaths: Counter[str]) -> None:
    """Note the death of a worker; a trial that it happens at again and again has failed."""
    cause = f"signal {-status}" if status < 0 else f"status {status}"
    deaths.update(names or [""])
    if deaths[""] >= _DEATHS:
        raise RunError(f"the workers end before they begin a trial ({cause}): see above")
    for trial in plan.trials:
        if trial.name in names and deaths[trial.name] >= _DEATHS:
            died = f"its process died {deaths[trial.name]} times ({cause})"
            folder.fail(trial, f"{died}: if it is memory, lower images.size")


def _receive(worker: Worker, bars: Bars) -> None:
    with suppress(EOFError, OSError):
        while worker.reports.poll():
            told = worker.reports.recv()
            worker.names.add(told[0])
            bars.tell(*told)


def _start(folder: Folder, batch: int) -> Worker:
    context = multiprocessing.get_context("spawn")
    reports, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(folder.path, batch, theirs))
    process.start()
    theirs.close()  # so that the pipe ends with the process
    return Worker(process, reports, set())


def _main(path: Path, batch: int, reports: Connection) -> None:
    """A worker's life."""
    prepare_process()
    _leave_the_terminals_group()
    _end_with_the_parent()

    def report(*told: Any) -> None:
        with suppress(
            OSError
        ):  # the parent is gone: this process is about to be told, and its trial is not to blame
            reports.send(told)

    try:
        work(path, report, batch)
    except Interrupted:
        sys.exit(_STOPPED)
    except (InputError, RunError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)


@functools.cache
def prepare_process() -> None:
    """What every process that computes does first."""
    keep_freed_memory()
    keep_compiled_programs(cache_dir() / "compiled")


def _leave_the_terminals_group() -> None:
    """Ctrl-C reaches the parent alone, which tells the workers: twice would mean at once."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()


def _end_with_the_parent() -> None:
    """Stop as by a signal when the parent is gone, were it by SIGKILL."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def signals() -> Iterator[list[int]]:
    """Signals that came are put on the list that this gives."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
