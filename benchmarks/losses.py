"""Cost of each style loss: seconds of a loss and gradient, and evaluations of L-BFGS to reach Adam's last loss."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from rich.console import Console
from rich.table import Table

from benchmarks import lbfgs
from nst import features, files, images, losses
from nst.arguments import Parser
from nst.errors import InputError
from nst.losses import STYLE_LOSSES
from nst.objective import Objective, loss, objective
from nst.optim import optimizer
from nst.optimize import by_vjp, chunks, start
from nst.transfer.settings import completed

_OURS, _PEER = "lbfgs_pyramid", "adam"
#: Losses that are the same at each step, as L-BFGS needs; `sliced` keeps its directions here.
_DETERMINISTIC = [name for name, each in STYLE_LOSSES.items() if not each.stochastic]


class Descent(NamedTuple):
    """Adam's last loss, and the evaluations that L-BFGS took to reach it; None if it did not."""

    loss: float
    evaluations: int | None


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument(
        "--losses", nargs="+", default=_DETERMINISTIC, choices=_DETERMINISTIC, metavar="NAME", dest="names"
    )
    parser.add_argument("--layers", nargs="+", metavar="NAME", help="style layers; by default those of each")
    parser.add_argument("--sizes", nargs="+", type=int, default=[128, 256, 512], help="sizes to time, pixels")
    parser.add_argument("--rounds", type=int, default=5, help="timed evaluations of each")
    parser.add_argument("--size", type=int, default=256, help="size to descend at, pixels")
    parser.add_argument("--steps", type=int, default=500, help="steps of Adam; 0: only time evaluations")
    parser.add_argument("--content", default="astronaut", help="a sample or a path")
    parser.add_argument("--style", default="strokes", help="a sample or a path")
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")


def compare(
    names: Sequence[str],
    layers: Sequence[str] | None,
    sizes: Sequence[int],
    rounds: int,
    size: int,
    steps: int,
    content: str,
    style: str,
    output: Path | None,
) -> None:
    """Print a table of times and one of evaluations; network, layers and weights are the defaults of a run."""
    inputs = images.read(content), images.read(style)
    facts: dict[str, Any] = {name: {"seconds": {}} for name in names}
    table = Table("pixels", *names, title="milliseconds of a loss and gradient, and their ratio to the first")
    for side in sizes:
        problems = {name: problem(*inputs, side, name, layers) for name in names}
        seconds = {name: statistics.median(each) for name, each in in_turns(problems, rounds).items()}
        for name in names:
            facts[name]["seconds"][side] = seconds[name]
        first = seconds[names[0]]
        table.add_row(f"{side}", *(f"{1e3 * s:.0f} ({s / first:.2f})" for s in seconds.values()))
    Console().print(table)
    if steps:
        table = Table("loss", "Adam's last loss", "evaluations", "relative to Adam's", title=f"{size} pixels")
        for name in names:
            descent = descend(*problem(*inputs, size, name, layers), steps)
            facts[name] |= descent._asdict()
            n = descent.evaluations
            table.add_row(name, f"{descent.loss:.4g}", f"{n or '–'}", f"{n / steps:.2f}" if n else "–")
        Console().print(table)
    if output:
        files.write_bytes(output, (json.dumps(facts, indent=2) + "\n").encode())


def problem(
    content: Any, style: Any, size: int, name: str, layers: Sequence[str] | None = None
) -> tuple[jax.Array, Objective]:
    """Return the initial image of a descent, which is the content, and the objective.

    Args:
      content: `[h, w, 3]`.
      style: `[h', w', 3]`.
      size: Longest side of both, pixels.
      name: The style loss.
      layers: Its layers; by default those of a run.
    """
    whole = features.load()
    settings = completed(whole, {"style_loss": name, "style_layers": layers, "resample": False})
    initial = jnp.asarray(images.fit(content, size))
    inputs = {"content": initial, "style": jnp.asarray(images.fit(style, size))}
    return initial, objective(whole.freeze(losses.layers(settings)), inputs, settings)


_value_and_gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))


def in_turns(
    problems: dict[str, tuple[jax.Array, Objective]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Return seconds of each problem's loss and gradient, A B C A B C …, after an untimed round that compiles."""
    if rounds < 1:
        raise InputError(f"--rounds {rounds}: give at least 1")
    times: dict[str, list[float]] = {name: [] for name in problems}
    for i in range(rounds + 1):
        for name, (image, target) in problems.items():
            began = clock()
            jax.block_until_ready(_value_and_gradient(image, target))
            if i:
                times[name].append(clock() - began)
    return times


def descend(initial: jax.Array, target: Objective, steps: int) -> Descent:
    """Take `steps` of Adam, then steps of L-BFGS until its loss is as small."""
    (end,) = lbfgs.descend(initial, target, [steps + 1], _PEER)
    method, evaluate = optimizer(_OURS), by_vjp(loss)
    first = start(evaluate, initial, method, target)
    for state in chunks(evaluate, first, method, target, list(range(1, steps))):
        if float(state.value) <= end:
            return Descent(end, int(state.step) + 1)
    return Descent(end, None)
