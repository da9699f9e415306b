"""Rows of the live page from directories that are whole, damaged, growing or gone."""

import json
import os
import subprocess
import sys

import pytest

from nst import holder, record
from nst.live.rows import detail, rows
from nst.sweep import leases
from tests.live.conftest import log, write_plan, write_run


def test_runs_have_their_state_step_time_and_latest_image(runs):
    by_folder = rows(runs, {})
    assert [*by_folder] == ["first", "second"]
    first, second = by_folder.values()
    assert (first["state"], first["step"], first["left"]) == ("done", 150, None)
    assert first["image"].startswith("first/image.png?")
    assert (second["state"], second["step"]) == ("begun", 20)
    assert second["image"].startswith("second/frames/000000.png?")
    assert second["pace"] == pytest.approx(0.5)
    assert second["left"] == pytest.approx(0.5 * (second["total"] - 20))


def test_a_run_alone_and_a_folder_without_runs(runs, tmp_path):
    assert [*rows(runs / "first", {})] == ["."]
    (tmp_path / "empty").mkdir()
    assert rows(tmp_path / "empty", {}) == rows(tmp_path / "absent", {}) == {}


def test_only_what_changed_is_read_again(runs):
    before = rows(runs, {})
    log(runs / "second", 30, loss=0.25)
    after = rows(runs, before)
    assert after["first"] is before["first"]
    assert (after["second"]["step"], after["second"]["loss"]) == (30, 0.25)


def test_a_run_whose_process_lives_is_told_from_one_that_died(runs):
    (runs / "second" / record.LOCK).write_text(holder.own())
    assert rows(runs, {})["second"]["state"] == "running"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (runs / "second" / record.LOCK).write_text(holder.own().replace(str(os.getpid()), str(dead.pid)))
    assert rows(runs, {})["second"]["state"] == "begun"
    (runs / "second" / record.LOCK).write_text("elsewhere - 1")
    assert rows(runs, {})["second"]["state"] == "begun"


def test_the_lock_of_a_run_names_its_process(tmp_path):
    with record.lock(tmp_path / "run"):
        assert holder.is_alive((tmp_path / "run" / record.LOCK).read_text())


def test_a_sweep_tells_who_works_at_what_and_what_failed(tmp_path):
    write_plan(tmp_path, {name: {} for name in ("a", "b", "c", "d")})
    write_run(tmp_path / "trials" / "a")
    write_run(tmp_path / "trials" / "b", done=False)
    (tmp_path / "failures").mkdir()
    (tmp_path / "failures" / "c.json").write_text(json.dumps({"error": "memory ran out"}))
    lease = leases.take(tmp_path / "leases", "b", lambda: None)
    assert lease is not None
    by_folder = rows(tmp_path, {})
    lease.give_back()
    assert {row["name"]: row["state"] for row in by_folder.values()} == {
        "a": "done",
        "b": "running",
        "c": "failed",
        "d": "waiting",
    }
    assert by_folder["trials/b"]["worker"] == holder.own()
    assert by_folder["trials/c"]["error"] == "memory ran out"


def test_half_written_damaged_and_strange_lines_are_left_out(runs):
    path = runs / "second" / "metrics.jsonl"
    strange = ['{"step": 40, "loss": NaN}', "[1]", '{"step": "x"}', "[" * 20_000, '{"step": 50, "lo']
    with open(path, "ab") as file:
        file.write(b"\xff\xfe\n" + "\n".join(strange).encode())
    row = rows(runs, {})["second"]
    assert (row["step"], row["loss"]) == (40, None)
    json.dumps([row, detail(runs, "second")], allow_nan=False)


def test_a_long_log_is_read_in_parts(runs):
    path = runs / "second" / "metrics.jsonl"
    with open(path, "w") as file:
        for step in range(100_000):
            file.write(f'{{"step": {step}, "seconds": {step / 10}, "loss": {1 / (1 + step)}}}\n')
    assert path.stat().st_size > 4 * 2**20
    curve = detail(runs, "second")["curve"]
    assert len(curve["step"]) <= 400
    assert curve["step"] == sorted(curve["step"])
    assert curve["step"][-1] == 99_999
    row = rows(runs, {})["second"]
    assert (row["step"], row["pace"]) == (99_999, pytest.approx(0.1))
    with open(path, "w") as file:
        file.write("x" * 5_000_000)  # one line without an end
    assert rows(runs, {})["second"]["step"] == 0
    assert detail(runs, "second")["curve"] == {}


def test_a_run_has_its_frames_and_inputs(runs):
    run = detail(runs, "first")
    assert [step for step, _ in run["frames"]] == [0]
    assert {*run["inputs"]} == {"content", "style"}
    assert run["inputs"]["style"]["image"].startswith("first/style.png?")
    assert run["curve"]["loss"][0] == 1001
    assert detail(runs, "../runs/first") is detail(runs, "absent") is None
