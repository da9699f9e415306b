"""One config at several sizes: results are brought to the smallest, and measured there."""

import json

import numpy as np
import pytest
from rich.console import Console

from benchmarks import sizes
from nst import images
from nst.errors import InputError


def test_results_of_one_look_differ_in_nothing(tmp_path, monkeypatch):
    picture = images.fit(images.read("coffee"), 192)

    def result(config, content, style, size, output):
        path = output / f"result-{size}.png"
        images.write(path, images.fit(picture, size))
        return path

    monkeypatch.setattr(sizes, "_result", result)
    sizes.compare("configs/gatys.py", [192, 96], "coffee", "strokes", tmp_path)
    small, large = json.loads((tmp_path / "sizes.json").read_text()).values()
    assert set(small) == set(large)
    assert small["content_cosine"] == pytest.approx(1, abs=0.01)  # the result is the content
    assert large["content_cosine"] == pytest.approx(small["content_cosine"], abs=0.02)
    assert images.read(tmp_path / "sizes.png").shape == (64, 192, 3)


def test_the_largest_difference_is_relative_to_the_mean():
    console = Console(record=True, width=120)
    console.print(sizes.table({256: {"tv": 1.0}, 512: {"tv": 1.2}, 1024: {"tv": 0.8}}, "title"))
    assert "20 %" in console.export_text()


def test_sizes_are_above_zero(tmp_path):
    with pytest.raises(InputError, match=r"--sizes 256 0: give"):
        sizes.compare("configs/gatys.py", [256, 0], "coffee", "strokes", tmp_path)
    assert not np.any([*tmp_path.iterdir()])
