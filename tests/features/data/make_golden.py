"""Make vgg_golden.npz with PyTorch on the CPU: python tests/features/data/make_golden.py

Ten pictures of odd sizes, cut out of scikit-image's photographs; for both poolings a seeded choice of entries of every
layer for two of them, and for all ten the gradient of ½ Σ relu4_2² with respect to the picture.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)

from nst import images
from nst.features import weights
from nst.features.vgg import LAYERS

ENTRIES = 96
POOLINGS = {"avg": F.avg_pool2d, "max": F.max_pool2d}


def pictures():
    generator = np.random.default_rng(0)
    for i in range(10):
        photograph = images.read(("astronaut", "coffee", "chelsea", "rocket")[i % 4])
        small = images.fit(photograph, 120)
        h, w = 33 + 2 * (i % 3), 37 + 2 * (i % 4)
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


def main():
    parameters = weights.load(weights.DEFAULT).parameters
    golden = {f"picture{i}": picture for i, picture in enumerate(pictures())}
    for pooling in POOLINGS:
        for i in range(10):
            image = torch.tensor(golden[f"picture{i}"].astype(np.float32) / 255, requires_grad=True)
            (0.5 * forward(image, parameters, pooling, "relu4_2")["relu4_2"].square().sum()).backward()
            golden[f"{pooling}/gradient{i}"] = image.grad.numpy()
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
