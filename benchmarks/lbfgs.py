"""nst's L-BFGS beside PyTorch's: losses after equal numbers of evaluations of one compiled loss, from one start."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import peers
from nst import features, files, images, losses
from nst.arguments import Parser
from nst.errors import InputError
from nst.objective import Objective, loss, objective
from nst.optim import optimizer
from nst.optimize import by_vjp, chunks, start
from nst.transfer.settings import completed
from nst.types import Image, Network

PAIRS = ("coffee:strokes", "chelsea:panes", "astronaut:hatching", "rocket:strokes", "coffee:panes")

#: Settings of the losses to compare on: the paper's weights, and this project's default.
LOSSES = {
    "paper": {"style_layer_weights": (), "style_weight": 1e3, "tv_weight": 0.0} | peers.SETTINGS,
    "default": peers.SETTINGS,
}

_OURS = ("lbfgs", "lbfgs_pyramid")

# Programs give PyTorch pixels in 0 to 255: in [0, 1] its first step, of length 1 / ‖g‖₁, is lost in rounding.
_GRAY_LEVELS = 255


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--pairs", nargs="+", default=PAIRS, metavar="CONTENT:STYLE", help="samples or paths")
    parser.add_argument(
        "--evaluations", nargs="+", type=int, default=[50, 100, 150], help="evaluations to compare after"
    )
    parser.add_argument("--size", type=int, default=256, help="longest side, pixels")
    parser.add_argument("--loss", choices=LOSSES, default="paper")
    parser.add_argument("--ours", choices=_OURS, default=_OURS[0], help="the optimizer of nst")
    parser.add_argument("--history", type=int, default=100, help="history of PyTorch's; nst uses a run's")
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")


def compare(
    pairs: Sequence[str],
    evaluations: Sequence[int],
    size: int,
    loss: str,
    ours: str,
    history: int,
    output: Path | None,
) -> None:
    """Print a table of the ratios of our loss to PyTorch's, and their medians; below 1 ours is ahead."""
    peers.torch()
    whole = features.load()
    network = whole.freeze(losses.layers(completed(whole, LOSSES[loss])))
    evaluations = sorted(evaluations)
    table = Table(
        "pair", *(f"after {n}" for n in evaluations), title=f"loss, {ours} / torch ({loss}, {size} px)"
    )
    records = []
    for pair in pairs:
        initial, target = _problem(pair, size, network, loss)
        a = descend(initial, target, evaluations, ours)
        b = torchs(initial, target, evaluations, history)
        ratios = [x / y for x, y in zip(a, b, strict=True)]
        records.append({"pair": pair, "ours": a, "torch": b, "ratio": ratios})
        table.add_row(pair, *(f"{x:.3f}" for x in ratios))
        Console(stderr=True).print(f"{pair}: {' '.join(f'{x:.3f}' for x in ratios)}")
    medians = [statistics.median(column) for column in zip(*(r["ratio"] for r in records), strict=True)]
    table.add_section()
    table.add_row("median", *(f"{x:.3f}" for x in medians))
    Console().print(table)
    if output:
        settings = {"size": size, "loss": loss, "ours": ours, "history": history, "evaluations": evaluations}
        result = settings | {"pairs": records, "median": medians}
        files.write_bytes(output, (json.dumps(result, indent=2) + "\n").encode())


def _problem(pair: str, size: int, network: Network, name: str) -> tuple[jax.Array, Objective]:
    content, colon, style = pair.partition(":")
    if not colon:
        raise InputError(f"--pairs {pair}: give CONTENT:STYLE")
    resized: list[Image] = [images.fit(images.read(x), size) for x in (content, style)]
    initial = jnp.asarray(resized[0])
    inputs = {"content": initial, "style": jnp.asarray(resized[1])}
    return initial, objective(network, inputs, completed(network, LOSSES[name]))


def descend(initial: jax.Array, target: Objective, evaluations: Sequence[int], name: str) -> list[float]:
    """Return the loss after each number of evaluations by this project's optimizer `name`, with its own history."""
    method, evaluate = optimizer(name), by_vjp(loss)
    first = start(evaluate, initial, method, target)
    values = {1: float(first.value)}
    for state in chunks(evaluate, first, method, target, [n - 1 for n in evaluations]):
        values[int(state.step) + 1] = float(state.value)
    return [values[n] for n in evaluations]


def torchs(initial: jax.Array, target: Objective, evaluations: Sequence[int], history: int) -> list[float]:
    """Return the loss after each number of evaluations by `torch.optim.LBFGS` with `history` pairs.

    It runs without a line search, as other programs use it.
    """
    torch = peers.torch()
    evaluate = jax.jit(jax.value_and_grad(loss, has_aux=True))
    pixels = torch.tensor(np.asarray(initial) * _GRAY_LEVELS, requires_grad=True)
    values: list[float] = []

    def closure() -> float:
        (value, _), gradient = evaluate(jnp.asarray(pixels.detach().numpy()) / _GRAY_LEVELS, target)
        pixels.grad = torch.tensor(np.asarray(gradient) / _GRAY_LEVELS)
        values.append(float(value))
        return values[-1]

    method = torch.optim.LBFGS(
        [pixels],
        max_iter=max(evaluations),  # one evaluation each, the first included
        tolerance_grad=0,
        tolerance_change=0,
        history_size=history,
    )
    method.step(closure)
    return [values[n - 1] for n in evaluations]
