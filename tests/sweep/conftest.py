"""Fixtures: a sweep of 24-pixel trials and its config file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.config import base

ROOT = Path(__file__).parent.parent.parent
SMALL = {
    "images.size": 24,
    "features.weights": "random",
    "loss.content_layers": ("relu2_1",),
    "loss.style_layers": ("relu1_1", "relu2_1"),
    "loss.style_layer_weights": (),
    "pyramid.scales": (),
    "optimizer.steps": 8,
    "run.log_every": 4,
    "run.save_every": 4,
}
FILE = """
from nst.config import base
from nst.overrides import grid

def get_config(variant=""):
    config = base()
    config.update_from_flattened_dict({small})
    return config

def sweep(variant=""):
    yield from grid({fields})
"""


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for name in ("content", "style", "other"):
        pixels = generator.integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).resize((60, 40)).save(folder / f"{name}.png")
    (folder / "apart").mkdir()
    Image.fromarray(pixels).resize((40, 40)).save(folder / "apart" / "square.png")
    return folder


@pytest.fixture
def values(pictures):
    return SMALL | {"images.content": f"{pictures}/content.png", "images.style": f"{pictures}/style.png"}


@pytest.fixture
def config(values):
    config = base()
    config.update_from_flattened_dict(values)
    return config


@pytest.fixture
def config_file(values, tmp_path):
    """Return `config_file(fields, **values)`, which writes a config whose sweep is the grid of the fields."""

    def write(fields, **changed):
        path = tmp_path / "swept.py"
        path.write_text(FILE.format(small=repr(values | changed), fields=repr(fields)))
        return path

    return write
