"""Runs with several styles, masks and kept parts: what is recorded, resumed, and refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from nst import images, inputs, report, runs
from nst.config.file import load_file
from nst.errors import InputError
from nst.report.collect import _stems
from nst.sweep import plan

WHITE, RED, BLUE = (1, 1, 1), (1, 0, 0), (0, 0, 1)


@pytest.fixture
def masks(tmp_path):
    """Masks in the shape of the images, 40×60."""
    folder = tmp_path / "masks"
    folder.mkdir()
    halves = np.zeros((40, 60, 3), np.float32)
    halves[:, :30] = RED
    halves[:, 30:] = BLUE
    images.write(folder / "regions.png", halves)
    with_white = halves.copy()
    with_white[10:30, 20:40] = WHITE
    images.write(folder / "three.png", with_white)
    left = np.zeros((40, 60, 3), np.float32)
    left[:, :30] = WHITE
    images.write(folder / "left.png", left)
    images.write(folder / "right.png", 1 - left)
    images.write(folder / "empty.png", 0 * left)
    images.write(folder / "turned.png", left.swapaxes(0, 1))
    return folder


@pytest.fixture
def two(config, pictures):
    config.images.style = f"{config.images.style},{config.images.content}"
    return config


def last_terms(folder):
    return json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])


def test_two_styles_are_recorded_and_resumed(two, tmp_path):
    two.images.style_weights, two.images.style_scales = (3.0, 1.0), (1.0, 0.5)
    folder = tmp_path / "run"
    runs.run(two, folder)
    assert {"style_1", "style_2"} <= {*last_terms(folder)}
    assert images.read(folder / "style.png").shape == (16, 24, 3)
    assert images.read(folder / "style_2.png").shape == (8, 12, 3)
    assert {*json.loads((folder / "config.json").read_text())["inputs"]} == {
        "content",
        "style",
        "style_2",
        "weights",
    }
    whole = (folder / "image.png").read_bytes()
    (folder / "done").unlink()
    runs.run(two, folder, resume=True)
    assert (folder / "image.png").read_bytes() == whole
    two.images.style_weights = (1, 1)
    with pytest.raises(InputError, match="holds another run"):
        runs.run(two, folder, resume=True)


def test_a_tuple_of_styles_is_the_same_as_commas(two, tmp_path):
    text = two.images.style
    two.images.style = tuple(text.split(","))
    two.optimizer.steps = two.pyramid.steps = 1
    folder = tmp_path / "run"
    runs.run(two, folder)
    assert json.loads((folder / "config.json").read_text())["config"]["images"]["style"] == text


def test_regions_by_color_and_a_color_that_is_kept(two, masks, tmp_path):
    two.images.content_mask = str(masks / "three.png")
    two.images.regions, two.images.keep = ("red", "blue"), "white"
    folder = tmp_path / "run"
    runs.run(two, folder)
    content = images.read(folder / "content.png")
    result = images.read(folder / "image.png")
    white = (images.resize(images.read(masks / "three.png"), 16, 24) > 0.999).all(-1)
    assert white.sum() > 30
    np.testing.assert_allclose(result[white], content[white], atol=1 / 255)
    assert np.abs(result - content)[~white].mean() > 0.01
    assert (folder / "content_mask.png").exists()


def test_regions_of_style_and_content_meet_by_color(config, masks, tmp_path):
    config.images.content_mask = config.images.style_mask = str(masks / "regions.png")
    folder = tmp_path / "run"
    runs.run(config, folder)
    assert {"style_1", "style_2"} <= {*last_terms(folder)}


def test_a_gray_mask_for_each_style_and_a_folder_of_masks(two, masks, tmp_path, pictures):
    two.images.content_mask = f"{masks / 'left.png'},{masks / 'right.png'}"
    two.images.keep = str(tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    for name in ("content", "another"):
        (tmp_path / "kept" / f"{name}.png").write_bytes((masks / "left.png").read_bytes())
    folder = tmp_path / "run"
    runs.run(two, folder)
    # All of the first region is kept, except at its border, which is smooth.
    assert last_terms(folder)["style_1"] < 0.1 * last_terms(folder)["style_2"]
    assert {"content_mask.png", "content_mask_2.png", "keep.png"} <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"content_mask": "turned.png"}, "has 40×60 pixels and its image 60×40"),
        ({"keep": "empty.png"}, "black everywhere"),
        ({"content_mask": "absent.png"}, "no such file"),
        ({"content_mask": "left.png"}, "1 content masks for 2 styles"),
        ({"content_mask": "regions.png"}, "gets which style"),
        ({"content_mask": "three.png", "regions": ("red", "blue")}, "without a style, #ffffff"),
        ({"content_mask": "regions.png", "regions": ("red", "green")}, "names #008000"),
        ({"content_mask": "regions.png", "regions": ("red",)}, "1 colors for 2 styles"),
        ({"content_mask": "regions.png", "regions": ("red", "bleu")}, "no color"),
        ({"regions": ("red", "blue")}, "content_mask"),
        ({"keep": "white"}, "needs a config.images.content_mask"),
        ({"style_weights": (1, 2, 3)}, "3 numbers for 2 styles"),
        ({"style_weights": (0, 0)}, "are all 0"),
        ({"style_scales": (1.0,)}, "1 numbers for 2 styles"),
        ({"style_mask": "left.png,left.png,left.png"}, "there are 2 styles"),
        ({"guidance": "insied"}, "inside"),
    ],
)
def test_what_cannot_be_used_is_refused_first(two, masks, tmp_path, changes, message):
    for name, value in changes.items():
        paths = isinstance(value, str) and value.endswith(".png")
        two.images[name] = ",".join(str(masks / each) for each in value.split(",")) if paths else value
    with pytest.raises(InputError, match=message):
        runs.run(two, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_loss_of_whole_images_is_refused_first(config, masks, tmp_path):
    config.images.keep = str(masks / "left.png")
    config.loss.content_loss, config.optimizer.name = "self_similarity", "adam"
    with pytest.raises(InputError, match="takes no masks"):
        runs.run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_config_with_regions_keeps_the_face(tmp_path):
    config = load_file(Path(__file__).parents[2] / "configs" / "regions.py").get_config()
    changes = {
        "images.size": 48,
        "pyramid.scales": (),
        "optimizer.steps": 6,
        "loss.style_layers": ("relu1_1", "relu2_1"),
    }
    changes |= {
        "features.weights": "random",
        "features.normalise": False,
        "loss.content_layers": ("relu2_1",),
    }
    config.update_from_flattened_dict(changes)
    folder = tmp_path / "run"
    runs.run(config, folder)
    content, result = (images.read(folder / f"{name}.png") for name in ("content", "image"))
    mask = images.read(folder / "content_mask.png")
    face = (mask > 0.999).all(-1)
    assert face.sum() > 50
    np.testing.assert_allclose(result[face], content[face], atol=1 / 255)
    assert np.abs(result - content)[mask[..., 1] < 0.5].mean() > 0.02


def test_a_sweep_over_styles_alone_and_together(two, tmp_path):
    first, second = two.images.style.split(",")
    trials = [("one", {"images.style": first}), ("two", {"images.style": (first, second)})]
    planned = plan.make(two, trials)
    assert [trial.name for trial in planned.trials] == ["one", "two"]
    assert plan.values(planned, planned.trials[1])["images.style"] == f"{first},{second}"
    for trial in planned.trials:
        changed = plan.configured(planned, trial)
        changed.optimizer.steps = changed.pyramid.steps = 1
        runs.run(changed, tmp_path / "runs" / trial.name)
    _, runs_of_report = report.runs.find(tmp_path / "runs")
    stems = _stems(runs_of_report)
    assert stems[first] == "style"
    assert stems[f"{first},{second}"] == "style + content"


def test_names_with_commas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert inputs.several("a.jpg, b.jpg") == ["a.jpg", "b.jpg"]
    assert inputs.several("a,,b") == ["a", "", "b"]
    assert inputs.several("") == []
    (tmp_path / "a,b.jpg").touch()
    assert inputs.several("a,b.jpg") == ["a,b.jpg"]
    assert inputs.joined(("a", "b")) == "a,b"
    with pytest.raises(InputError, match="has a comma"):
        inputs.joined(("a,b.jpg", "c"))
