"""Seconds to the final loss of style-transfer-pytorch: its objective minimized by Adam in PyTorch, and by nst.

Run as a program, `wasserstein.py PROBLEM SECONDS`, this module is the peer.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import peers
from benchmarks.programs import ROOT, run_command, watch
from benchmarks.quality import METHODS, config_of, root_of_2_scales
from nst import features, files, images, objective
from nst.arguments import Parser
from nst.errors import InputError
from nst.types import Network

_METHOD = "style_transfer_pytorch"


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--content", default="astronaut", help="a sample or a path")
    parser.add_argument("--style", default="strokes", help="a sample or a path")
    parser.add_argument("--size", type=int, default=256, help="longest side, pixels")
    parser.add_argument("--seconds", type=float, default=600, help="seconds of the peer's descent")
    parser.add_argument("--steps", type=int, default=150, help="most steps of nst at full size")
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")


def compare(content: str, style: str, size: int, seconds: float, steps: int, output: Path | None) -> None:
    """Print how long both take to reach the loss at which the peer ends.

    Raises:
      InputError: PyTorch is not installed.
      RunError: A program failed.
    """
    peers.check()
    with TemporaryDirectory() as name:
        folder = Path(name)
        problem = folder / "problem.npz"
        inputs = images.read(content), images.read(style)
        np.savez(problem, content=inputs[0], style=inputs[1], size=size)
        command = [sys.executable, __file__, str(problem), str(seconds)]
        peer = [(s, json.loads(line)) for s, line in watch(command, folder / "peer", environment={}).lines]
        end = _loss(np.load(folder / "problem.npz.result.npy"), *inputs, size)
        ours = _run_ours(content, style, size, steps, folder / "ours")
    # The peer times its steps before its first line, so that these are the seconds of the descent alone.
    peer_seconds, peer_steps = peer[-1][0] - peer[0][0], len(peer) - 1
    reached = next((line for line in ours if line[2] <= end), None)
    table = Table(title=f"to the loss {end:.4g} at {size} pixels")
    for column in ("", "seconds", "evaluations"):
        table.add_column(column)
    table.add_row("Adam in PyTorch, steps alone", f"{peer_seconds:.0f}", f"{peer_steps}")
    if reached:
        table.add_row("nst, whole command", f"{reached[0]:.1f}", f"{reached[1]}")
    Console().print(table)
    if reached:
        print(
            f"{peer_seconds / reached[0]:.1f} times as fast, {peer_steps / reached[1]:.1f} times fewer evaluations"
        )
    else:
        print(f"nst ends at {ours[-1][2]:.4g} after {ours[-1][0]:.0f} s: give more --steps")
    if output:
        facts = {"loss": end, "peer": peer, "ours": ours, "size": size, "content": content, "style": style}
        files.write_bytes(output, (json.dumps(facts) + "\n").encode())


def _loss(image: np.ndarray, content: np.ndarray, style: np.ndarray, size: int) -> float:
    """Return our value of the objective at the peer's result."""
    inputs = {"content": images.fit(content, size), "style": images.fit(style, size)}
    target = objective.objective(_network(), inputs, dict(config_of(_METHOD).loss))
    return float(jax.jit(objective.loss)(image, target)[0])


