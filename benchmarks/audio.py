"""Audio style transfer: nst beside a plain PyTorch version of the 2016 method, with the same filters and loss."""

import argparse
import json
import math
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import peers, texture
from benchmarks.peers import Evaluation
from benchmarks.programs import ROOT, Watched, watch
from benchmarks.step import in_turns
from nst import audio, files
from nst.arguments import Parser
from nst.config import loss_defaults
from nst.errors import InputError
from nst.objective import Objective, loss
from nst.optim import optimizer
from nst.optimize import by_vjp, chunks, start
from nst.transfer import audio as transfer
from nst.transfer.audio.objective import objective

_RATE, _N_FFT = 22_050, 2048
_OURS, _PEER = "nst", "torch"
_PROBLEM = "problem.npz"


class Program(NamedTuple):
    """A descent in its own process: seconds since the command, the loss at the end, peak memory in bytes."""

    first: float  # until the end of the first evaluation
    whole: float
    loss: float
    peak: int


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--filters", type=int, default=4096, help="number of random filters")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="length to cut content (8 s) and style (9 s) to"
    )
    parser.add_argument("--evaluations", type=int, default=300, help="evaluations in each descent")
    parser.add_argument("--rounds", type=int, default=7, help="timed evaluations of each")
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")
    # The part that a child process runs, and the folder that it shares with this one.
    parser.add_argument("--only", nargs=2, metavar=("times|nst", "FOLDER"), help=argparse.SUPPRESS)


def compare(
    filters: int,
    seconds: float,
    evaluations: int,
    rounds: int,
    output: Path | None,
    only: Sequence[str] | None,
) -> None:
    """Print seconds of an evaluation, the loss after `evaluations` of them, and peak memory of nst and of PyTorch.

    Raises:
      InputError: A number is too small, or PyTorch is not installed.
      RunError: A program failed, or the two gradients differ.
    """
    if min(filters, evaluations, rounds) < 1 or not seconds >= 0.3:
        raise InputError(
            "--filters, --evaluations and --rounds: give at least 1; --seconds: give at least 0.3"
        )
    if only is not None:
        return _run_part(only[0], Path(only[1]), filters, seconds, evaluations, rounds)
    peers.check()
    numbers = {"filters": filters, "seconds": seconds, "evaluations": evaluations, "rounds": rounds}
    with TemporaryDirectory() as name:
        times, programs = _measure(Path(name), numbers)
    Console().print(_table(times, programs, filters, evaluations))
    for line in _ratios(times, programs, evaluations):
        print(line)
    if output:
        cut = seconds if math.isfinite(seconds) else None
        result = {"filters": filters, "cut": cut, "evaluations": evaluations, "seconds": times}
        result |= {"programs": {name: program._asdict() for name, program in programs.items()}}
        files.write_bytes(output, (json.dumps(result, indent=2) + "\n").encode())


def _measure(folder: Path, numbers: dict[str, Any]) -> tuple[dict[str, list[float]], dict[str, Program]]:
    """Return the seconds of evaluations and the figures of both programs.

    Everything runs in child processes: the system reports a child's peak memory as at least that of its parent.
    """
    ours = [str(ROOT / "scripts" / "bench.py"), "audio"]
    ours += [f"--{name}={number}" for name, number in numbers.items()]
    watched = _watch([*ours, "--only", "times", str(folder)], folder / "times")
    commands = {
        _OURS: [*ours, "--only", _OURS, str(folder)],
        _PEER: [texture.__file__, str(folder / _PROBLEM), str(numbers["evaluations"])],
    }
    programs = {name: _program(_watch(command, folder / name)) for name, command in commands.items()}
    return json.loads(watched.lines[-1][1]), programs


def _watch(command: Sequence[str], folder: Path) -> Watched:
    environment = {"JAX_COMPILATION_CACHE_DIR": str(folder / "compiled")}
    return watch([sys.executable, *command], folder, environment=environment)


def _program(watched: Watched) -> Program:
    (first, _), (whole, last) = watched.lines[0], watched.lines[-1]
    return Program(first, whole, json.loads(last), watched.peak)


def _run_part(part: str, folder: Path, filters: int, seconds: float, evaluations: int, rounds: int) -> None:
    """Run one part in this process: nst's descent; or timed evaluations in turns, after saving the peer's problem."""
    target, problem = _problem(filters, seconds)
    if part == _OURS:
        return _descend(target, problem["content"], evaluations)
    np.savez(folder / _PROBLEM, allow_pickle=False, **problem)
    print(json.dumps(_times(target, problem, rounds)))


