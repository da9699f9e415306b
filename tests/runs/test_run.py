"""Runs from the command line and from `runs.run`: records, exact resuming, errors, exit codes."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from nst import images, record, runs
from nst.errors import InputError, RunError

ROOT = Path(__file__).parent.parent.parent


def test_a_run_directory(finished):
    present = {path.name for path in finished.iterdir()}
    expected = {
        "config.json",
        "metrics.jsonl",
        "image.png",
        "content.png",
        "style.png",
        "sheet.png",
        "curve.png",
        "frames",
        "checkpoint",
        "done",
    }
    assert expected <= present
    assert images.read(finished / "image.png").shape == (16, 24, 3)
    lines = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 5, 10, 15, 20]
    assert [line["evaluations"] for line in lines] == [1, 6, 12, 17, 22]
    for line in lines:
        assert line["loss"] == pytest.approx(line["content"] + line["style"] + line["tv"], rel=1e-5)
    assert lines[-1]["loss"] < lines[2]["loss"]  # both at the last scale
    assert json.loads(images.read_metadata(finished / "image.png")["nst"])["images"]["size"] == 24


def test_the_same_config_gives_the_same_bytes(config, finished, tmp_path):
    runs.run(config, tmp_path / "again", output=tmp_path / "copy.png")
    for name in ("image.png", "content.png", "style.png", "sheet.png", "config.json"):
        assert (tmp_path / "again" / name).read_bytes() == (finished / name).read_bytes()
    assert (tmp_path / "copy.png").read_bytes() == (finished / "image.png").read_bytes()


def test_frames_may_come_more_often_than_checkpoints(config, finished, tmp_path):
    config.run.frame_every, config.run.save_every = 2, 50
    runs.run(config, tmp_path / "run")
    frames = {int(path.stem): path.read_bytes() for path in (tmp_path / "run" / "frames").iterdir()}
    assert sorted(frames) == [*range(0, 21, 2)]
    assert frames[20] == (finished / "frames" / "000020.png").read_bytes()


@pytest.mark.slow
def test_killed_25_times_and_resumed_it_ends_in_the_same_bytes(command, call, finished, tmp_path):
    generator = np.random.default_rng(1)
    workdir = tmp_path / "run"
    kills = 0
    while kills < 25:
        resume = ["--resume"] if (workdir / "config.json").exists() else []
        process = subprocess.Popen(
            command(workdir, *resume), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        # Between the start of the interpreter and a little after the end of the run.
        try:
            process.wait(generator.uniform(0.5, 6.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        else:
            assert process.returncode == 0
            for name in ("done", "image.png"):
                (workdir / name).unlink()
            # It finished before it could be killed: undo its last steps, so that there is something left to kill.
            kills += 1
            for path in sorted((workdir / "checkpoint").glob("*.npz"))[1:]:
                path.unlink()
    resume = ["--resume"] if (workdir / "config.json").exists() else []
    result = call(*command(workdir, *resume))
    assert result.returncode == 0, result.stderr
    assert (workdir / "image.png").read_bytes() == (finished / "image.png").read_bytes()
    steps = [json.loads(line)["step"] for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    assert steps == [0, 5, 10, 15, 20]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_state(command, tmp_path, number):
    flags = ("--config.optimizer.steps=1000000", "--config.run.log_every=1")
    process = subprocess.Popen(
        command(tmp_path / "run", *flags),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    metrics = tmp_path / "run" / "metrics.jsonl"
    deadline = time.monotonic() + 60
    while (
        len(record.metrics(metrics)) < 2 and time.monotonic() < deadline
    ):  # at step 0 there is nothing to save
        time.sleep(0.05)
    os.kill(process.pid, number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number, stderr
    assert stderr.strip().splitlines()[-1].endswith("go on with --resume")
    assert list((tmp_path / "run" / "checkpoint").glob("*.sha256"))


def test_a_damaged_checkpoint_is_reported_and_the_previous_one_used(config, finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    (folder / "done").unlink()
    newest = sorted((folder / "checkpoint").glob("*.npz"))[-1]
    newest.write_bytes(newest.read_bytes()[:-4] + b"\1\2\3\4")
    with pytest.warns(UserWarning, match="damaged"):
        runs.run(config, folder, resume=True)
    assert (folder / "image.png").read_bytes() == (finished / "image.png").read_bytes()


def test_resume_refuses_another_config(config, finished):
    config.loss.style_weight = 5.0
    with pytest.raises(InputError, match=r"loss.style_weight was [0-9.]+, now 5.0"):
        runs.run(config, finished, resume=True)


def test_a_finished_run_resumes_with_more_steps(config, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    config.optimizer.steps = 16
    runs.run(config, tmp_path / "run", resume=True)
    whole = runs.run(config, tmp_path / "whole")[0]
    assert (tmp_path / "run" / "image.png").read_bytes() == (whole / "image.png").read_bytes()


def test_a_run_stopped_within_its_additional_steps_is_not_finished(config, finished, tmp_path):
    @contextmanager
    def stopped(total):
        yield lambda snapshot: 1 / (24 - snapshot.step)

    shutil.copytree(finished, tmp_path / "run")
    config.optimizer.steps = 16
    with pytest.raises(ZeroDivisionError):
        runs.run(config, tmp_path / "run", resume=True, show=stopped)
    runs.run(config, tmp_path / "run", resume=True)
    assert record.metrics(tmp_path / "run" / "metrics.jsonl")[-1]["step"] == 24


def test_a_run_directory_in_use_or_full_is_refused(config, finished, tmp_path):
    with pytest.raises(InputError, match="not empty"):
        runs.run(config, finished)
    with record.lock(tmp_path / "run"), pytest.raises(InputError, match="another process"):
        runs.run(config, tmp_path / "run")


def test_a_run_that_diverges_keeps_the_last_finite_image(config, tmp_path):
    config.optimizer.name = "adam"
    config.optimizer.learning_rate = 1e30
    with pytest.raises(RunError, match=r"step \d+: .* not finite"):
        runs.run(config, tmp_path / "run")
    assert np.isfinite(images.read(sorted((tmp_path / "run" / "frames").iterdir())[-1])).all()


def test_a_folder_gives_one_run_for_each_image(config, pictures, tmp_path):
    config.images.content = str(pictures)
    config.optimizer.steps = config.pyramid.steps = 0
    folders = runs.run(config, tmp_path)
    assert [folder.name for folder in folders] == ["content-style", "style-style"]
    assert all((folder / "done").exists() for folder in folders)


def test_a_loss_that_rose_is_an_error_and_the_state_is_kept(config, tmp_path):
    config.optimizer.name, config.optimizer.learning_rate = "adam", 50.0
    for resume in (False, True):  # resumed, it is reported again
        with pytest.raises(
            RunError, match=r"the loss rose from .* in stage 1, .*: lower optimizer.learning_rate"
        ):
            runs.run(config, tmp_path / "run", resume=resume)
    assert not (tmp_path / "run" / "done").exists()
    assert list((tmp_path / "run" / "checkpoint").glob("00000008*"))
    config.optimizer.learning_rate = None
    assert runs.run(config, tmp_path / "other")


def test_an_output_that_is_an_input_is_refused(config, pictures, tmp_path):
    with pytest.raises(InputError, match="one of the files read"):
        runs.run(config, tmp_path / "run", output=pictures / "content.png")
    assert not (tmp_path / "run").exists()


WRONG = {
    "images.contnet": ("x", "did you mean images.content"),
    "features.normalise": ("perhaps", "unknown normalise 'perhaps': choose from none, filter, layer"),
    "features.pooling": ("mean", "choose from avg, max, l2"),
    "features.padding": ("same", "choose from zeros, reflect, replicate"),
    "features.weights": ("vgg99", "vgg99"),
    "loss.style_loss": ("gramm", "did you mean gram"),
    "loss.style_layers": ("('relu9_1',)", "unknown layer 'relu9_1'"),
    "loss.style_weight": ("-1", "loss.style_weight = -1"),
    "loss.content_weight": ("nan", "loss.content_weight = nan"),
    "loss.style_layer_weights": ("(1.0,)", "1 numbers for 2 style layers"),
    "optimizer.steps": ("many", "optimizer.steps"),
    "optimizer.name": ("sgd", "choose from adam, adam_average, rmsprop, lbfgs, lbfgs_pyramid"),
    "pyramid.scales": ("(64,32)", "ascend"),
    "images.size": ("(1,2)", "images.size"),
    "run.log_every": ("0", "run.log_every = 0"),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_config_is_one_line_and_leaves_nothing(command, call, tmp_path, field):
    value, expected = WRONG[field]
    result = call(*command(tmp_path / "run", f"--config.{field}={value}"))
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert expected in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "add --config"),
        (["--config", "configs/gatys.py:papre"], "did you mean paper"),
        (["--config", "configs/gatys.py", "stray"], "stray argument 'stray'"),
        (["--config", "configs/absent.py"], "absent.py"),
        (["--config", "configs/gatys.py", "--flagfile=absent"], "--flagfile is not supported"),
        (["--config", "configs/gatys.py", "--config.images.style="], "name of an image is empty"),
        (["--confgi", "configs/gatys.py"], "confgi"),
        (["--config", "configs/gatys.py", "--resume"], "add its --workdir"),
        (["--config", "configs/gatys.py", "--config.images.content=absent.jpg"], "absent.jpg"),
        (
            ["--config", "configs/gatys.py", "--config.images.size=8", "--config.pyramid.scales=()"],
            "too small",
        ),
    ],
)
def test_a_wrong_command_is_one_line(call, arguments, expected):
    result = call(sys.executable, str(ROOT / "scripts" / "run.py"), *arguments, cwd=ROOT)
    assert result.returncode == 2, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert expected in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback(call):
    result = call(sys.executable, str(ROOT / "scripts" / "run.py"), "--debug")
    assert result.returncode == 1
    assert "Traceback" in result.stderr


def test_killed_after_the_last_checkpoint_it_still_finishes(config, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    for name in ("done", "image.png"):
        (tmp_path / "run" / name).unlink()
    runs.run(config, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "image.png").read_bytes() == (finished / "image.png").read_bytes()


@pytest.mark.slow
def test_without_a_terminal_progress_is_lines(command, call, tmp_path):
    output = tmp_path / "a.png"
    result = call(*command(tmp_path / "run", "--output", str(output)))
    lines = result.stderr.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("step ")] == [
        f"{step}/20" for step in (0, 5, 10, 15, 20)
    ]
    assert all(" style " in line and line.endswith(" s") for line in lines if line.startswith("step "))
    assert result.stdout == f"{output}\n"


@pytest.mark.slow
def test_a_plan_says_what_a_run_takes_and_writes_nothing(command, call, tmp_path):
    result = call(*command(tmp_path / "run", "--plan"))
    assert result.returncode == 0, result.stderr
    first, second, memory, total = result.stdout.splitlines()
    assert re.fullmatch(r"16×11 pixels: 8 steps of [\d.e-]+ s = \d+ s", first)
    assert re.fullmatch(r"24×16 pixels: 12 steps of [\d.e-]+ s = \d+ s", second)
    assert re.fullmatch(r"memory: \d+\.\d GiB(, \d+\.\d GiB are free now)?", memory)
    assert re.fullmatch(r"in all: 20 steps, about \d+ s, \d+ s of them to begin", total)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("flags", [("--output", "{}/locked/a.png"), ("--workdir", "{}/locked/run")])
def test_a_folder_without_permission_is_refused_before_the_work(config, tmp_path, monkeypatch, flags):
    (tmp_path / "locked").mkdir()
    access = os.access  # root may write anywhere
    monkeypatch.setattr(os, "access", lambda path, mode: "locked" not in str(path) and access(path, mode))
    changed = {flags[0].lstrip("-"): Path(flags[1].format(tmp_path))}
    with pytest.raises(InputError, match="can't be written: no permission: give another"):
        runs.run(config, **({"workdir": tmp_path / "run"} | changed))
    assert [path.name for path in tmp_path.rglob("*")] == ["locked"]
