"""A process that takes one trial after another, or several in lock-step, those that share compiled programs first."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nst import process, runs
from nst.errors import InputError
from nst.runs.progress import Show
from nst.stages import Snapshot
from nst.sweep import leases, trials
from nst.sweep.plan import Plan, Trial, configured, read, structure
from nst.sweep.trials import Folder

_PATIENCE = 1.0  # seconds between two looks at trials that others hold

#: Told of a trial that runs: its name, the step it has reached, the last one, and the loss.
Report = Callable[[str, int, int, float], None]


#: Trials that go together, with the leases of this process.
Taken = list[tuple[Trial, leases.Lease]]


def work(path: Path, report: Report, batch: int = 1) -> None:
    """Run trials until none is left, waiting for those that others hold.

    Args:
      path: The sweep's directory.
      report: Told how far each trial is.
      batch: How many run in lock-step, at most.

    Raises:
      Interrupted: A signal came; the trials' states are kept.
    """
    folder, latest = Folder(path), ""
    while True:
        plan = _plan(path)  # it may have been extended
        open_ones = [trial for trial in plan.trials if not folder.finished(trial)]
        if not open_ones:
            return
        taken = take(folder, plan, open_ones, latest, batch)
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
    """Run these trials, in lock-step if none was begun, and give what each took.

    One that is finished, by another process that held its lease before, is left alone.
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
        def told(snapshot: Snapshot) -> None:
            report(name, snapshot.step, total, float(snapshot.state.value))

        report(name, 0, total, float("nan"))
        yield told

    return show


def _plan(path: Path) -> Plan:
    plan = read(path)
    if plan is None:
        raise InputError(f"{path}: there is no sweep here")
    return plan


def take(folder: Folder, plan: Plan, open_ones: list[Trial], latest: str, batch: int) -> Taken:
    """Lease a batch of compatible trials: prefer those already compiled, then those nobody else compiles."""
    held = leases.holders(folder.leases)
    structures = {trial.name: structure(plan, trial) for trial in open_ones}
    others = {structures[name] for name in held if name in structures}
    order = sorted(
        (trial for trial in open_ones if trial.name not in held),
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
    """Return what trials must share to go in lock-step; None for one that goes alone.

    Trials that were begun go alone: they stand at different steps.
    """
    config = configured(plan, trial)
    key_of = runs.modality(config).batch_key
    if key_of is None or folder.begun(trial):
        return None
    key = key_of(config)
    return None if key is None else f"{key} {structure(plan, trial, lockstep=True)}"


def _lost() -> None:
    """Another process believes this one dead and has begun: write nothing more."""
    print("error: this process was not heard of for a minute and lost its trial", file=sys.stderr)
    os._exit(1)


def log(folder: Folder, lines: Sequence[dict[str, Any]]) -> None:
    """Keep what trials took, in a file for each process: lines of several do not mix."""
    path = folder.path / "log" / f"{leases.holder().replace('/', '-')}.jsonl"
    path.parent.mkdir(exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def logged(path: Path) -> dict[str, dict[str, float]]:
    """By trial, the seconds and compilations that it took in all, over all processes that worked at it."""
    found: dict[str, dict[str, float]] = {}
    for file in sorted((path / "log").glob("*.jsonl")):
        for text in file.read_text().splitlines():
            line = json.loads(text)
            sums = found.setdefault(line["trial"], {"seconds": 0.0, "compilations": 0, "times": 0})
            sums["seconds"] += line["seconds"]
            sums["compilations"] += line["compilations"]
            sums["times"] += 1
    return found