def _run_ours(
    content: str, style: str, size: int, steps: int, folder: Path
) -> list[tuple[float, int, float]]:
    """Return seconds, evaluations and loss after each step at full size.

    An earlier run compiles the programs.
    """
    changes = {
        "images.content": content,
        "images.style": style,
        "images.size": size,
        "optimizer.name": "lbfgs_pyramid",
        "pyramid.scales": tuple(sorted(size // 2**i for i in range(10) if size // 2**i >= 128)),
        "pyramid.steps": 60,
        "pyramid.first_steps": 60,
        "run.log_every": 1,
        "run.save_every": 1_000_000,
    }
    after: list[tuple[float, int, float]] = []
    for last in (1, steps):
        run = folder / str(last)
        command = run_command(
            ROOT / "configs" / METHODS[_METHOD].config, {**changes, "optimizer.steps": last}, run / "run"
        )
        watched = watch(command, run, follow="run/metrics.jsonl", environment={})
        before = 60 * (len(changes["pyramid.scales"]) - 1)
        lines = [(seconds, json.loads(text)) for seconds, text in watched.lines]
        after = [(s, x["evaluations"], x["loss"]) for s, x in lines if x["step"] > before]
    return after


def descend(content: np.ndarray, style: np.ndarray, size: int, seconds: float) -> np.ndarray:
    """Descend by Adam from scale to scale, each √2 larger, with steps in the proportions of the program's schedule.

    Prints a line for each step.

    Args:
      content: `[h, w, 3]`.
      style: `[h', w', 3]`.
      size: The longest side at the last scale, pixels.
      seconds: The time of all steps.

    Returns:
      The average of the last scale's iterates, `[h, w, 3]`.
    """
    import torch  # pyright: ignore[reportMissingImports]
    from torch.nn import functional  # pyright: ignore[reportMissingImports]

    from benchmarks import objectives

    loss_at = _losses(content, style)
    scales = root_of_2_scales(size)
    schedule = [1000] + [500] * (len(scales) - 1)
    step_seconds = [_seconds(loss_at(side), images.fit(content, side)) for side in scales]
    share = seconds / sum(n * t for n, t in zip(schedule, step_seconds, strict=True))
    image = objectives.tensor(images.fit(content, scales[0]), torch.float32)
    state: dict[str, Any] = {}
    print(json.dumps({"share": share}), flush=True)
    for side, number in zip(scales, schedule, strict=True):
        loss, shape = loss_at(side), images.fit(content, side).shape[:2]
        image = functional.interpolate(image, shape, mode="bicubic").clamp(0, 1).requires_grad_()
        adam = torch.optim.Adam([image], lr=0.02, betas=(0.9, 0.99))
        if state:  # continue with Adam's moments, resampled
            moments = state["state"][0]
            moments["exp_avg"] = functional.interpolate(moments["exp_avg"], shape, mode="bicubic")
            squares = functional.interpolate(moments["exp_avg_sq"], shape, mode="bilinear")
            moments["exp_avg_sq"] = squares.relu()
            adam.load_state_dict(state)
        average, weight = (1 - 0.99) * image.detach(), 0.99
        for _ in range(max(1, round(share * number))):
            adam.zero_grad()
            value = loss(image)
            value.backward()
            adam.step()
            with torch.no_grad():
                image.clamp_(0, 1)
            average, weight = 0.99 * average + (1 - 0.99) * image.detach(), weight * 0.99
            print(json.dumps({"side": side, "loss": value.item()}), flush=True)
        state, image = adam.state_dict(), average / (1 - weight)
    return image[0].permute(1, 2, 0).numpy()


def _losses(content: np.ndarray, style: np.ndarray) -> Callable[[int], Any]:
    """Return a function from a longest side to the peer's loss of an image `[1, 3, h, w]`."""
    import torch  # pyright: ignore[reportMissingImports]

    from benchmarks import objectives

    network = _network()
    assert isinstance(network, features.VGG)

    def loss_at(side: int) -> Any:
        inputs = images.fit(content, side), images.fit(style, side)
        return objectives.loss_of(objectives.PROGRAMS[_METHOD], network, *inputs, torch.float32)

    return loss_at


def _seconds(loss: Any, image: np.ndarray) -> float:
    """Return the seconds of the second loss and gradient."""
    import torch  # pyright: ignore[reportMissingImports]

    from benchmarks import objectives

    x = objectives.tensor(image, torch.float32).requires_grad_()
    loss(x).backward()
    began = time.monotonic()
    loss(x).backward()
    return time.monotonic() - began


def _network() -> Network:
    options = dict(config_of(_METHOD).features)
    return features.load(options.pop("network"), **options)


def _main(arguments: Sequence[str]) -> None:
    path, seconds = arguments
    problem = np.load(path)
    if not float(seconds) > 0:
        raise InputError(f"--seconds {seconds}: give a number above 0")
    np.save(
        path + ".result.npy",
        descend(problem["content"], problem["style"], int(problem["size"]), float(seconds)),
    )


if __name__ == "__main__":
    _main(sys.argv[1:])
