"""Write the golden files of tests/test_presets.py: losses of other programs in PyTorch, and their gradients.

    pip install -e '.[bench]' && python tools/golden.py

The images are samples at 48 pixels; the losses are computed in float64. All filters are those of the preset, so that
only the formulas are compared.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from benchmarks import objectives
from nst import features, images
from nst.config.file import load_file
from nst.runs import follow

ROOT = Path(__file__).parents[1]
SIZE = 48


def config(name: str) -> Any:
    """Return the resolved config of a preset."""
    return follow.checked(load_file(ROOT / "configs/presets" / f"{name}.py").get_config())


def evaluate(
    program: objectives.Program, network: features.VGG, inputs: dict[str, np.ndarray], dtype: torch.dtype
) -> tuple[float, np.ndarray]:
    """Return loss and gradient `[h, w, 3]` at `inputs["image"]`."""
    loss = objectives.loss_of(program, network, inputs["content"], inputs["style"], dtype)
    image = objectives.tensor(inputs["image"], dtype).requires_grad_()
    value = loss(image)
    (gradient,) = torch.autograd.grad(value, image)
    return value.item(), gradient[0].permute(1, 2, 0).numpy()


def main() -> None:
    """Write the golden file of each program."""
    content, style = (images.fit(images.read(name), SIZE) for name in ("coffee", "strokes"))
    for name, program in objectives.PROGRAMS.items():
        settings = config(name)
        options = dict(settings.features)
        network = features.load(options.pop("network"), **options)
        assert isinstance(network, features.VGG)
        starts = {
            "start": images.initial(settings.images.init, content, style, seed=0),
            "style": images.initial("style", content, style, seed=0),
        }
        arrays: dict[str, Any] = {"content": content, "style": style}
        for at, image in starts.items():
            inputs = {"content": content, "style": style, "image": image}
            loss, gradient = evaluate(program, network, inputs, torch.float64)
            _, single = evaluate(program, network, inputs, torch.float32)
            rounding = np.linalg.norm(single - gradient) / np.linalg.norm(gradient)
            print(f"{name} at {at}: loss {loss:.6g}, gradient in float32 differs by {rounding:.1e}")
            arrays |= {
                f"{at}_image": image,
                f"{at}_loss": loss,
                f"{at}_gradient": gradient.astype(np.float32),
                f"{at}_rounding": rounding,
            }
        np.savez_compressed(ROOT / "tests/golden" / f"{name}.npz", **arrays)


if __name__ == "__main__":
    main()
