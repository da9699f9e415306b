"""The loss of an `Objective` in plain PyTorch, as other style transfer programs write it."""

import importlib
import importlib.util
from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Any

import numpy as np

from nst.errors import InputError
from nst.features import VGG
from nst.objective import Objective

#: Settings of the loss that `evaluation` computes: sums over positions, as other style transfer programs write it.
SETTINGS = {"reduction": "sum", "variation": "squared"}

#: An evaluation: from an image `[h, w, 3]` to the loss and its gradient.
Evaluation = Callable[[np.ndarray], tuple[float, np.ndarray]]


def torch() -> Any:
    """Return the module torch; raise InputError if it is not installed."""
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise InputError("torch is not installed: pip install -e '.[bench]'") from error


def check() -> None:
    """Raise InputError if PyTorch is not installed; does not import it, which takes memory."""
    if importlib.util.find_spec("torch") is None:
        torch()


def device() -> str:
    """Return the device of PyTorch: `cuda` if there is one, otherwise `cpu`."""
    return "cuda" if torch().cuda.is_available() else "cpu"


def evaluation(
    target: Objective,
    *,
    channels_last: bool = False,
    bfloat16: bool = False,
    tf32: bool = False,
    compiled: bool = False,
) -> Evaluation:
    """Return a function that computes the loss and the gradient of `target` in PyTorch.

    It uses Caffe's preprocessing, zero padding, average or max pooling, and Gram matrices.

    Args:
      target: The objective, with the network's own weights.
      channels_last: Use PyTorch's memory format of that name.
      bfloat16: Autocast the convolutions.
      tf32: On a GPU, round the factors of convolutions to 11 bits, as PyTorch does by default.
      compiled: Use `torch.compile`, which compiles at the first call.
    """
    t = torch()
    on = device()
    assert isinstance(target.extractor, VGG)
    form = t.channels_last if channels_last else t.contiguous_format
    features = extractor(target.extractor, {*target.layers}, device=on, form=form)
    loss = _loss(target, on)
    if compiled:
        features, loss = (t.compile(function, dynamic=False) for function in (features, loss))

    def evaluate(image: np.ndarray) -> tuple[float, np.ndarray]:
        x = t.tensor(image.transpose(2, 0, 1)[None].copy(), device=on, requires_grad=True)
        # On a GPU cuDNN tries its algorithms and takes the fastest, as XLA does.
        with t.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=tf32):
            with t.autocast(on, dtype=t.bfloat16) if bfloat16 else nullcontext():
                maps = features(x)
            value = loss(x, {layer: F.float() for layer, F in maps.items()})
            value.backward()
        return value.item(), x.grad[0].permute(1, 2, 0).cpu().numpy()

    return evaluate


def extractor(
    network: VGG,
    layers: Collection[str],
    *,
    device: str = "cpu",
    dtype: Any = None,
    form: Any = None,
    padding: str = "constant",
) -> Callable[[Any], dict[str, Any]]:
    """Return a function from an image `[1, 3, h, w]` in [0, 1] to the features `[1, c, h', w']` of `layers`.

    Args:
      network: The network whose filters, pooling and preprocessing are used.
      layers: The layers to compute.
      device: PyTorch's device.
      dtype: Float32 by default.
      form: PyTorch's memory format, contiguous by default.
      padding: The padding of images and feature maps, by PyTorch's name.
    """
    t = torch()
    F, dtype, form = t.nn.functional, dtype or t.float32, form or t.contiguous_format
    reached = network.layers[: 1 + max(map(network.layers.index, layers))]
    options = {"device": device, "dtype": dtype}
    filters = {
        layer: _filters(network, layer, form, options) for layer in reached if layer.startswith("conv")
    }
    mean = t.tensor(network.preprocessing.mean, **options).view(1, 3, 1, 1)
    pool = {"avg": F.avg_pool2d, "max": F.max_pool2d}[network.pooling]
    zeros = padding == "constant"

    def features(image: Any) -> dict[str, Any]:
        x, maps = (image[:, [2, 1, 0]] * 255 - mean).contiguous(memory_format=form), {}
        for layer in reached:
            if layer in filters:
                x = F.conv2d(
                    x if zeros else F.pad(x, (1, 1, 1, 1), padding), *filters[layer], padding=int(zeros)
                )
            else:
                x = F.relu(x) if layer.startswith("relu") else pool(x, 2)
            if layer in layers:
                maps[layer] = x
        return maps

    return features


def _filters(network: VGG, layer: str, form: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    convolution = getattr(network, layer)
    kernel = np.asarray(convolution.kernel[...]).transpose(3, 2, 0, 1).copy()
    bias = np.asarray(convolution.bias[...]).copy()
    return (
        torch().tensor(kernel, **options).contiguous(memory_format=form),
        torch().tensor(bias, **options),
    )


def _loss(target: Objective, device: str) -> Callable[[Any, dict[str, Any]], Any]:
    """Return the weighted total of `nst.objective.loss` as a function of an image and its features."""

    def tensor(x: Any) -> Any:
        return torch().tensor(np.asarray(x), device=device)

    weights = {name: float(term.weight) for name, term in target.terms.items()}
    content = {layer: tensor(P).permute(2, 0, 1)[None] for layer, P in target.terms["content"].local.items()}
    grams, layer_weights = target.terms["style"].target
    style = {
        layer: (tensor(A.G / A.M), float(layer_weights[layer]) / (4 * A.G.shape[0] ** 2))
        for layer, A in grams.items()
    }

    def loss(image: Any, features: dict[str, Any]) -> Any:
        contents = sum(0.5 * (features[layer] - P).square().sum() for layer, P in content.items())
        styles = sum(
            weight * (_gram(features[layer]) - A).square().sum() for layer, (A, weight) in style.items()
        )
        tv = image.diff(dim=2).square().sum() + image.diff(dim=3).square().sum()
        return weights["content"] * contents + weights["style"] * styles + weights.get("tv", 0) * tv

    return loss


def _gram(features: Any) -> Any:
    """Return the Gram matrix over the number of positions, G / M."""
    F = features.flatten(2)[0]
    return F @ F.T / F.shape[1]
