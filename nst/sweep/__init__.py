"""Sweeps: many runs from one config file. Trials of one structure share compiled programs; none is run twice."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from nst.errors import InputError, RunError
from nst.sweep import cluster, local, plan, summary
from nst.sweep.cluster import Cluster
from nst.sweep.plan import Plan
from nst.sweep.trials import FAILED, Folder, save_missing_inputs

__all__ = ["Cluster", "begin", "run", "show"]


def begin(
    config: ConfigDict,
    sweep: Iterable[Any],
    workdir: Path,
    *,
    extend: bool = False,
    drop: bool = False,
    write: bool = True,
) -> Plan:
    """Write the plan of a sweep, or check that it agrees with the plan that is already there.

    Args:
      config: The config that all trials share.
      sweep: The overrides of each trial, or pairs of a name and overrides.
      workdir: The sweep's directory.
      extend: Add new trials to the plan that is already there.
      drop: Remove trials from the plan that is already there if they are gone; their directories stay.
      write: Write the plan; otherwise nothing is changed.

    Returns:
      The plan in the directory.

    Raises:
      InputError: The plan is invalid, or the directory holds another sweep or other files.
    """
    new = plan.make(config, sweep)
    old = plan.read(workdir)
    if old is None:
        if workdir.exists() and any(workdir.iterdir()):
            raise InputError(f"{workdir} is not empty and holds no sweep: give another --workdir")
    else:
        plan.agree(old, new, extend=extend, drop=drop, where=workdir)
        if new.config == old.config and {t.name for t in new.trials} == {t.name for t in old.trials}:
            return old
    if write:
        workdir.mkdir(parents=True, exist_ok=True)
        plan.write(workdir, new)
    return new


def run(
    workdir: Path,
    chosen: Plan,
    *,
    workers: int = 1,
    batch: int = 1,
    retry: bool = False,
    on: Cluster | None = None,
) -> None:
    """Run the unfinished trials of a plan, write `summary.json` and print the results.

    Args:
      workdir: The sweep's directory.
      chosen: The plan that `begin` returned.
      workers: Number of processes on this machine. Other machines can join with the same command.
      batch: Largest number of trials computed in one batch.
      retry: Run failed trials again.
      on: A Ray cluster to run on in place of local workers.

    Raises:
      Interrupted: SIGINT or SIGTERM; the states of the trials are saved.
      RunError: A trial failed; all others are done.
    """
    folder = Folder(workdir)
    save_missing_inputs(folder, chosen)
    if retry:
        folder.forget_failures(chosen)
    try:
        if on is None:
            local.run(folder, chosen, workers, batch)
        else:
            cluster.run(folder, chosen, on, batch)
    finally:
        rows = summary.collect(folder, chosen)
        summary.write(folder, rows)
    summary.show(rows)
    failed = sum(row["state"] == FAILED for row in rows)
    if failed:
        raise RunError(
            f"{failed} of {len(rows)} trials failed: fix the cause, then add --retry to run them again"
        )


def show(workdir: Path, chosen: Plan) -> None:
    """Print the trials of a plan with their states."""
    summary.show(summary.collect(Folder(workdir), chosen))
