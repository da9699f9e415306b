"""Make vgg_golden.npz with PyTorch on the CPU: python tests/features/data/make_golden.py

Ten crops of scikit-image's photographs. For both poolings: random entries of every layer for two of them; for all ten
the gradient of ½ Σ relu4_2² with respect to the image, and the decisions of rectifiers and maxima that rounding could
flip.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)

from nst import images
from nst.features import NETWORKS, weights

LAYERS = NETWORKS["vgg19"].layers
ENTRIES = 96
# Relative to a layer's root mean square. The features of nst differ from those of PyTorch by up to 2.5e-5.
NEAR = 2e-4
# One size, so that networks are compiled once. Each of the first four poolings drops its last row or column.
SIZE = (37, 43)
# With this seed a rectifier and a maximum flip; with most seeds only one of them does, or neither.
SEED = 7
POOLINGS = {"avg": F.avg_pool2d, "max": F.max_pool2d}


def pictures():
    generator = np.random.default_rng(SEED)
    for i in range(10):
        photograph = images.read(("astronaut", "coffee", "chelsea", "rocket")[i % 4])
        small = images.fit(photograph, 120)
        h, w = SIZE
        top, left = (generator.integers(0, n - m + 1) for n, m in zip(small.shape, (h, w), strict=False))
        yield np.uint8(np.clip(small[top : top + h, left : left + w], 0, 1) * 255)


def forward(image, parameters, pooling, deepest):
    mean = torch.tensor(weights.CAFFE.mean).view(3, 1, 1)
    x = (image.permute(2, 0, 1)[[2, 1, 0]] * 255 - mean)[None]
    out = {}
    for layer in LAYERS[: LAYERS.index(deepest) + 1]:
        if layer.startswith("conv"):
            kernel = torch.tensor(parameters[layer]["kernel"]).permute(3, 2, 0, 1).contiguous()
            x = F.conv2d(x, kernel, torch.tensor(parameters[layer]["bias"]), padding=1)
        else:
            x = F.relu(x) if layer.startswith("relu") else POOLINGS[pooling](x, 2)
        out[layer] = x
    return {layer: value[0].permute(1, 2, 0) for layer, value in out.items()}


def gates(x):
    """Return the margin of every rectifier's decision, and whether it passes its input."""
    return x.abs(), x > 0


def winners(x):
    """Return the margin of every 2×2 window's maximum over the second, and its place: above 0 and 1, below 2 and 3."""
    place = F.max_pool2d(x.permute(2, 0, 1)[None], 2, return_indices=True)[1][0].permute(1, 2, 0)
    windows = x.unfold(0, 2, 2).unfold(1, 2, 2).flatten(3)
    first, second = windows.topk(2).values.unbind(-1)
    # In a window of zeros the choice makes no difference.
    margin = torch.where(first > 0, first - second, torch.inf)
    return margin, place // x.shape[1] % 2 * 2 + place % x.shape[1] % 2


def decisions(features, pooling):
    """Return all decisions in order: gates, and winners of max pooling; -1 where rounding can't change them."""
    parts = []
    for before, layer in pairwise(features):
        x = features[before].detach()
        if layer.startswith("relu") or (layer.startswith("pool") and pooling == "max"):
            margin, decision = gates(x) if layer.startswith("relu") else winners(x)
            doubtful = margin < NEAR * x.square().mean().sqrt()
            parts.append(torch.where(doubtful, decision.to(torch.int8), -1).numpy().ravel())
    return np.concatenate(parts)


def main():
    parameters = weights.load(weights.DEFAULT).parameters
    golden = {f"picture{i}": picture for i, picture in enumerate(pictures())}
    for pooling in POOLINGS:
        for i in range(10):
            image = torch.tensor(golden[f"picture{i}"].astype(np.float32) / 255, requires_grad=True)
            features = forward(image, parameters, pooling, "relu4_2")
            (0.5 * features["relu4_2"].square().sum()).backward()
            golden[f"{pooling}/gradient{i}"] = image.grad.numpy()
            golden[f"{pooling}/decisions{i}"] = decisions(features, pooling)
            if i < 2:
                with torch.no_grad():
                    features = forward(image, parameters, pooling, "pool5")
                for layer, value in features.items():
                    flat = value.numpy().ravel()
                    chosen = np.random.default_rng(i).choice(
                        flat.size, min(ENTRIES, flat.size), replace=False
                    )
                    golden[f"{pooling}/{i}/{layer}/entries"] = chosen.astype(np.uint32)
                    golden[f"{pooling}/{i}/{layer}/values"] = flat[chosen]
    np.savez_compressed(Path(__file__).with_name("vgg_golden.npz"), **golden)


if __name__ == "__main__":
    main()
