"""Ulyanov and Lebedev's audio style transfer (2016) in plain PyTorch, as other style transfer programs write it.

Run as a program, `texture.py PROBLEM EVALUATIONS`, it imports nothing of this project, so that its memory is its own.
"""

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

#: Frames that a filter spans.
WIDTH = 11


def loss(problem: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return the loss of a spectrogram.

    The content is ½ Σ (F − P)²; the style compares Gram matrices of filters, each divided by its frames.

    Args:
      problem: Spectrograms `content` and `style` `[frames, bins]`; `kernel` `[11 · bins, filters]`; the weights
        `content_weight` and `style_weight`.

    Returns:
      A function from a tensor `[1, bins, frames]`, bins as channels, to the total.
    """
    t = importlib.import_module("torch")
    bins, filters = problem["content"].shape[1], problem["kernel"].shape[1]
    kernel = t.tensor(problem["kernel"].reshape(WIDTH, bins, filters).transpose(2, 1, 0).copy())
    alpha, beta = (float(problem[name]) for name in ("content_weight", "style_weight"))

    def features(spectrogram: Any) -> Any:
        return t.nn.functional.relu(t.nn.functional.conv1d(spectrogram, kernel))

    def gram(F: Any) -> Any:
        return F[0] @ F[0].T / F.shape[2]

    with t.no_grad():
        P, A = features(tensor(problem["content"])), gram(features(tensor(problem["style"])))

    def total(spectrogram: Any) -> Any:
        F = features(spectrogram)
        style = (gram(F) - A).square().sum() / (4 * filters**2)
        return alpha * 0.5 * (F - P).square().sum() + beta * style

    return total


def tensor(spectrogram: np.ndarray) -> Any:
    """Convert `[frames, bins]` to `[1, bins, frames]`."""
    return importlib.import_module("torch").tensor(spectrogram.T[None].copy())


def descend(problem: Mapping[str, Any], evaluations: int, callback: Callable[[float], None]) -> None:
    """Descend from the content by `torch.optim.LBFGS` without a line search; call `callback` with each loss."""
    total, x = loss(problem), tensor(problem["content"]).requires_grad_()
    method = importlib.import_module("torch").optim.LBFGS(
        [x],
        max_iter=evaluations,  # one evaluation each, the first included
        tolerance_grad=0,
        tolerance_change=0,
        history_size=100,
    )

    def closure() -> Any:
        method.zero_grad()
        value = total(x)
        value.backward()
        callback(value.item())
        return value

    method.step(closure)


if __name__ == "__main__":
    descend(np.load(sys.argv[1]), int(sys.argv[2]), lambda value: print(json.dumps(value), flush=True))
