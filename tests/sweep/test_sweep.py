"""Running sweeps: a failure affects one trial only, killed sweeps are completed, and no trial runs twice."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst import runs, sweep
from nst.config import base
from nst.errors import InputError, RunError
from nst.sweep import local, plan, summary
from nst.sweep.trials import Folder
from nst.sweep.work import work

ROOT = Path(__file__).parent.parent.parent


def quiet(*report):
    pass


def command(file, workdir, *flags):
    return [
        sys.executable,
        str(ROOT / "scripts" / "sweep.py"),
        f"--config={file}",
        f"--workdir={workdir}",
        *flags,
    ]


def states(workdir):
    return Folder(workdir).states(plan.read(workdir))


def times_run(workdir):
    """Return how often each trial was run or resumed to its end."""
    lines = [json.loads(x) for f in (workdir / "log").glob("*.jsonl") for x in f.read_text().splitlines()]
    return {name: [line["trial"] for line in lines].count(name) for name in {line["trial"] for line in lines}}


def test_a_failing_trial_does_not_affect_the_others(config, pictures, tmp_path):
    (pictures / "damaged.png").write_bytes((pictures / "content.png").read_bytes()[:200])
    trials = [
        ("good", {"images.seed": 1}),
        ("diverges", {"optimizer.name": "adam", "optimizer.learning_rate": 1e30}),
        ("bad picture", {"images.content": str(pictures / "damaged.png")}),
        ("good too", {"loss.style_weight": 1.0}),
    ]
    chosen = sweep.begin(config, trials, tmp_path / "sweep")
    work(tmp_path / "sweep", quiet)
    folder = Folder(tmp_path / "sweep")
    assert states(tmp_path / "sweep") == {
        "good": "done",
        "diverges": "failed",
        "bad picture": "failed",
        "good too": "done",
    }
    assert "not finite" in folder.error(chosen.trials[1])
    assert "damaged.png" in folder.error(chosen.trials[2])
    rows = summary.collect(folder, chosen)
    assert rows[3]["took"]["compilations"] == 0  # it differs only in a number from a trial that ran
    assert rows[0]["last"]["step"] == 8
    (pictures / "damaged.png").write_bytes((pictures / "content.png").read_bytes())
    folder.forget_failures(chosen)
    work(tmp_path / "sweep", quiet)
    assert states(tmp_path / "sweep")["bad picture"] == "done"
    assert times_run(tmp_path / "sweep")["good"] == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of addresses is Linux's")
def test_a_trial_that_runs_out_of_memory_does_not_affect_the_others(config_file, tmp_path):
    """The features of an image of 3000×2000 take 3.6 GB, in a process limited to 5 GB of address space."""
    frames = [
        Image.fromarray(np.arange(low, low + 1800).reshape(20, 30, 3).astype(np.uint8)) for low in (0, 9)
    ]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    file = config_file(
        {"images.size": (3000, 24)},
        **{"optimizer.name": "adam", "images.style": str(tmp_path / "moving.gif")},
    )
    limited = ["bash", "-c", 'ulimit -v 5000000 && exec "$@"', "limited", *command(file, tmp_path / "sweep")]
    ended = subprocess.run(limited, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 1
    assert states(tmp_path / "sweep") == {"size=3000": "failed", "size=24": "done"}
    failure = json.loads((tmp_path / "sweep" / "failures" / "size=3000.json").read_text())
    assert "images.size=3000 could not be computed" in failure["error"]
    assert "if memory is the cause, lower images.size" in failure["error"]
    warned, *progress, error = ended.stderr.strip().splitlines()  # workers warn once, in one line
    assert warned == f"warning: {tmp_path}/moving.gif has several frames or pages: the first is read"
    assert progress
    assert all(re.fullmatch(r"[12] of 2 trials", line) for line in progress)
    assert error == "error: 1 of 2 trials failed: fix the cause, then add --retry to run them again"


def test_an_unexpected_error_is_recorded_with_its_traceback(config, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("a fault\nof ours")

    chosen = sweep.begin(config, [{}], tmp_path / "sweep")
    monkeypatch.setattr(runs, "run", fail)
    work(tmp_path / "sweep", quiet)
    failure = json.loads(Folder(tmp_path / "sweep").failure(chosen.trials[0]).read_text())
    assert failure["error"] == "ZeroDivisionError: a fault of ours"
    assert "Traceback" in failure["details"]


@pytest.mark.parametrize(("kind", "remedy"), [("image", "lower images.size"), ("audio", "shorten the audio")])
def test_the_remedy_for_memory_is_that_of_the_modality(tmp_path, monkeypatch, kind, remedy):
    def fail(*_, **__):
        raise MemoryError

    chosen = sweep.begin(base(kind), [("raises", {}), ("dies", {})], tmp_path / "sweep")
    folder = Folder(tmp_path / "sweep")
    monkeypatch.setattr(runs, "run", fail)
    local._record(folder, chosen, ["dies"], -9, local.Counter(dies=1))
    work(tmp_path / "sweep", quiet)
    assert folder.error(chosen.trials[0]).startswith(f"memory ran out: {remedy}")
    assert f"if memory is the cause, {remedy}" in folder.error(chosen.trials[1])


def test_a_trial_equals_a_run_of_its_config(config, tmp_path):
    chosen = sweep.begin(config, [{"images.seed": 0, "loss.style_weight": 5.0}], tmp_path / "sweep")
    work(tmp_path / "sweep", quiet)
    config.loss.style_weight = 5.0
    runs.run(config, tmp_path / "alone")
    trial = Folder(tmp_path / "sweep").trial(chosen.trials[0])
    for name in ("image.png", "config.json"):
        assert (trial / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()


def test_finished_trials_of_an_earlier_version_get_their_inputs(config, tmp_path):
    chosen = sweep.begin(config, [{"loss.style_weight": 5.0}], tmp_path / "sweep")
    work(tmp_path / "sweep", quiet)
    trial = Folder(tmp_path / "sweep").trial(chosen.trials[0])
    before = (trial / "content.png").read_bytes()
    for name in ("content.png", "style.png"):
        (trial / name).unlink()
    sweep.run(tmp_path / "sweep", chosen)
    assert (trial / "content.png").read_bytes() == before
    assert (trial / "style.png").exists()


def test_a_folder_with_other_things_is_refused(config, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty and holds no sweep"):
        sweep.begin(config, [{}], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_trial_that_kills_its_process_again_and_again_has_failed(config, tmp_path):
    chosen = sweep.begin(config, [("a", {}), ("b", {})], tmp_path / "sweep")
    folder, deaths = Folder(tmp_path / "sweep"), local.Counter()
    local._record(folder, chosen, ["a", "b"], -9, deaths)  # a batch
    assert not folder.failure(chosen.trials[1]).exists()
    local._record(folder, chosen, ["b"], -9, deaths)
    assert "died 2 times (signal 9): if memory is the cause, lower images.size" in folder.error(
        chosen.trials[1]
    )
    assert not folder.failure(chosen.trials[0]).exists()
    local._record(folder, chosen, [], 1, deaths)
    with pytest.raises(RunError, match="before they begin"):
        local._record(folder, chosen, [], 1, deaths)


@pytest.mark.slow
def test_a_sweep_killed_at_random_is_completed_by_two_commands(config_file, tmp_path):
    """Twelve trials: the command is killed four times, then two commands finish the sweep together."""
    file = config_file(
        {"loss.style_weight": (1.0, 2.0, 3.0), "images.seed": (0, 1), "features.pooling": ("avg", "max")}
    )
    workdir, generator = tmp_path / "sweep", np.random.default_rng(0)
    quiet = {"stderr": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    for _ in range(4):
        process = subprocess.Popen(command(file, workdir), **quiet)
        time.sleep(generator.uniform(2, 9))
        process.kill()
        process.wait()
    helpers = [subprocess.Popen(command(file, workdir), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [helper.communicate(timeout=240)[0] for helper in helpers]
    assert [helper.returncode for helper in helpers] == [0, 0]
    assert all("12 trials: 12 done, 0 failed, 0 to do" in text for text in outputs)
    assert set(states(workdir).values()) == {"done"}
    assert set(times_run(workdir).values()) == {1}
    assert not list((workdir / "leases").glob("*"))
    before = {path: path.stat().st_mtime_ns for path in workdir.glob("trials/*/image.png")}
    again = subprocess.run(command(file, workdir), capture_output=True, check=True, timeout=60)
    assert b"12 done" in again.stdout
    assert before == {path: path.stat().st_mtime_ns for path in workdir.glob("trials/*/image.png")}


@pytest.mark.slow
def test_a_signal_saves_the_trial_and_a_changed_plan_is_refused(config_file, tmp_path):
    file = config_file({"images.seed": (0, 1)}, **{"optimizer.steps": 1_000_000, "run.log_every": 1})
    workdir = tmp_path / "sweep"
    process = subprocess.Popen(command(file, workdir), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(workdir.glob("trials/*/metrics.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143, stderr
    assert "run the same command again" in stderr
    assert list(workdir.glob("trials/*/checkpoint/*.sha256"))
    assert sorted(states(workdir).values()) == ["begun", "waiting"]
    file = config_file({"images.seed": (0, 1, 2)}, **{"optimizer.steps": 1_000_000, "run.log_every": 1})
    refused = subprocess.run(command(file, workdir), capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode == 2
    assert "trial seed=2 is new" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    listed = subprocess.run(
        command(file, workdir, "--extend", "--list"), capture_output=True, text=True, check=True, timeout=60
    )
    assert "3 trials: 0 done, 0 failed, 3 to do" in listed.stdout
