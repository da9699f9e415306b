"""What came of a sweep: a table for the terminal, and `summary.json`."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from nst import record
from nst.sweep.plan import Plan
from nst.sweep.trials import DONE, FAILED, Folder
from nst.sweep.work import logged

FILE = "summary.json"


def collect(folder: Folder, plan: Plan) -> list[dict[str, Any]]:
    """For each trial its name, overrides, state, error, and the last line of its metrics."""
    states, took = folder.states(plan), logged(folder.path)
    found = []
    for trial in plan.trials:
        lines = record.metrics(folder.trial(trial) / "metrics.jsonl")
        row: dict[str, Any] = {"name": trial.name, "overrides": trial.overrides, "state": states[trial.name]}
        if row["state"] == FAILED:
            row["error"] = folder.error(trial)
        found.append(row | {"took": took.get(trial.name, {}), "last": lines[-1] if lines else {}})
    return found


def write(folder: Folder, rows: list[dict[str, Any]]) -> Path:
    """Keep them as `summary.json`."""
    path = folder.path / FILE
    record.write_json(path, {"compilations": compilations(rows), "trials": rows})
    return path


def compilations(rows: list[dict[str, Any]]) -> int:
    """Programs compiled, or found among those kept, over all processes."""
    return sum(row["took"].get("compilations", 0) for row in rows)


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table, and a line with the counts."""
    table = Table("trial", "state", "step", "loss", "seconds")
    for row in rows:
        last, seconds = row["last"], row["took"].get("seconds")
        told = row["state"] + (f": {row['error']}" if "error" in row else "")
        loss = f"{last['loss']:.4g}" if last else ""
        table.add_row(row["name"], told, str(last.get("step", "")), loss, f"{seconds:.0f}" if seconds else "")
    Console().print(table, markup=False)
    counts = {state: sum(row["state"] == state for row in rows) for state in (DONE, FAILED)}
    rest = len(rows) - sum(counts.values())
    print(
        f"{len(rows)} trials: {counts[DONE]} done, {counts[FAILED]} failed, {rest} to do; "
        f"{compilations(rows)} programs compiled or found"
    )
