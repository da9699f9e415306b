"""Worker processes on this machine, restarted when they die."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

from nst import runs
from nst.errors import InputError, Interrupted, RunError
from nst.files import cache_dir
from nst.process import prepare
from nst.runs.interruption import signals
from nst.sweep.bars import Bars, watching
from nst.sweep.plan import Plan, configured
from nst.sweep.trials import Folder
from nst.sweep.work import work

_DEATHS = 2  # deaths of workers at one trial after which the trial counts as failed
#: Message for a sweep that a signal stopped.
STOPPED = "stopped: run the same command again to go on"
_STOPPED = 3  # exit status of a worker that a signal stopped


class Worker(NamedTuple):
    """A process, the pipe that it reports through, and the names of the trials that it has reported on."""

    process: Any
    reports: Connection
    names: set[str]


def run(folder: Folder, plan: Plan, workers: int, batch: int) -> None:
    """Run the unfinished trials of a plan in `workers` processes.

    Raises:
      Interrupted: SIGINT or SIGTERM; the states of the trials are saved.
      RunError: Workers die before they begin a trial.
    """
    running: list[Worker] = []
    try:
        with watching(folder, plan) as bars, signals(STOPPED) as received:
            running += [_start(folder, batch) for _ in range(workers)]
            _supervise(folder, plan, batch, bars, running, received)
    finally:
        for worker in running:
            worker.process.terminate()  # a second signal ends it at once
    if received:
        raise Interrupted(received[0], STOPPED)


def _supervise(
    folder: Folder, plan: Plan, batch: int, bars: Bars, running: list[Worker], received: list[int]
) -> None:
    """Take reports from workers, restart those that die and pass a signal on, until all have ended."""
    deaths: Counter[str] = Counter()
    passed_on = False
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
        if received and not passed_on:
            passed_on = True
            for worker in running:
                worker.process.terminate()  # it saves its state


def _record(folder: Folder, plan: Plan, names: list[str], status: int, deaths: Counter[str]) -> None:
    """Count the death of a worker; a trial at which workers die repeatedly has failed."""
    cause = f"signal {-status}" if status < 0 else f"status {status}"
    deaths.update(names or [""])
    if deaths[""] >= _DEATHS:
        raise RunError(f"the workers end before they begin a trial ({cause}): see the errors above")
    for trial in plan.trials:
        if trial.name in names and deaths[trial.name] >= _DEATHS:
            died = f"its process died {deaths[trial.name]} times ({cause})"
            folder.fail(
                trial, f"{died}: if memory is the cause, {runs.modality(configured(plan, trial)).remedy}"
            )


def _receive(worker: Worker, bars: Bars) -> None:
    with suppress(EOFError, OSError):
        while worker.reports.poll():
            report = worker.reports.recv()
            worker.names.add(report[0])
            bars.tell(*report)


def _start(folder: Folder, batch: int) -> Worker:
    context = multiprocessing.get_context("spawn")
    reports, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(folder.path, batch, theirs))
    process.start()
    theirs.close()  # so that the pipe ends with the process
    return Worker(process, reports, set())


def _main(path: Path, batch: int, reports: Connection) -> None:
    """Run a worker process."""
    prepare(cache_dir() / "compiled")
    _leave_the_terminals_group()
    _end_with_the_parent()

    def report(*values: Any) -> None:
        with suppress(OSError):  # the parent has died: a signal will follow, and the trial has not failed
            reports.send(values)

    try:
        work(path, report, batch)
    except Interrupted:
        sys.exit(_STOPPED)
    except (InputError, RunError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)


def _leave_the_terminals_group() -> None:
    """Let Ctrl-C reach the parent alone, which signals the workers: a second signal would end them at once."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()


def _end_with_the_parent() -> None:
    """Send SIGTERM to this process when the parent ends, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
