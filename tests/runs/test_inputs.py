"""Inputs as used: saved when a run begins, equal to what the objective sees, added to older directories."""

import shutil
from contextlib import contextmanager

import numpy as np
import pytest

from nst import images, report, runs
from nst.audio import Audio, read, write
from nst.config import base
from nst.transfer import image as transfer

AUDIO = {
    "audio.rate": 8000,
    "audio.n_fft": 256,
    "audio.filters": 16,
    "audio.phase_steps": 2,
    "optimizer.steps": 4,
    "run.save_every": 2,
}


class StoppedError(Exception):
    """Raised in the middle of a run, as if its process had been killed."""


@contextmanager
def stop_after_2(total):
    def show(snapshot):
        if snapshot.step >= 2:
            raise StoppedError

    yield show


def levels(image):
    return np.rint(np.clip(image, 0, 1) * 255)


@pytest.fixture
def audio(tmp_path):
    config = base("audio")
    config.update_from_flattened_dict(AUDIO)
    generator = np.random.default_rng(0)
    for i, name in enumerate(("content", "style", "init")):
        path = tmp_path / "clips" / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        samples = 0.1 * (1 + i) * generator.standard_normal((3000 + 500 * i, 1), np.float32)
        write(path, Audio(samples.clip(-1, 1), 8000))
        config.audio[name] = str(path)
    return config


def saved(folder, names):
    return {name: (folder / name).read_bytes() for name in names}


def test_images_are_saved_at_the_start_as_the_objective_sees_them(config, pictures, tmp_path, monkeypatch):
    config.images.style_scale = 0.75
    config.images.init = str(pictures / "style.png")
    seen = []
    guided = transfer.guided

    def spy(extractor, content, styles, *rest):
        seen.append((content, styles[0].image))
        return guided(extractor, content, styles, *rest)

    monkeypatch.setattr(transfer, "guided", spy)
    first = []

    @contextmanager
    def show(total):
        def show_and_stop(snapshot):
            first.append(np.array(snapshot.state.params))
            raise StoppedError

        yield show_and_stop

    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        runs.run(config, folder, show=show)
    at_start = saved(folder, ("content.png", "style.png", "init.png"))
    np.testing.assert_array_equal(levels(images.read(folder / "init.png")), levels(first[0]))
    assert not (folder / "image.png").exists()
    runs.run(config, folder, resume=True)
    for name, image in zip(("content", "style"), seen[-1], strict=True):
        np.testing.assert_array_equal(levels(images.read(folder / f"{name}.png")), levels(image))
    assert images.read(folder / "content.png").shape == images.read(folder / "image.png").shape
    assert images.read(folder / "style.png").shape == (12, 18, 3)
    assert saved(folder, at_start) == at_start
    (again,) = runs.run(config, tmp_path / "again")
    assert saved(again, at_start) == at_start


@pytest.mark.slow
def test_audio_is_saved_at_the_start(audio, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        runs.run(audio, folder, show=stop_after_2)
    names = ("content.wav", "style.wav", "init.wav", "content.png", "style.png")
    at_start = saved(folder, names)
    assert not (folder / "audio.wav").exists()
    for name, length in (("content", 3000), ("style", 3500), ("init", 3000)):
        original = read(audio.audio[name]).samples[:length]
        np.testing.assert_allclose(read(folder / f"{name}.wav").samples, original, atol=1e-4)
    runs.run(audio, folder, resume=True)
    (whole,) = runs.run(audio, tmp_path / "whole")
    assert saved(folder, names) == saved(whole, names) == at_start


def test_an_initial_image_that_is_no_file_is_not_saved(finished):
    assert not (finished / "init.png").exists()


def test_a_finished_run_of_an_older_version_gets_its_inputs_on_resume(config, finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    names = ("content.png", "style.png")
    for name in names:
        (folder / name).unlink()
    others = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    (trial,) = report.collect(folder)["trials"]
    assert trial["inputs"] == {"content": None, "style": None}
    assert "content.png" not in trial["files"]
    runs.run(config, folder, resume=True)
    assert saved(folder, names) == saved(finished, names)
    assert {path: path.stat().st_mtime_ns for path in others if path.name != ".lock"} == {
        path: time for path, time in others.items() if path.name != ".lock"
    }
    data = report.collect(folder)
    (trial,) = data["trials"]
    assert [data["images"][trial["inputs"][name]] for name in ("content", "style")] == [
        str(folder / name) for name in names
    ]
