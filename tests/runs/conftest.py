"""Fixtures: a run of 20 steps on images of 24 pixels, from Python and from the command line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst import runs
from nst.config import base

ROOT = Path(__file__).parent.parent.parent
SMALL = {
    "images.size": 24,
    "features.weights": "random",
    "features.normalise": False,
    "loss.content_layers": ("relu2_1",),
    "loss.style_layers": ("relu1_1", "relu2_1"),
    "loss.style_layer_weights": (),
    "pyramid.scales": (16, 24),
    "pyramid.steps": 8,
    "optimizer.steps": 12,
    "run.log_every": 5,
    "run.save_every": 4,
}


def with_values(pictures):
    config = base()
    config.update_from_flattened_dict(SMALL)
    config.images.content = str(pictures / "content.png")
    config.images.style = str(pictures / "style.png")
    return config


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for name in ("content", "style"):
        pixels = generator.integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).resize((60, 40)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def config(pictures):
    return with_values(pictures)


@pytest.fixture(scope="session")
def finished(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "run"
    runs.run(with_values(pictures), folder)
    return folder


@pytest.fixture(scope="session")
def command(pictures):
    """Return `command(workdir, *flags)`, the command line of that run."""
    values = SMALL | {"images.content": pictures / "content.png", "images.style": pictures / "style.png"}
    assignments = [f"--config.{name}={value}" for name, value in values.items()]
    script, config = ROOT / "scripts" / "run.py", ROOT / "configs" / "base.py"

    def command(workdir, *flags):
        return [
            sys.executable,
            str(script),
            f"--config={config}",
            *assignments,
            f"--workdir={workdir}",
            *flags,
        ]

    return command


@pytest.fixture(scope="session")
def call():
    """Return a function that runs a command to its end."""

    def call(*arguments, **settings):
        return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=120, **settings)

    return call
