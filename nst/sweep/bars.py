"""Progress bars of a sweep: one for the whole sweep, and one for each running trial."""

import math
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from nst.sweep.plan import Plan
from nst.sweep.trials import Folder

_PAUSE = 0.5  # seconds between two checks for finished trials


class Bars:
    """The progress bars of a sweep; made by `watching`."""

    def __init__(self, folder: Folder, plan: Plan, progress: Progress):
        self._folder, self._progress = folder, progress
        self._open = {trial.name: trial for trial in plan.trials}
        self._running: dict[str, TaskID] = {}
        self._next_look = 0.0
        self._sweep = progress.add_task("sweep", total=len(plan.trials), label="")

    def tell(self, name: str, step: int, total: int, loss: float) -> None:
        """Show the step and the loss of a trial; NaN is a loss that is not known yet."""
        if name not in self._running:
            self._running[name] = self._progress.add_task("trial", total=total, label=name)
        label = f"{name} compiling" if math.isnan(loss) else f"{name} loss {loss:.3g}"
        self._progress.update(self._running[name], completed=step, total=total, label=label)

    def settle(self, ended: Iterable[str] = ()) -> None:
        """Remove the bars of finished trials, and those of trials in `ended`, whose process has ended."""
        if not ended and time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _PAUSE
        done = [name for name, trial in self._open.items() if self._folder.finished(trial)]
        for name in done:
            del self._open[name]
        for name in {*done, *ended} & set(self._running):
            self._progress.remove_task(self._running.pop(name))
        number = self._progress.tasks[0].total or 0
        finished = number - len(self._open)
        label = f"{finished:.0f} of {number:.0f} trials"
        self._progress.update(self._sweep, completed=finished, label=label)
        if done and self._progress.disable:
            print(label, file=sys.stderr, flush=True)

    def running(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` whose trials were not finished at the last check."""
        return [name for name in names if name in self._open]


@contextmanager
def watching(folder: Folder, plan: Plan) -> Iterator[Bars]:
    """Show progress bars on a terminal or in a notebook while the block runs; elsewhere a line when a trial is done."""
    console = Console(stderr=True)
    progress = Progress(
        BarColumn(bar_width=10),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.fields[label]}"),
        TimeRemainingColumn(compact=True),
        console=console,
        disable=not (console.is_terminal or console.is_jupyter),
    )
    with progress:
        bars = Bars(folder, plan, progress)
        bars.settle()
        yield bars
