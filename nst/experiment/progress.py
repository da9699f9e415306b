"""The progress bar of a run."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from nst.stylize import Snapshot


def bar(total: int) -> tuple[Progress, TaskID]:
    """A bar that fits 80 columns, and its task of `total` steps; a context manager."""
    progress = Progress(
        BarColumn(bar_width=10),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.fields[terms]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )
    return progress, progress.add_task("run", total=total, terms="compiling", rate="")


def show(progress: Progress, task: TaskID, snapshot: Snapshot) -> None:
    """The loss terms, the steps per second, the time left."""
    terms = {name: float(value) for name, value in snapshot.state.terms.items()}
    text = " ".join(f"{name} {value:.2g}" for name, value in terms.items() if value)
    speed = progress.tasks[task].speed
    progress.update(task, completed=snapshot.step, terms=text, rate=f"{speed:.2g} steps/s" if speed else "")
