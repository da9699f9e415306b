"""Seconds of all trials of a sweep: in shared processes beside one process for each trial."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.programs import ROOT, watch
from nst import files
from nst.arguments import Parser
from nst.errors import InputError

_CONTENTS = ("tubingen", "coffee", "chelsea", "astronaut")

# The config file of the sweep. Trials differ in the content image and in β, as those of a study would.
_CONFIG = """
from nst.config import base
from nst.overrides import grid

def get_config():
    config = base()
    config.images.size = {size}
    config.pyramid.scales = ()
    config.optimizer.steps = {steps}
    return config

def sweep():
    yield from grid({{"images.content": {contents}, "loss.style_weight": {weights}}})
"""


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--trials", type=int, default=32, help="a multiple of 4")
    parser.add_argument("--size", type=int, default=128, help="longest side, pixels")
    parser.add_argument("--steps", type=int, default=60, help="steps of each trial")
    parser.add_argument(
        "--batch", type=int, default=8, help="trials in a batch, in the last row of the table"
    )
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")


def compare(trials: int, size: int, steps: int, batch: int, output: Path | None) -> None:
    """Print the seconds of the trials in each way, with nothing compiled before.

    Raises:
      InputError: A number is too small, or `trials` is no multiple of 4.
      RunError: A program failed.
    """
    if trials < 4 or trials % 4 or min(size, steps, batch) < 1:
        raise InputError("--trials: give a multiple of 4; the other numbers: give at least 1")
    weights = [round(100 * 10 ** (4 * i / (trials // 4)), 3) for i in range(trials // 4)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "config.py"
        file.write_text(_CONFIG.format(size=size, steps=steps, contents=_CONTENTS, weights=weights))
        seconds = {}
        for i, (label, run) in enumerate(_ways(file, weights, batch)):
            began = time.monotonic()
            run(folder / f"{i}")
            seconds[label] = time.monotonic() - began
    baseline = next(iter(seconds.values()))
    table = Table(
        "",
        "seconds",
        "trials a minute",
        "times as fast",
        title=f"{trials} trials, {size} pixels, {steps} steps",
    )
    for label, s in seconds.items():
        table.add_row(label, f"{s:.0f}", f"{60 * trials / s:.1f}", f"{baseline / s:.2f}")
    Console().print(table)
    if output:
        settings = {"trials": trials, "size": size, "steps": steps, "batch": batch}
        files.write_bytes(output, (json.dumps(settings | {"seconds": seconds}, indent=2) + "\n").encode())


def _ways(file: Path, weights: list[float], batch: int) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Yield the ways to run all trials in a folder: a label and a function."""

    def processes(at_once: int, folder: Path) -> None:
        settings = [
            [f"--config.images.content={content}", f"--config.loss.style_weight={weight}"]
            for content in _CONTENTS
            for weight in weights
        ]
        with ThreadPoolExecutor(at_once) as pool:
            jobs = [pool.submit(_run, "run.py", file, folder, f"{i}", x) for i, x in enumerate(settings)]
        for job in jobs:
            job.result()

    def sweep(setting: str, folder: Path) -> None:
        _run("sweep.py", file, folder, "sweep", [setting])

    yield "a process for each trial", partial(processes, 1)
    yield "a process for each, two at a time", partial(processes, 2)
    yield "a sweep", partial(sweep, "--workers=1")
    yield "a sweep, 2 workers", partial(sweep, "--workers=2")
    yield f"a sweep, batches of {batch}", partial(sweep, f"--batch={batch}")


def _run(script: str, file: Path, folder: Path, name: str, settings: list[str]) -> None:
    command = [sys.executable, str(ROOT / "scripts" / script), f"--config={file}"]
    command += [f"--workdir={folder / name}", *settings]
    environment = {"JAX_COMPILATION_CACHE_DIR": str(folder / "compiled")}
    watch(command, folder / f"{name}-said", environment=environment)
