"""Sweeps: many runs from one config file, one compilation for what shares a structure, nothing done twice."""

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
) -> Plan:
    """Write the plan, or find that the one written before is the same.

    Args:
      config: What all trials begin with.
      sweep: Overrides, or pairs of a name and overrides: one trial each.
      workdir: The sweep's directory.
      extend: Add the trials that are new to the plan that stands there.

    Raises:
      InputError: The plan can't be used, or another one stands there.
    """
    new = plan.make(config, sweep)
    old = plan.read(workdir)
    if old is None:
        if workdir.exists() and any(workdir.iterdir()):
            raise InputError(f"{workdir} is not empty and holds no sweep: give another --workdir")
    else:
        plan.agree(old, new, extend=extend, where=workdir)
        if new.config == old.config and len(new.trials) <= len(old.trials):
            return old
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
    """Run what is left of a plan and tell what came of it.

    Args:
      workdir: The sweep's directory.
      chosen: What `begin` gave.
      workers: Processes on this machine; other machines may help by the same command.
      batch: How many trials run in lock-step, at most.
      retry: Run trials once more that failed.
      on: A Ray cluster that computes in place of workers.

    Raises:
      Interrupted: A signal came; what was reached is kept.
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
        raise RunError(f"{failed} of {len(rows)} trials failed: mend the cause, then --retry runs them again")


def show(workdir: Path, chosen: Plan) -> None:
    """Print the plan and where each trial stands."""
    summary.show(summary.collect(Folder(workdir), chosen))
