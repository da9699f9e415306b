"""Checks before anything is computed: narrow images, outputs that are inputs, changed inputs, unusual names."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from nst import images, runs
from nst.errors import InputError
from nst.features import weights
from nst.features.weights import ported


def brief(config):
    config.pyramid.scales = ()
    config.optimizer.steps = 1
    config.optimizer.learning_rate = 1e-4  # the first steps on such a small image raise the loss
    return config


def save(path, height, width, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return str(path)


@pytest.mark.parametrize("shape", [(3, 10_000), (10_000, 3)])
@pytest.mark.parametrize("name", ["content", "style"])
def test_a_sliver_is_refused_with_the_least_side(config, tmp_path, name, shape):
    config.images[name] = save(tmp_path / "sliver.png", *shape)
    with pytest.raises(InputError, match=r"too small for relu2_1: its shorter side needs at least 2 pixels"):
        runs.run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["content", "style", "init"])
def test_no_input_is_overwritten(config, tmp_path, name):
    path = tmp_path / "picture.png"
    config.images[name] = save(path, 40, 60)
    before = path.read_bytes()
    (tmp_path / "same.png").symlink_to(path)
    for output in (path, tmp_path / "same.png"):
        with pytest.raises(InputError, match="is one of the files read"):
            runs.run(brief(config), tmp_path / "run", output=output)
    assert path.read_bytes() == before
    assert not (tmp_path / "run").exists()


def test_unusual_names(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config.images.content = save("-a picture.png", 40, 60)
    config.images.style = save("--config=Übung 日本 🎨.png", 40, 60)
    output = tmp_path / "-out ü.jpg"
    (folder,) = runs.run(brief(config), tmp_path / "-a run ü", output=output)
    assert images.read(folder / "image.png").shape == images.read("-out ü.jpg").shape == (16, 24, 3)
    assert json.loads((folder / "config.json").read_text("utf-8"))["inputs"]["style"]["path"].endswith(
        "🎨.png"
    )


@pytest.fixture
def begun(config, tmp_path):
    """Begin a run of one step on images of its own, and return the paths of its inputs."""
    paths = {name: tmp_path / f"{name}.png" for name in ("content", "style", "init")}
    for seed, (name, path) in enumerate(paths.items()):
        config.images[name] = save(path, 40, 60, seed)
    runs.run(brief(config), tmp_path / "run")
    (tmp_path / "run" / "done").unlink()
    return paths


def test_resume_refuses_another_image_of_the_same_name(config, begun, tmp_path):
    result = (tmp_path / "run" / "image.png").read_bytes()
    for name, path in begun.items():
        before = path.read_bytes()
        save(path, 40, 60, seed=9)
        with pytest.raises(InputError, match=rf"holds another run \({name}\.sha256 was '\w+', now '\w+'\)"):
            runs.run(config, tmp_path / "run", resume=True)
        path.write_bytes(before)
    assert (tmp_path / "run" / "image.png").read_bytes() == result
    runs.run(config, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "image.png").read_bytes() == result


def test_resume_refuses_other_weights_of_the_same_name(config, tmp_path):
    path = tmp_path / "weights.safetensors"
    ported.write(path, weights.load("random", seed=0), "0" * 64)
    config.features.weights = str(path)
    runs.run(brief(config), tmp_path / "run")
    (tmp_path / "run" / "done").unlink()
    ported.write(path, weights.load("random", seed=1), "0" * 64)
    with pytest.raises(InputError, match=r"holds another run \(weights\.sha256 was"):
        runs.run(config, tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("name", "value", "difference"),
    [
        ("optimizer.steps", 3, r"optimizer\.steps was 12, now 3"),
        # The field that follows it differs too.
        ("pyramid.steps", 9, r"pyramid\.first_steps was 8, now 9; pyramid\.steps was 8, now 9"),
        ("features.pooling", "max", r"features\.pooling was 'avg', now 'max'"),
        ("run.log_every", 6, r"run\.log_every was 5, now 6"),
    ],
)
def test_resume_names_what_changed(config, finished, tmp_path, name, value, difference):
    shutil.copytree(finished, tmp_path / "run")
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    config.update_from_flattened_dict({name: value})
    with pytest.raises(
        InputError, match=rf"holds another run \({difference}\): undo the change, or give another --workdir"
    ):
        runs.run(config, tmp_path / "run", resume=True)
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


def test_an_output_that_could_not_be_written_is_refused_at_once(config, tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for output in (tmp_path / "folder.png", tmp_path / "file" / "x.png"):
        with pytest.raises(InputError, match=r"can't be written|is a folder"):
            runs.run(brief(config), tmp_path / "run", output=output)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b"\xff", b'{"config": 3, "inputs": {}}'])
def test_a_damaged_config_is_reported(config, finished, tmp_path, damage):
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "config.json").write_bytes(damage)
    with pytest.raises(InputError, match=r"config\.json is damaged"):
        runs.run(config, tmp_path / "run", resume=True)


@pytest.mark.parametrize(("name", "value"), [("images.size", 10**7), ("images.style_scale", 1e30)])
def test_an_image_of_unlimited_size_is_refused(config, tmp_path, name, value):
    brief(config).update_from_flattened_dict({name: value})
    with pytest.raises(InputError, match="at most 32768 pixels"):
        runs.run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["image", "sheet", "curve", "content", "style", "init"])
def test_an_output_that_is_one_of_the_runs_own_files_is_refused(config, tmp_path, name):
    with pytest.raises(InputError, match="one of the run's own files"):
        runs.run(brief(config), tmp_path / "run", output=tmp_path / "run" / f"{name}.png")


def test_an_initial_image_is_one_file(config, pictures, tmp_path):
    config.images.init = str(pictures)
    with pytest.raises(InputError, match=r"config\.images\.init = .*: 2 files, name one of them"):
        runs.run(brief(config), tmp_path / "run")


def test_a_run_directory_in_place_of_a_file_is_refused(config, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match="a file is in its place"):
            runs.run(brief(config), folder)


@pytest.mark.parametrize("names", [("a.png", "a.jpg"), ("a-b.png", "a.png")])
def test_results_of_one_name_are_refused_with_the_files(config, pictures, tmp_path, names):
    folders = tmp_path / "content", tmp_path / "style"
    for folder, own in zip(folders, (names, ("c.png", "b-c.png")), strict=True):
        folder.mkdir()
        for name in own:
            shutil.copyfile(pictures / "content.png", folder / name)
    config.images.content, config.images.style = map(str, folders)
    message = (
        "a.jpg and .*a.png would give results of the same name"
        if "a.jpg" in names
        else "rename a file with a"
    )
    with pytest.raises(InputError, match=message):
        runs.run(config, tmp_path / "run")
