"""What each style loss costs: seconds for a loss and gradient, and L-BFGS's evaluations to where Adam's steps end."""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from rich.console import Console
from rich.table import Table

from nst import features, files, images, losses
from nst.errors import InputError
from nst.losses import STYLE_LOSSES
from nst.objective import Objective, loss, objective
from nst.optimize import by_vjp, chunks, start
from nst.optimizers import optimizer
from nst.stylize import completed

_OURS, _PEER = "lbfgs_pyramid", "adam"
#: Losses that are the same at each step: L-BFGS takes no other. `sliced` then keeps its directions.
_SAME = [name for name, each in STYLE_LOSSES.items() if not each.stochastic]


class Descent(NamedTuple):
    """Adam's loss in the end, and the evaluations that L-BFGS took to it, None if it did not get there."""

    loss: float
    evaluations: int | None


def add_to(commands: Any) -> None:
    """Add the command `losses`."""
    parser: argparse.ArgumentParser = commands.add_parser("losses", help=__doc__, description=__doc__)
    parser.set_defaults(command=compare)
    parser.add_argument("--losses", nargs="+", default=_SAME, choices=_SAME, metavar="NAME", dest="names")
    parser.add_argument("--sizes", nargs="+", type=int, default=[128, 256, 512], help="to time at, pixels")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed")
    parser.add_argument("--size", type=int, default=256, help="to descend at, pixels")
    parser.add_argument("--steps", type=int, default=500, help="Adam's; 0 descends not at all")
    parser.add_argument("--content", default="astronaut", help="a sample or a path")
    parser.add_argument("--style", default="strokes", help="a sample or a path")
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")


def compare(
    names: Sequence[str],
    sizes: Sequence[int],
    rounds: int,
    size: int,
    steps: int,
    content: str,
    style: str,
    output: Path | None,
) -> None:
    """Print both tables, the losses in the network and with the layers and weights that a run gives them."""
    pictures = images.read(content), images.read(style)
    facts: dict[str, Any] = {name: {"seconds": {}} for name in names}
    table = Table("pixels", *names, title="milliseconds of a loss and gradient, and their ratio to the first")
    for side in sizes:
        problems = {name: problem(*pictures, side, name) for name in names}
        seconds = {name: statistics.median(each) for name, each in _in_turns(problems, rounds).items()}
        for name in names:
            facts[name]["seconds"][side] = seconds[name]
        first = seconds[names[0]]
        table.add_row(f"{side}", *(f"{1e3 * s:.0f} ({s / first:.2f})" for s in seconds.values()))
    Console().print(table)
    if steps:
        table = Table("loss", "Adam's in the end", "evaluations", "a part of Adam's", title=f"{size} pixels")
        for name in names:
            found = descend(*problem(*pictures, size, name), steps)
            facts[name] |= found._asdict()
            n = found.evaluations
            table.add_row(name, f"{found.loss:.4g}", f"{n or '–'}", f"{n / steps:.2f}" if n else "–")
        Console().print(table)
    if output:
        files.write_bytes(output, (json.dumps(facts, indent=2) + "\n").encode())


def problem(content: Any, style: Any, size: int, name: str) -> tuple[jax.Array, Objective]:
    """Return where a descent begins, the content itself, and what it minimizes.

    Args:
      content: `[h, w, 3]`.
      style: `[h', w', 3]`.
      size: Longest side of both, pixels.
      name: Of a style loss.
    """
    whole = features.load()
    settings = completed(whole, {"style_loss": name, "resample": False})
    initial = jnp.asarray(images.fit(content, size))
    inputs = {"content": initial, "style": jnp.asarray(images.fit(style, size))}
    return initial, objective(whole.freeze(losses.layers(settings)), inputs, settings)


_value_and_gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))


def _in_turns(problems: dict[str, tuple[jax.Array, Objective]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each problem's loss and gradient, A B C A B C …, after one that compiles and is not timed."""
    if rounds < 1:
        raise InputError(f"--rounds {rounds}: give at least 1")
    times: dict[str, list[float]] = {name: [] for name in problems}
    for i in range(rounds + 1):
        for name, (image, target) in problems.items():
            began = time.perf_counter()
            jax.block_until_ready(_value_and_gradient(image, target))
            if i:
                times[name].append(time.perf_counter() - began)
    return times


def descend(initial: jax.Array, target: Objective, steps: int) -> Descent:
    """Take Adam's steps, and those of L-BFGS until its loss is as small."""
    evaluate = by_vjp(loss)

    def states(name: str, stops: list[int]) -> Any:
        method = optimizer(name)
        return chunks(evaluate, start(evaluate, initial, method, target), method, target, stops)

    *_, last = states(_PEER, [steps])
    end = float(last.value)
    for state in states(_OURS, list(range(1, steps))):
        if float(state.value) <= end:
            return Descent(end, int(state.step) + 1)
    return Descent(end, None)
