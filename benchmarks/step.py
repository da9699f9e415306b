"""Seconds of one loss and gradient: nst beside PyTorch, on the same images, weights and loss, in turns."""

import dataclasses
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import peers
from benchmarks.peers import Evaluation
from nst import features, files, images, losses
from nst.arguments import Parser
from nst.errors import RunError
from nst.images.resize import cover
from nst.objective import Objective, loss, objective, refreshed
from nst.transfer.settings import completed
from nst.types import Network

# Largest relative differences between gradients. A flipped rectifier changes a float32 gradient by up to 5e-3
# (tests/features/test_vgg.py); bfloat16 has 8 bits, tf32 11.
_AGREEMENT = 1e-2
_ROUNDED, _ROUNDED_AGREEMENT = ("bfloat16", "tf32"), 0.5


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--sizes", nargs="+", type=int, default=[128, 256, 512, 1024], help="sides, pixels")
    parser.add_argument("--rounds", type=int, default=7, help="timed evaluations of each")
    parser.add_argument("--compile", action="store_true", help="also time torch.compile, if it works here")
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")


def compare(sizes: Sequence[int], rounds: int, compile: bool, output: Path | None) -> None:
    """Print minimum, median and spread of the seconds of each, and its median relative to PyTorch's eager float32.

    bfloat16 is measured only if the device has bfloat16 products: otherwise PyTorch emulates them for minutes.
    """
    peers.torch()
    settings = {"nst": {}}
    if jax.default_backend() == "cpu":
        settings["nst, direct"] = {"convolution": "direct"}  # the default on other devices
    if features.has_bfloat16():
        settings["nst, bfloat16"] = {"precision": "bfloat16"}
    whole = features.load()  # PyTorch needs the filters, which a frozen network may not keep
    layers = losses.layers(completed(whole, peers.SETTINGS))
    networks = {name: features.load(**chosen).freeze(layers) for name, chosen in settings.items()}
    title = jax.devices()[0].device_kind
    table = Table("pixels", "what", "minimum s", "median s", "spread s", "ratio", title=title)
    records = []
    for size in sizes:
        target, content, image = _problem(whole, size)
        contestants = {name: _our_evaluation(target, network, content) for name, network in networks.items()}
        contestants |= _peer_evaluations(target, bfloat16="nst, bfloat16" in networks)
        contestants |= _compiled(target, image) if compile else {}
        seconds = in_turns(contestants, image, rounds)
        reference = statistics.median(seconds["torch"])
        for name, times in seconds.items():
            low, middle, spread = min(times), statistics.median(times), max(times) - min(times)
            records.append({"size": size, "what": name, "device": title, "seconds": times})
            row = (f"{x:#.3g}" for x in (low, middle, spread))
            table.add_row(f"{image.shape[1]}×{image.shape[0]}", name, *row, f"{middle / reference:.2f}")
        table.add_section()
    Console().print(table)
    if output:
        files.write_bytes(output, (json.dumps(records, indent=2) + "\n").encode())


def _problem(network: Network, size: int) -> tuple[Objective, np.ndarray, np.ndarray]:
    content, style, image = (
        cover(images.read(name), size, size) for name in ("coffee", "strokes", "chelsea")
    )
    inputs = {"content": jnp.asarray(content), "style": jnp.asarray(style)}
    return objective(network, inputs, completed(network, {})), content, image


def _peer_evaluations(target: Objective, *, bfloat16: bool) -> dict[str, Evaluation]:
    settings = {"torch": {}, "torch, channels last": {"channels_last": True}}
    if bfloat16:
        settings["torch, bfloat16"] = {"bfloat16": True}
    if peers.device() == "cuda":
        settings["torch, tf32"] = {"tf32": True}
    return {name: peers.evaluation(target, **chosen) for name, chosen in settings.items()}


def _compiled(target: Objective, image: np.ndarray) -> dict[str, Evaluation]:
    """Return the contestant compiled by PyTorch; none if PyTorch can't compile it here."""
    evaluate = peers.evaluation(target, compiled=True)
    try:
        evaluate(image)
    except Exception as error:  # no C++ compiler or too new a Python: torch has a class for each cause
        cause = next(iter(str(error).split("\n")))
        print(f"torch.compile does not work here and is left out: {cause}", file=sys.stderr)
        return {}
    return {"torch, compiled": evaluate}


def _our_evaluation(target: Objective, network: Network, content: np.ndarray) -> Evaluation:
    """Return nst's evaluation.

    In bfloat16 the reference is the content, which is far from the image; the distance does not change the time.
    """
    target = refreshed(dataclasses.replace(target, extractor=network), jnp.asarray(content))

    def evaluate(image: np.ndarray) -> tuple[float, np.ndarray]:
        (value, _), gradient = _value_and_gradient(image, target)
        return float(value), np.asarray(gradient)

    return evaluate


_value_and_gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))


def in_turns(contestants: dict[str, Evaluation], image: np.ndarray, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of calls in the order A B C A B C …, after one call of each that is not timed.

    Raises:
      RunError: The gradient of a contestant differs from that of the first one.
    """
    _, expected = next(iter(contestants.values()))(image)
    for name, evaluate in contestants.items():
        _, gradient = evaluate(image)
        difference = float(np.linalg.norm(gradient - expected) / np.linalg.norm(expected))
        rounded = name.endswith(_ROUNDED)
        if not difference < (_ROUNDED_AGREEMENT if rounded else _AGREEMENT):
            raise RunError(f"{name} has a gradient that differs by {difference:.1e}: not the same loss")
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, evaluate in contestants.items():
            began = time.perf_counter()
            evaluate(image)
            times[name].append(time.perf_counter() - began)
    return times
