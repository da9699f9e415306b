"""The loop of a worker: lease a batch of trials and run it. Trials that share compiled programs go first."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nst import holder, process, runs
from nst.errors import InputError
from nst.runs.progress import Show
from nst.stages import Snapshot
from nst.sweep import leases, trials
from nst.sweep.plan import Plan, Trial, configured, read, structure
from nst.sweep.trials import Folder

_PATIENCE = 1.0  # seconds to wait while other processes hold all trials

#: Progress callback: name of the trial, current step, last step, loss.
Report = Callable[[str, int, int, float], None]


#: The trials of a batch, with the leases that this process holds.
Taken = list[tuple[Trial, leases.Lease]]


def work(path: Path, report: Report, batch: int = 1) -> None:
    """Run trials until none is left; wait for those that other processes hold.

    Args:
      path: The sweep's directory.
      report: Progress callback.
      batch: Largest number of trials computed in one batch.

    Raises:
      Interrupted: SIGINT or SIGTERM; the states of the trials are saved.
    """
    folder, latest = Folder(path), ""
    while True:
        plan = _plan(path)  # the plan may have been extended
        unfinished = [trial for trial in plan.trials if not folder.finished(trial)]
        if not unfinished:
            return
        taken = take(folder, plan, unfinished, latest, batch)
        if not taken:
            time.sleep(_PATIENCE)
            continue
        try:
            latest = structure(plan, taken[0][0])
            log(folder, perform(folder, plan, [trial for trial, _ in taken], report))
        finally:
            for _, lease in taken:
                lease.give_back()


def perform(folder: Folder, plan: Plan, chosen: Sequence[Trial], report: Report) -> list[dict[str, Any]]:
    """Run trials, as a batch if none was begun, and return a log line with the cost of each.

    Trials that another process has finished in the meantime are skipped.
    """
    began, before = time.monotonic(), process.compilations()
    chosen = [trial for trial in chosen if not folder.finished(trial)]
    configs = [configured(plan, trial) for trial in chosen]
    shows = [_show(trial.name, report) for trial in chosen]
    if len(chosen) > 1 and not any(map(folder.begun, chosen)):
        trials.run_together(folder, chosen, configs, shows)
    else:
        for trial, config, show in zip(chosen, configs, shows, strict=True):
            trials.run(folder, trial, config, show)
    seconds, compiled = time.monotonic() - began, process.compilations() - before
    return [
        {
            "trial": trial.name,
            "seconds": round(seconds / len(chosen), 3),
            "compilations": 0 if i else compiled,
        }
        for i, trial in enumerate(chosen)
    ]


def _show(name: str, report: Report) -> Show:
    @contextmanager
    def show(total: int) -> Iterator[Callable[[Snapshot], None]]:
        def callback(snapshot: Snapshot) -> None:
            report(name, snapshot.step, total, float(snapshot.state.value))

        report(name, 0, total, float("nan"))
        yield callback

    return show


def _plan(path: Path) -> Plan:
    plan = read(path)
    if plan is None:
        raise InputError(f"{path}: there is no sweep here")
    return plan


def take(folder: Folder, plan: Plan, unfinished: list[Trial], latest: str, batch: int) -> Taken:
    """Lease a batch of compatible trials: prefer those already compiled, then those nobody else compiles.

    Args:
      folder: The sweep's directory.
      plan: The plan.
      unfinished: The trials to choose from.
      latest: The `structure` of the trials that the caller took last; empty if there are none.
      batch: Largest number of trials.

    Returns:
      The trials and their leases; empty if other processes hold all of them.
    """
    held = leases.holders(folder.leases)
    structures = {trial.name: structure(plan, trial) for trial in unfinished}
    others = {structures[name] for name in held if name in structures}
    order = sorted(
        (trial for trial in unfinished if trial.name not in held),
        key=lambda trial: (structures[trial.name] != latest, structures[trial.name] in others),
    )
    taken: Taken = []
    shared = None
    for trial in order:
        if not taken:
            shared = batch_key(folder, plan, trial) if batch > 1 else None
        elif shared is None or len(taken) == batch:
            break
        elif batch_key(folder, plan, trial) != shared:
            continue
        lease = leases.take(folder.leases, trial.name, _lost)
        if lease is not None:
            taken.append((trial, lease))
    return taken


def batch_key(folder: Folder, plan: Plan, trial: Trial) -> str | None:
    """Return a key that trials must share to run as a batch; None for a trial that runs alone.

    A trial that was begun runs alone: the trials of a batch must be at the same step.
    """
    config = configured(plan, trial)
    key_of = runs.modality(config).batch_key
    if key_of is None or folder.begun(trial):
        return None
    key = key_of(config)
    return None if key is None else f"{key} {structure(plan, trial, batched=True)}"


def _lost() -> None:
    """End this process at once: another one has taken over its trial, and only one may write to it."""
    print(
        "error: this process did not touch its lease for a minute, and another one took over its trial",
        file=sys.stderr,
    )
    os._exit(1)


def log(folder: Folder, lines: Sequence[dict[str, Any]]) -> None:
    """Append log lines to a file of this process: lines of several processes do not mix."""
    path = folder.path / "log" / f"{holder.own().replace('/', '-')}.jsonl"
    path.parent.mkdir(exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def logged(path: Path) -> dict[str, dict[str, float]]:
    """Return `seconds`, `compilations` and attempts (`times`) of each trial by name, summed over all processes."""
    totals: dict[str, dict[str, float]] = {}
    for file in sorted((path / "log").glob("*.jsonl")):
        for text in file.read_text().splitlines():
            line = json.loads(text)
            sums = totals.setdefault(line["trial"], {"seconds": 0.0, "compilations": 0, "times": 0})
            sums["seconds"] += line["seconds"]
            sums["compilations"] += line["compilations"]
            sums["times"] += 1
    return totals
