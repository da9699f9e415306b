"""Runs of transparent images: their files, what is resumed, batched, shown and refused."""

import json

import numpy as np
import pytest
from PIL import Image

from nst import images, runs, sweep
from nst.errors import InputError
from nst.evaluation import image as evaluation
from nst.report.images import opened
from nst.runs.finished import finished
from nst.runs.image import batch_key
from nst.sweep.trials import Folder
from nst.sweep.work import work


@pytest.fixture(scope="module")
def cut(pictures, tmp_path_factory):
    """The pictures with an elliptic alpha, once with noise below it, and an opaque one with an alpha channel."""
    folder = tmp_path_factory.mktemp("cut")
    y, x = np.mgrid[:40, :60]
    alpha = np.clip(12 - 12 * np.hypot((x - 28) / 24, (y - 19) / 16), 0, 1).astype(np.float32)
    noise = np.random.default_rng(1).random((40, 60, 3), np.float32)
    for name in ("content", "style"):
        color = images.read(pictures / f"{name}.png")
        images.write(folder / f"{name}.png", np.dstack([color, alpha]))
        noisy = np.where(alpha[..., None] > 0, color, noise)
        images.write(folder / f"noisy_{name}.png", np.dstack([noisy, alpha]))
        images.write(folder / f"opaque_{name}.png", np.dstack([color, 0 * alpha + 1]))
    images.write(folder / "empty.png", np.dstack([color, 0 * alpha]))
    return folder


@pytest.fixture
def transparent(config, cut):
    config.images.content, config.images.style = str(cut / "content.png"), str(cut / "style.png")
    config.pyramid.scales = ()  # one scale compiles one program
    return config


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_run_of_a_transparent_image_is_recorded_and_resumed(transparent, cut, tmp_path):
    folder = tmp_path / "run"
    runs.run(transparent, folder, output=tmp_path / "out.webp")
    result = pixels(folder / "image.png")
    assert result.shape == (16, 24, 4)
    alpha = images.read(cut / "content.png", alpha="keep")[..., 3]
    np.testing.assert_array_equal(result[..., 3], np.rint(images.resize_mask(alpha, (16, 24)) * 255))
    np.testing.assert_array_equal(pixels(tmp_path / "out.webp")[..., 3], result[..., 3])
    for name in ("content.png", "style.png", "frames/000012.png"):
        np.testing.assert_array_equal(pixels(folder / name)[..., 3], result[..., 3])
    sheet = pixels(folder / "sheet.png")
    assert sheet.shape[2] == 3
    assert (sheet[0] == 255).all()
    assert images.read_metadata(folder / "image.png")
    assert opened(str(folder / "image.png")).mode == "RGBA"
    transparent.optimizer.steps = 6
    runs.run(transparent, tmp_path / "resumed")
    transparent.optimizer.steps = 12
    runs.run(transparent, tmp_path / "resumed", resume=True)
    assert (tmp_path / "resumed" / "image.png").read_bytes() == (folder / "image.png").read_bytes()
    result, (content, (style,), _) = evaluation.read(
        folder, finished(folder), json.loads((folder / "config.json").read_text())["inputs"]
    )
    for image in (result, content, style.image):
        assert image.shape[2] == 3
        np.testing.assert_allclose(image[0], 1, atol=0.1)
    transparent.images.alpha = "flatten"
    with pytest.raises(InputError, match=r"images\.alpha was None, now 'flatten'"):
        runs.run(transparent, folder, resume=True)


def test_what_lies_below_alpha_0_changes_no_pixel(transparent, cut, tmp_path):
    transparent.images.color = "match"
    for name in ("", "noisy_"):
        transparent.images.content = str(cut / f"{name}content.png")
        transparent.images.init = transparent.images.content if name else "content"
        transparent.images.style = str(cut / f"{name}style.png")
        runs.run(transparent, tmp_path / f"run{name}")
    first, second = (pixels(tmp_path / f"run{name}" / "image.png") for name in ("", "noisy_"))
    np.testing.assert_array_equal(first, second)


