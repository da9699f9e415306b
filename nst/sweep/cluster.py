"""Trials as tasks of a Ray cluster, with declared resources and retries when a worker or a node dies.

This process holds the leases and schedules the trials; the tasks only compute. With a shared directory, tasks write
their files to it and resume from a checkpoint after a node has died. Without one, they return their files and start
again.
"""

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from nst import files
from nst.errors import InputError, Interrupted, RunError
from nst.process import prepare
from nst.runs.interruption import signals
from nst.sweep.bars import Bars, watching
from nst.sweep.local import STOPPED
from nst.sweep.plan import Plan, Trial, structure
from nst.sweep.trials import Folder
from nst.sweep.work import Taken, log, perform, take

_RETRIES = 3  # of a task whose worker or node died; counted by Ray
_CONNECT_SECONDS = 10.0  # time for the head node to answer
_CANCEL_SECONDS = 120.0  # time for cancelled tasks to save their state

#: The result of a task: a log line for each trial, and the files written, by relative path; no files with a shared
#: directory.
Result = tuple[list[dict[str, Any]], dict[str, bytes]]


class Cluster(NamedTuple):
    """A Ray cluster and the resources of each task."""

    address: str | None = None  # as in `ray.init`: None is RAY_ADDRESS, or a cluster on this machine
    cpus: float = 1.0
    gpus: float = 0.0
    shared: bool = True  # whether all nodes see the sweep's directory under the same path


def run(folder: Folder, plan: Plan, cluster: Cluster, batch: int) -> None:
    """Run the unfinished trials of a plan on a cluster.

    Raises:
      InputError: Ray is not installed, or there is no cluster at that address.
      Interrupted: SIGINT or SIGTERM; the states of the trials are saved.
    """
    ray = _connect(cluster)
    try:
        with watching(folder, plan) as bars, signals(STOPPED) as received:
            _schedule(ray, folder, plan, cluster, batch, bars, received)
    finally:
        ray.shutdown()
    if received:
        raise Interrupted(received[0], STOPPED)


def _schedule(
    ray: Any, folder: Folder, plan: Plan, cluster: Cluster, batch: int, bars: Bars, received: list[int]
) -> None:
    reports = ray.remote(num_cpus=0, max_restarts=-1)(_Reports).remote()
    task = ray.remote(num_cpus=cluster.cpus, num_gpus=cluster.gpus, max_retries=_RETRIES)(_compute)
    path = str(folder.path.absolute()) if cluster.shared else None
    running: dict[Any, Taken] = {}
    latest = ""
    try:
        while not received:
            unfinished = [trial for trial in plan.trials if not folder.finished(trial)]
            if not unfinished:
                return
            while len(running) < 2 * _slots(ray, cluster) and not received:
                taken = take(folder, plan, unfinished, latest, batch)
                if not taken:
                    break
                chosen = [trial for trial, _ in taken]
                latest = structure(plan, chosen[0])
                running[task.remote(path, plan, chosen, cluster.cpus, reports)] = taken
            ready, _ = ray.wait([*running], timeout=1.0) if running else ([], [])
            for reference in ready:
                _settle(ray, folder, reference, running.pop(reference))
            with suppress(ray.exceptions.RayError):
                for report in ray.get(reports.take.remote(), timeout=5):
                    bars.tell(*report)
            bars.settle()
    finally:
        _cancel(ray, folder, running)


def _connect(cluster: Cluster) -> Any:
    try:
        import ray
    except ImportError as error:
        raise InputError("--executor=ray: Ray is not installed: pip install 'nst[ray]'") from error
    try:
        _check_address(cluster.address or "")
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"--address {cluster.address}: there is no Ray cluster ({reason})") from error
    return ray


def _check_address(address: str) -> None:
    """Raise OSError if nothing listens at the address: Ray would retry for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()


def _slots(ray: Any, cluster: Cluster) -> int:
    """Return the number of tasks that fit on the cluster, at least 1: a task can wait for nodes to join."""
    total = ray.cluster_resources()
    per_task = {"CPU": cluster.cpus, "GPU": cluster.gpus}
    return max(
        1, min((int(total.get(name, 0) // need) for name, need in per_task.items() if need), default=1)
    )


class _Reports:
    """A Ray actor that holds the latest report of each trial."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[Any, ...]] = {}

    def tell(self, *report: Any) -> None:
        self._latest[report[0]] = report

    def take(self) -> list[tuple[Any, ...]]:
        reports, self._latest = [*self._latest.values()], {}
        return reports


def _compute(path: str | None, plan: Plan, chosen: Sequence[Trial], cpus: float, reports: Any) -> Result:
    """Run trials: the body of a Ray task."""
    os.environ.setdefault("NPROC", str(max(1, round(cpus))))  # number of XLA's CPU threads
    prepare(files.cache_dir() / "compiled")

    def report(*values: Any) -> None:
        reports.tell.remote(*values)

    if path is not None:
        return perform(Folder(Path(path)), plan, chosen, report), {}
    with TemporaryDirectory() as name:
        lines = perform(Folder(Path(name)), plan, chosen, report)
        written = [file for file in Path(name).rglob("*") if file.is_file()]
        return lines, {str(file.relative_to(name)): file.read_bytes() for file in written}


def _settle(ray: Any, folder: Folder, reference: Any, taken: Taken) -> None:
    """Store the result of a task, or fail its trials if its process died too often; give its leases back."""
    try:
        lines, written = ray.get(reference)
        # `done` is written last: it means that all other files are there.
        for name, content in sorted(written.items(), key=lambda item: Path(item[0]).name == "done"):
            files.write_bytes(folder.path / name, content)
        log(folder, lines)
    except ray.exceptions.TaskCancelledError:
        pass
    except ray.exceptions.RayTaskError as error:
        # Interrupted: a node that is shut down signals its workers. Another task goes on with the trial.
        if not isinstance(error.cause, Interrupted):
            cause = f"{type(error.cause).__name__}: {error.cause}"
            raise RunError(
                f"a task could not run ({' '.join(cause.split())}): install the same version of nst on all nodes"
            ) from error
    except ray.exceptions.RayError as error:
        reason = " ".join(str(error).split())
        for trial, _ in taken:
            if not folder.finished(trial):
                folder.fail(trial, f"its process or node died {_RETRIES + 1} times: {reason}")
    finally:
        for _, lease in taken:
            lease.give_back()


def _cancel(ray: Any, folder: Folder, running: dict[Any, Taken]) -> None:
    """Cancel running tasks, which then save their state, and give their leases back."""
    for reference in running:
        with suppress(ray.exceptions.RayError):
            ray.cancel(reference)
    if running:
        ray.wait([*running], num_returns=len(running), timeout=_CANCEL_SECONDS)
    for reference, taken in running.items():
        with suppress(ray.exceptions.RayError):
            ready, _ = ray.wait([reference], timeout=0)
            if ready:
                _settle(ray, folder, reference, [])
        for _, lease in taken:
            lease.give_back()
