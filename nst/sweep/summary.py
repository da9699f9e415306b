"""The results of a sweep: a table on the terminal, and `summary.json`."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from nst import record
from nst.sweep.plan import Plan
from nst.sweep.trials import DONE, FAILED, Folder
from nst.sweep.work import logged

FILE = "summary.json"


def collect(folder: Folder, plan: Plan) -> list[dict[str, Any]]:
    """Return the name, overrides, state, error, cost and last line of metrics of each trial."""
    states, took = folder.states(plan), logged(folder.path)
    rows = []
    for trial in plan.trials:
        lines = record.metrics(folder.trial(trial) / "metrics.jsonl")
        row: dict[str, Any] = {"name": trial.name, "overrides": trial.overrides, "state": states[trial.name]}
        if row["state"] == FAILED:
            row["error"] = folder.error(trial)
        rows.append(row | {"took": took.get(trial.name, {}), "last": lines[-1] if lines else {}})
    return rows


def write(folder: Folder, rows: list[dict[str, Any]]) -> Path:
    """Write rows to `summary.json` and return its path."""
    path = folder.path / FILE
    record.write_json(path, {"compilations": compilations(rows), "trials": rows})
    return path


def compilations(rows: list[dict[str, Any]]) -> int:
    """Return the number of programs that all processes compiled or loaded from the cache."""
    return sum(row["took"].get("compilations", 0) for row in rows)


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table of the trials and a line with the counts."""
    table = Table("trial", Column("state", overflow="fold"), "step", "loss", "seconds")
    for row in rows:
        last, seconds = row["last"], row["took"].get("seconds")
        state = row["state"] + (f": {row['error']}" if "error" in row else "")
        loss = f"{last['loss']:.4g}" if last else ""
        table.add_row(
            row["name"], state, str(last.get("step", "")), loss, f"{seconds:.0f}" if seconds else ""
        )
    Console().print(table, markup=False)
    counts = {state: sum(row["state"] == state for row in rows) for state in (DONE, FAILED)}
    rest = len(rows) - sum(counts.values())
    print(
        f"{len(rows)} trials: {counts[DONE]} done, {counts[FAILED]} failed, {rest} to do; "
        f"{compilations(rows)} programs compiled or loaded"
    )
