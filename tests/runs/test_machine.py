"""Disk and memory that run out in the middle of a run, and files that a killed process leaves behind."""

import re
import shutil
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from nst import features, images, runs
from nst.errors import InputError
from nst.optim import optimizer
from nst.runs import memory, prepare
from nst.runs.follow import checked

LIMITED = str(Path(__file__).with_name("limited.py"))


@pytest.fixture
def limited(call):
    """Return `limited(limit, number, command)`, which runs a command under a limit."""
    return lambda limit, number, command: call(sys.executable, LIMITED, limit, str(number), *command[1:])


@pytest.mark.slow
def test_a_full_disk_leaves_the_files_before_whole(config, limited, command, finished, tmp_path):
    # Checkpoints have 180 KB at the first scale and 460 KB at the second: the kernel refuses to write the second.
    result = limited("RLIMIT_FSIZE", 300_000, command(tmp_path / "run"))
    assert result.returncode == 1, result.stderr
    assert ".npz" in result.stderr.splitlines()[-1]
    assert result.stderr.rstrip().endswith("go on with --resume")
    assert "Traceback" not in result.stderr
    runs.run(config, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "image.png").read_bytes() == (finished / "image.png").read_bytes()


@pytest.mark.slow
def test_out_of_memory_is_one_line(limited, command, tmp_path):
    flags = ("--config.images.size=4000", "--config.pyramid.scales=(4000,)")
    result = limited("RLIMIT_AS", 6 * 2**30, command(tmp_path / "run", *flags))
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert "images.size=4000" in last
    assert "lower images.size" in last
    assert not (tmp_path / "run" / "image.png").exists()


def test_a_run_that_may_not_fit_is_warned_of_before_it_starts(config, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: 400 * 2**20)
    with pytest.warns(
        memory.MemoryWarning, match=r"24×16 pixels need about 0.5 GiB, but only 0.4 GiB are free: lower"
    ):
        runs.run(config, tmp_path / "run")


def test_a_run_that_can_not_fit_is_refused_unless_forced(config, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: 100 * 2**20)
    with pytest.raises(
        InputError,
        match=r"need about 0.5 GiB, but only 0.1 GiB are free: lower .*; nst run --force starts it",
    ):
        runs.run(config, tmp_path / "run")
    assert not list(tmp_path.iterdir())
    with pytest.warns(memory.FarTooLargeWarning):
        runs.run(config, tmp_path / "run", force=True)


def test_the_size_that_would_fit_is_named(config, tmp_path, monkeypatch):
    config.images.size, config.pyramid.scales = 2000, ()
    monkeypatch.setattr(memory, "free", lambda: 2**30)
    with pytest.raises(InputError, match=r"lower images.size to (\d+), or") as caught:
        runs.run(config, tmp_path / "run")
    config.images.size = int(re.search(r"images.size to (\d+)", str(caught.value))[1])
    assert 300 < config.images.size < 2000
    limit = runs.MODALITIES["image"].limit.value
    prepare.ready(
        runs.MODALITIES["image"], checked(config), tmp_path / "run", limit=limit
    )  # without a warning


def test_the_estimate_counts_the_features_and_the_history():
    extractor, size = features.load(weights="random"), (64, 96)
    needed = {
        name: memory.needed(extractor, ["relu1_1"], size, [size], optimizer(name))
        for name in ("adam", "lbfgs")
    }
    pixels = 64 * 96
    target = 4 * 64**2
    features_and_state = 64 * pixels * 4 + 2 * 3 * pixels * 4 + target  # relu1_1; two moments
    assert needed["adam"] - memory._REST == pytest.approx(features_and_state, abs=100)
    history = 2 * 50 * 3 * pixels * 4  # 50 pairs of images
    features_alone = 64 * pixels * 4
    assert needed["lbfgs"] - memory._REST == pytest.approx(history + features_alone, rel=0.03)


def test_the_estimate_counts_regions_and_styles():
    extractor, size = features.load(weights="random"), (64, 96)

    def needed(styles, regions):
        return memory.needed(extractor, ["relu1_1"], size, styles, optimizer("adam"), regions)

    alone = needed([size], [])
    assert needed([size] * 3, []) - alone == 2 * 4 * 64**2
    assert needed([size], [0.5, 0.75]) - alone == 4 * 1.25 * 64 * 96 * 65
    assert needed([size, (128, 192)], []) - alone > 3 * 4 * 64 * 64 * 96


def test_regions_that_need_too_much_memory_are_refused(config, tmp_path, monkeypatch):
    config.images.size, config.pyramid.scales = 1000, ()
    config.images.style = f"{config.images.style},{config.images.content}"
    modality, limit = runs.MODALITIES["image"], runs.MODALITIES["image"].limit.value
    needs = []
    monkeypatch.setattr(memory, "check", lambda what, needed, remedy: needs.append(needed))
    prepare.ready(modality, checked(config), tmp_path / "run", limit=limit)
    monkeypatch.undo()
    monkeypatch.setattr(memory, "_FAR", 1.0)
    monkeypatch.setattr(memory, "free", lambda: needs[0])
    prepare.ready(modality, checked(config), tmp_path / "run", limit=limit)
    images.write(tmp_path / "mask.png", np.ones((40, 60, 3), np.float32))
    config.images.content_mask = ",".join([str(tmp_path / "mask.png")] * 2)
    with pytest.raises(InputError, match="with masks of 2 styles need about"):
        runs.run(config, tmp_path / "run")


def test_free_memory_is_a_number_on_a_cpu():
    assert jax.default_backend() != "cpu" or 0 < memory.free() < 2**50


def test_files_of_a_killed_process_are_removed(config, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "done").unlink()
    for name in (".image.123.png", "checkpoint/.00000020.99.npz", "frames/.000004.7.png"):
        (tmp_path / "run" / name).write_bytes(b"half")
    runs.run(config, tmp_path / "run", resume=True)
    assert sorted(path.name for path in (tmp_path / "run").rglob(".*")) == [".lock"]


def test_the_limit_of_pixels_holds_for_every_image(config, pictures, tmp_path):
    config.images.init = str(pictures / "style.png")
    (job,) = runs.prepare.find_jobs(runs.modality(config), config, tmp_path)
    assert [*job.inputs] == ["content", "style", "init"]
    for name, path in job.inputs.items():
        alone = [job._replace(inputs={name: path})]
        assert runs.image.shapes(alone, 60 * 40, "keep") == {path: (40, 60, 3)}
        with pytest.raises(InputError, match=path.name):
            runs.image.shapes(alone, 60 * 40 - 1, "keep")


def test_a_folder_of_runs_is_resumed_where_it_stopped(config, pictures, tmp_path):
    config.images.content = str(pictures)
    config.optimizer.steps = config.pyramid.steps = 1
    config.optimizer.learning_rate = 1e-4  # the first steps on such a small image raise the loss
    first, second = runs.run(config, tmp_path)
    shutil.rmtree(second)
    before = (first / "image.png").stat().st_mtime_ns
    runs.run(config, tmp_path, resume=True)
    assert (second / "done").exists()
    assert (first / "image.png").stat().st_mtime_ns == before