def _problem(filters: int, seconds: float) -> tuple[Objective, dict[str, np.ndarray]]:
    """Return nst's objective, and the same problem as arrays for `texture`; audio is reduced to one channel."""
    clips = [audio.read(name, rate=_RATE).samples for name in ("melody", "bells")]
    content, style = (transfer.rows(x[: int(min(seconds * _RATE, len(x)))]).samples[:1] for x in clips)
    extractor = transfer.audio_features("spectrogram", n_fft=_N_FFT, rate=_RATE, filters=filters, seed=0)
    # The peer's loss is a sum over positions.
    target = objective(extractor, content, style, loss_defaults("audio") | {"reduction": "sum"})
    arrays = {"content": extractor.parameters(content)[0], "style": extractor.parameters(style)[0]}
    arrays |= {"kernel": extractor.longest.kernel}
    arrays |= {f"{name}_weight": target.terms[name].weight for name in ("content", "style")}
    return target, {name: np.asarray(x) for name, x in arrays.items()}


def _times(target: Objective, problem: dict[str, np.ndarray], rounds: int) -> dict[str, list[float]]:
    """Return seconds of one loss and gradient of each, in turns, at a spectrogram unlike both inputs."""
    noise = np.random.default_rng(0).random(problem["content"].shape, np.float32)
    spectrogram = problem["content"] + np.float32(0.1) * noise
    contestants = {_PEER: _peer_evaluation(problem), _OURS: _our_evaluation(target)}
    return in_turns(contestants, spectrogram, rounds)


def _our_evaluation(target: Objective) -> Evaluation:
    def evaluate(spectrogram: np.ndarray) -> tuple[float, np.ndarray]:
        (value, _), gradient = _value_and_gradient(spectrogram[None], target)
        return float(value), np.asarray(gradient[0])

    return evaluate


_value_and_gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))


def _peer_evaluation(problem: dict[str, np.ndarray]) -> Evaluation:
    total = texture.loss(problem)

    def evaluate(spectrogram: np.ndarray) -> tuple[float, np.ndarray]:
        x = texture.tensor(spectrogram).requires_grad_()
        value = total(x)
        value.backward()
        return value.item(), x.grad[0].T.numpy()

    return evaluate


def _descend(target: Objective, content: np.ndarray, evaluations: int) -> None:
    """Descend from the content as a run does; print the loss of the first evaluation and of the last."""
    method, evaluate = optimizer("lbfgs"), by_vjp(loss)
    first = start(evaluate, jax.numpy.asarray(content[None]), method, target)
    print(float(first.value), flush=True)
    if evaluations > 1:
        *_, last = chunks(evaluate, first, method, target, [evaluations - 1])
        print(float(last.value), flush=True)


def _table(
    times: dict[str, list[float]], programs: dict[str, Program], filters: int, evaluations: int
) -> Table:
    table = Table("", *programs, title=f"melody in the style of bells, {filters} filters")
    rows = {
        "an evaluation, minimum s": [f"{min(times[name]):.3f}" for name in programs],
        "… median": [f"{statistics.median(times[name]):.3f}" for name in programs],
        "… spread": [f"{max(times[name]) - min(times[name]):.3f}" for name in programs],
        f"loss after {evaluations}": [f"{x.loss:.5g}" for x in programs.values()],
        "command to the first evaluation, s": [f"{x.first:.1f}" for x in programs.values()],
        "command to the last, s": [f"{x.whole:.1f}" for x in programs.values()],
        "peak memory, MiB": [f"{x.peak / 2**20:.0f}" for x in programs.values()],
    }
    for label, cells in rows.items():
        table.add_row(label, *cells)
    return table


def _ratios(times: dict[str, list[float]], programs: dict[str, Program], evaluations: int) -> list[str]:
    ours, peer = programs[_OURS], programs[_PEER]
    speedups = {
        "minimum": min(times[_PEER]) / min(times[_OURS]),
        "median": statistics.median(times[_PEER]) / statistics.median(times[_OURS]),
    }
    return [
        f"speed of an evaluation: {', '.join(f'{x:.2f} ({name})' for name, x in speedups.items())} times {_PEER}'s",
        f"the loss after {evaluations} evaluations: {ours.loss / peer.loss:.3f} times {_PEER}'s",
        f"speed of the whole command: {peer.whole / ours.whole:.2f} times {_PEER}'s",
        f"peak memory: {ours.peak / peer.peak:.2f} times {_PEER}'s",
    ]
