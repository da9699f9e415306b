"""Objectives of other programs in PyTorch, each as its program writes it (pip install -e '.[bench]').

They use the filters of one of nst's networks, so that only the formulas differ.
"""

# pyright: reportMissingImports=false

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)

from benchmarks import peers
from nst.features import VGG

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT = "relu4_2"


class Program(NamedTuple):
    """A program's objective.

    Attributes:
      style: From the features `[1, N, h, w]` of the style at a layer to the target of `distance`.
      distance: `distance(features, target)` of a style layer.
      weights: The weights of the style layers.
      content: The weight of mean (F − P)².
      smoothness: From an image `[1, 3, h, w]` in [0, 1] to a scalar.
      padding: The padding of the convolutions, by PyTorch's name.
    """

    style: Callable[[torch.Tensor], Any]
    distance: Callable[[torch.Tensor, Any], torch.Tensor]
    weights: tuple[float, ...]
    content: float
    smoothness: Callable[[torch.Tensor], Any] = lambda image: 0.0
    padding: str = "constant"


def gram(x: torch.Tensor) -> torch.Tensor:
    """Return the Gram matrix over the number of positions, G / M, of features `[1, N, h, w]`."""
    x = x.flatten(2)[0]
    return x @ x.T / x.shape[1]


def gram_distance(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return GramMSELoss of PytorchNeuralStyleTransfer, and of pastiche: mean (G/M − A/M′)²."""
    return F.mse_loss(gram(x), target)


def scaled_gram(x: torch.Tensor) -> torch.Tensor:
    """Return G / (N M) of features `[1, N, h, w]`."""
    return gram(x) / x.shape[1]


def scaled_gram_distance(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return StyleLoss of neural-style-pt: mean (G/(N M) − A/(N M′))²."""
    return F.mse_loss(scaled_gram(x), target)


def absolute(image: torch.Tensor) -> torch.Tensor:
    """Return TVLoss of neural-style-pt, with its weight 0.001, of the image in units of 0 to 255."""
    x = 255 * image
    return 1e-3 * ((x[:, :, 1:] - x[:, :, :-1]).abs().sum() + (x[..., 1:] - x[..., :-1]).abs().sum())


class Root(torch.autograd.Function):
    """Square root of a matrix by Newton–Schulz iterations, as sqrtm_ns_lyap of style-transfer-pytorch."""

    @staticmethod
    def forward(ctx: Any, A: torch.Tensor) -> torch.Tensor:
        """Return A^½ after 12 iterations."""
        norm, eye = A.norm(), torch.eye(len(A), dtype=A.dtype)
        Y, Z = A / norm, eye
        for _ in range(12):
            T = (3 * eye - Z @ Y) / 2
            Y, Z = Y @ T, T @ Z
        R = Y * norm.sqrt()
        ctx.save_for_backward(R)
        return R

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        """Solve the Lyapunov equation R X + X R = gradient by 12 iterations."""
        (R,) = ctx.saved_tensors
        norm, eye = R.norm(), torch.eye(len(R), dtype=R.dtype)
        A, X = R / norm, gradients[0] / norm
        for _ in range(12):
            T = 3 * eye - A @ A
            X = (X @ T - A.T @ (A.T @ X - X @ A)) / 2
            A = A @ T / 2
        return X / 2


def moments(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean `[N]` and covariance `[N, N]` of features `[1, N, h, w]`."""
    x = x.flatten(2)[0]
    mean = x.mean(1)
    return mean, x @ x.T / x.shape[1] - torch.outer(mean, mean)


def wasserstein(x: torch.Tensor, target: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Return StyleLossW2 of style-transfer-pytorch, without its 1e-4 on the diagonals."""
    (mean, C), (mean_t, C_t) = moments(x), target
    R = Root.apply(C_t)
    spread = torch.diagonal(C_t + C - 2 * Root.apply(R @ C @ R)).mean()
    return torch.mean((mean - mean_t) ** 2) + spread


def nine_points(image: torch.Tensor) -> torch.Tensor:
    """Return TVLoss of style-transfer-pytorch, with its weight 2."""
    x = F.pad(image, (1, 1, 1, 1), "replicate")
    own = x[..., 1:-1, 1:-1]
    right = (x[..., 1:-1, 2:] - own).pow(2).mean() / 3
    below = (x[..., 2:, 1:-1] - own).pow(2).mean() / 3
    down = (x[..., 1:, 1:] - x[..., :-1, :-1]).pow(2).mean() / 12
    up = (x[..., 1:, :-1] - x[..., :-1, 1:]).pow(2).mean() / 12
    return 2.0 * 2 * (right + below + down + up)


_FILTERS = (64, 128, 256, 512, 512)

#: The objectives by the name of the preset.
PROGRAMS = {
    "gatys_code": Program(gram, gram_distance, tuple(1e3 / N**2 for N in _FILTERS), 1.0),
    "neural_style_pt": Program(scaled_gram, scaled_gram_distance, (1e2,) * 5, 5.0, absolute),
    "pastiche": Program(gram, gram_distance, tuple(10 / N**2 for N in _FILTERS), 0.01),
    "style_transfer_pytorch": Program(
        moments,
        wasserstein,
        tuple(w / 341 / 4 for w in (256, 64, 16, 4, 1)),
        0.015 / 4,
        nine_points,
        "replicate",
    ),
}


def loss_of(
    program: Program, network: VGG, content: np.ndarray, style: np.ndarray, dtype: torch.dtype
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the loss of an image `[1, 3, h, w]`; `content` and `style` are `[h, w, 3]`, already resized."""
    compute = peers.extractor(network, (*STYLE, CONTENT), dtype=dtype, padding=program.padding)
    with torch.no_grad():
        P = compute(tensor(content, dtype))[CONTENT]
        maps = compute(tensor(style, dtype))
        targets = [program.style(maps[layer]) for layer in STYLE]

    def loss(image: torch.Tensor) -> torch.Tensor:
        maps = compute(image)
        total = program.content * F.mse_loss(maps[CONTENT], P) + program.smoothness(image)
        for weight, layer, target in zip(program.weights, STYLE, targets, strict=True):
            total = total + weight * program.distance(maps[layer], target)
        return total

    return loss


def tensor(image: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    """Convert `[h, w, 3]` to `[1, 3, h, w]`."""
    return torch.tensor(np.ascontiguousarray(image), dtype=dtype).permute(2, 0, 1)[None]
