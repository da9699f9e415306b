"""Trials as tasks of a Ray cluster: declared resources, another try when a worker or a node dies.

This process holds the leases and decides; the tasks only compute. In a shared directory they write to it themselves and
go on from a checkpoint after a node's death; without one they return what they wrote, and begin again.
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

_RETRIES = 3  # of a task whose worker or node died; Ray counts
_KNOCK = 10.0  # seconds in which a head has to answer
_LAST_WORDS = 120.0  # seconds in which cancelled tasks can save their state

#: What tasks give: a line of the log for each trial, and by relative path the files written where there is no shared
#: directory.
Result = tuple[list[dict[str, Any]], dict[str, bytes]]


class Cluster(NamedTuple):
    """Which cluster, and what each task takes of it."""

    address: str | None = (
        None  # as `ray.init` takes it: None is RAY_ADDRESS, or else a cluster on this machine
    )
    cpus: float = 1.0
    gpus: float = 0.0
    shared: bool = True  # whether all nodes have the sweep's directory under the same path


def run(folder: Folder, plan: Plan, cluster: Cluster, batch: int) -> None:
    """Run what is left of a plan on a cluster.

    Raises:
      InputError: Ray is not installed, or there is no cluster at that address.
      Interrupted: SIGINT or SIGTERM; the trials' states are kept.
    """
    ray = _connect(cluster)
    try:
        with watching(folder, plan) as bars, signals(STOPPED) as received:
            _go(ray, folder, plan, cluster, batch, bars, received)
    finally:
        ray.shutdown()
    if received:
        raise Interrupted(received[0], STOPPED)


def _go(
    ray: Any, folder: Folder, plan: Plan, cluster: Cluster, batch: int, bars: Bars, received: list[int]
) -> None:
    reports = ray.remote(num_cpus=0, max_restarts=-1)(_Reports).remote()
    task = ray.remote(num_cpus=cluster.cpus, num_gpus=cluster.gpus, max_retries=_RETRIES)(_compute)
    where = str(folder.path.absolute()) if cluster.shared else None
    running: dict[Any, Taken] = {}
    latest = ""
    try:
        while not received:
            open_ones = [trial for trial in plan.trials if not folder.finished(trial)]
            if not open_ones:
                return
            while len(running) < 2 * _slots(ray, cluster) and not received:
                taken = take(folder, plan, open_ones, latest, batch)
                if not taken:
                    break
                chosen = [trial for trial, _ in taken]
                latest = structure(plan, chosen[0])
                running[task.remote(where, plan, chosen, cluster.cpus, reports)] = taken
            ready, _ = ray.wait([*running], timeout=1.0) if running else ([], [])
            for reference in ready:
                _settle(ray, folder, reference, running.pop(reference))
            with suppress(ray.exceptions.RayError):
                for told in ray.get(reports.take.remote(), timeout=5):
                    bars.tell(*told)
            bars.settle()
    finally:
        _cancel(ray, folder, running)


def _connect(cluster: Cluster) -> Any:
    try:
        import ray
    except ImportError as error:
        raise InputError("--executor=ray: Ray is not installed: pip install 'nst[ray]'") from error
    try:
        _knock(cluster.address or "")
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"--address {cluster.address}: there is no Ray cluster ({reason})") from error
    return ray


def _knock(address: str) -> None:
    """Fail at once where nobody listens: Ray would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_KNOCK).close()


def _slots(ray: Any, cluster: Cluster) -> int:
    """How many tasks the cluster has room for, at least one: others wait for nodes to come."""
    have = ray.cluster_resources()
    per_task = {"CPU": cluster.cpus, "GPU": cluster.gpus}
    return max(1, min((int(have.get(name, 0) // need) for name, need in per_task.items() if need), default=1))


class _Reports:
    """An actor: the latest that each trial has told."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[Any, ...]] = {}

    def tell(self, *told: Any) -> None:
        self._latest[told[0]] = told

    def take(self) -> list[tuple[Any, ...]]:
        found, self._latest = [*self._latest.values()], {}
        return found


def _compute(where: str | None, plan: Plan, chosen: Sequence[Trial], cpus: float, reports: Any) -> Result:
    """The task: run these trials."""
    os.environ.setdefault("NPROC", str(max(1, round(cpus))))  # threads of XLA on a CPU
    prepare(files.cache_dir() / "compiled")

    def report(*told: Any) -> None:
        reports.tell.remote(*told)

    if where is not None:
        return perform(Folder(Path(where)), plan, chosen, report), {}
    with TemporaryDirectory() as name:
        lines = perform(Folder(Path(name)), plan, chosen, report)
        paths = [path for path in Path(name).rglob("*") if path.is_file()]
        return lines, {str(path.relative_to(name)): path.read_bytes() for path in paths}


def _settle(ray: Any, folder: Folder, reference: Any, taken: Taken) -> None:
    """Take in what a task gave, or note that its process died too often, and give its leases back."""
    try:
        lines, written = ray.get(reference)
        # `done` last: it says that the rest is there.
        for name, content in sorted(written.items(), key=lambda item: Path(item[0]).name == "done"):
            files.write_bytes(folder.path / name, content)
        log(folder, lines)
    except ray.exceptions.TaskCancelledError:
        pass
    except ray.exceptions.RayTaskError as error:
        if not isinstance(
            error.cause, Interrupted
        ):  # a node that is shut down tells its workers: another will go on
            cause = f"{type(error.cause).__name__}: {error.cause}"
            raise RunError(
                f"a task could not run ({' '.join(cause.split())}): is nst the same on all nodes?"
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
    """Stop what still runs; a task saves its state when it is cancelled."""
    for reference in running:
        with suppress(ray.exceptions.RayError):
            ray.cancel(reference)
    if running:
        ray.wait([*running], num_returns=len(running), timeout=_LAST_WORDS)
    for reference, taken in running.items():
        with suppress(ray.exceptions.RayError):
            ready, _ = ray.wait([reference], timeout=0)
            if ready:
                _settle(ray, folder, reference, [])
        for _, lease in taken:
            lease.give_back()