def test_an_opaque_image_has_the_result_of_one_without_alpha(config, finished, cut, tmp_path):
    config.images.content, config.images.style = (
        str(cut / "opaque_content.png"),
        str(cut / "opaque_style.png"),
    )
    runs.run(config, tmp_path / "run", output=tmp_path / "out.jpg")  # warnings are errors
    result = pixels(tmp_path / "run" / "image.png")
    np.testing.assert_array_equal(result[..., :3], pixels(finished / "image.png"))
    assert (result[..., 3] == 255).all()


def test_an_output_without_transparency(transparent, tmp_path):
    transparent.optimizer.steps = transparent.pyramid.steps = 1
    with pytest.warns(images.ImageWarning, match=r"out\.jpg: the format has no transparency"):
        runs.run(transparent, tmp_path / "run", output=tmp_path / "out.jpg")
    assert pixels(tmp_path / "out.jpg").shape == (16, 24, 3)
    transparent.images.alpha = "keep"
    with pytest.raises(InputError, match=r"no transparency: choose \.png"):
        runs.run(transparent, tmp_path / "other", output=tmp_path / "out.jpg")
    assert not (tmp_path / "other").exists()


def test_flat_images_are_on_white(transparent, cut, pictures, tmp_path):
    transparent.optimizer.steps = transparent.pyramid.steps = 1
    transparent.images.alpha = "flatten"
    runs.run(transparent, tmp_path / "run")
    for name in ("content.png", "style.png", "image.png"):
        assert pixels(tmp_path / "run" / name).shape == (16, 24, 3)
    assert (pixels(tmp_path / "run" / "content.png")[0] == 255).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images.alpha": "transparent"}, "choose from keep, flatten"),
        ({"images.content": "empty.png"}, r"empty\.png is transparent everywhere"),
        ({"images.style": "empty.png"}, r"empty\.png is transparent everywhere"),
        ({"loss.style_loss": "remd", "optimizer.name": "adam"}, r"set images\.alpha=flatten"),
        ({"loss.content_loss": "self_similarity", "optimizer.name": "adam"}, r"set images\.alpha=flatten"),
    ],
)
def test_what_cannot_be_used_is_refused_first(transparent, cut, tmp_path, changes, message):
    for name, value in changes.items():
        group, field = name.split(".")
        transparent[group][field] = str(cut / value) if value.endswith(".png") else value
    with pytest.raises(InputError, match=message):
        runs.run(transparent, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_transparent_trials_form_batches_of_their_own(transparent, cut, pictures):
    def key(content, alpha=None):
        transparent.images.content, transparent.images.alpha = str(content), alpha
        return batch_key(transparent)

    assert key(cut / "content.png") == key(cut / "noisy_content.png")
    assert key(pictures / "content.png") == key(cut / "opaque_content.png")
    assert key(pictures / "content.png") == key(cut / "content.png", "flatten")
    assert key(pictures / "content.png") != key(cut / "content.png")


@pytest.mark.slow
def test_a_sweep_of_transparent_and_opaque_images(transparent, cut, pictures, tmp_path):
    transparent.optimizer.steps = 1
    paths = {
        "cut": cut / "content.png",
        "opaque": pictures / "content.png",
        "noisy": cut / "noisy_content.png",
    }
    trials = [(name, {"images.content": str(path)}) for name, path in paths.items()]
    chosen = sweep.begin(transparent, trials, tmp_path / "sweep")
    folder = Folder(tmp_path / "sweep")
    work(tmp_path / "sweep", lambda *report: None, 4)
    assert [*folder.states(chosen).values()] == ["done"] * 3
    shapes = [pixels(folder.trial(trial) / "image.png").shape[2] for trial in chosen.trials]
    assert shapes == [4, 3, 4]
    batched = [pixels(folder.trial(chosen.trials[i]) / "image.png") for i in (0, 2)]
    np.testing.assert_array_equal(batched[0], batched[1])
