"""The progress bar of a run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from nst.stages import Snapshot

#: Progress factory: total steps → context manager that yields a callback.
Show = Callable[[int], AbstractContextManager[Callable[[Snapshot], None]]]


@contextmanager
def bar(total: int) -> Iterator[Callable[[Snapshot], None]]:
    """Show a bar with the loss terms, the steps per second and the time left, in 80 columns."""
    progress = Progress(
        BarColumn(bar_width=10),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.fields[terms]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )
    task = progress.add_task("run", total=total, terms="compiling", rate="")

    def show(snapshot: Snapshot) -> None:
        terms = {name: float(value) for name, value in snapshot.state.terms.items()}
        text = " ".join(f"{name} {value:.2g}" for name, value in terms.items() if value)
        speed = progress.tasks[task].speed
        rate = f"{speed:.2g} steps/s" if speed else ""
        progress.update(task, completed=snapshot.step, terms=text, rate=rate)

    with progress:
        yield show
