"""The progress of a run: a bar, or lines."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from nst.stages import Snapshot

#: Progress factory: total steps → context manager that yields a callback.
Show = Callable[[int], AbstractContextManager[Callable[[Snapshot], None]]]


def default(every: int) -> Show:
    """Return a bar for a terminal or a notebook; for a file, a pipe or the log of a cluster, lines."""
    console = Console(stderr=True)
    return bar if console.is_terminal or console.is_jupyter else lines(every)


def lines(every: int) -> Show:
    """Return the progress factory that writes a line to standard error every `every` steps, and at the end."""

    @contextmanager
    def show(total: int) -> Iterator[Callable[[Snapshot], None]]:
        began, last = time.monotonic(), -1

        def line(snapshot: Snapshot) -> None:
            nonlocal last
            if snapshot.step == last or (snapshot.step % every and snapshot.step != total):
                return
            last = snapshot.step
            seconds = time.monotonic() - began
            print(f"step {last}/{total} {_terms(snapshot)} {seconds:.0f} s", file=sys.stderr, flush=True)

        yield line

    return show


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
        speed = progress.tasks[task].speed
        rate = f"{speed:.2g} steps/s" if speed else ""
        progress.update(task, completed=snapshot.step, terms=_terms(snapshot), rate=rate)

    with progress:
        yield show


def _terms(snapshot: Snapshot) -> str:
    terms = {name: float(value) for name, value in snapshot.state.terms.items()}
    return " ".join(f"{name} {value:.2g}" for name, value in terms.items() if value)
