"""The loss of an `Objective` in plain PyTorch, as this field's programs write it."""

import importlib
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from nst.errors import InputError
from nst.features.vgg import LAYERS
from nst.objective import Objective

#: An evaluation: a picture `[h, w, 3]` in, the loss and its gradient out.
Evaluation = Callable[[np.ndarray], tuple[float, np.ndarray]]


def torch() -> Any:
    """PyTorch, or InputError where it is not installed."""
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise InputError("torch is not installed: pip install -e '.[bench]'") from error


def evaluation(target: Objective, *, channels_last: bool = False, bfloat16: bool = False) -> Evaluation:
    """Loss and gradient of `target` on PyTorch: zero padding, the target's pooling, Gram matrices.

    Args:
      target: What is compared to, with the network's own weights.
      channels_last: PyTorch's other memory format.
      bfloat16: Autocast of the convolutions.
    """
    t = torch()
    device = "cuda" if t.cuda.is_available() else "cpu"
    form = t.channels_last if channels_last else t.contiguous_format
    filters = _filters(target, device, form)
    mean = t.tensor(target.extractor.preprocessing.mean, device=device).view(1, 3, 1, 1)

    def tensor(x: Any) -> Any:
        return t.tensor(np.asarray(x), device=device)

    content = {layer: tensor(P).permute(2, 0, 1)[None] for layer, P in target.content.items()}
    style = {
        layer: (tensor(A.G / A.M), float(target.weights.layers[layer])) for layer, A in target.style.items()
    }
    wanted = {*content, *style}
    pool = {"avg": t.nn.functional.avg_pool2d, "max": t.nn.functional.max_pool2d}[target.extractor.pooling]

    def features(image: Any) -> dict[str, Any]:
        x, found = (image[:, [2, 1, 0]] * 255 - mean).contiguous(memory_format=form), {}
        for layer in LAYERS[: 1 + max(map(LAYERS.index, wanted))]:
            if layer in filters:
                x = t.nn.functional.conv2d(x, *filters[layer], padding=1)
            else:
                x = t.nn.functional.relu(x) if layer.startswith("relu") else pool(x, 2)
            if layer in wanted:
                found[layer] = x.float()
        return found

    def loss(image: Any) -> Any:
        with t.autocast(device, dtype=t.bfloat16) if bfloat16 else nullcontext():
            found = features(image)
        weights = target.weights
        total = sum(0.5 * (found[layer] - P).square().sum() for layer, P in content.items()) * float(
            weights.content
        )
        for layer, (A, weight) in style.items():
            F = found[layer].flatten(2)[0]
            difference = F @ F.T / F.shape[1] - A
            total = total + float(weights.style) * weight / (4 * F.shape[0] ** 2) * difference.square().sum()
        rows, columns = image.diff(dim=2).square().sum(), image.diff(dim=3).square().sum()
        return total + float(weights.tv) * (rows + columns)

    def evaluate(image: np.ndarray) -> tuple[float, np.ndarray]:
        x = t.tensor(image.transpose(2, 0, 1)[None].copy(), device=device, requires_grad=True)
        value = loss(x)
        value.backward()
        return value.item(), x.grad[0].permute(1, 2, 0).cpu().numpy()

    return evaluate


def _filters(target: Objective, device: str, form: Any) -> dict[str, tuple[Any, Any]]:
    found = {}
    for layer in filter(lambda name: name.startswith("conv"), LAYERS):
        convolution = getattr(target.extractor, layer)
        kernel = np.asarray(convolution.kernel[...]).transpose(3, 2, 0, 1).copy()
        bias = np.asarray(convolution.bias[...]).copy()
        found[layer] = (
            torch().tensor(kernel, device=device).contiguous(memory_format=form),
            torch().tensor(bias, device=device),
        )
    return found
