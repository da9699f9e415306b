"""Rows of the live page from directories that are whole, damaged, growing or gone."""

import json
import os
import subprocess
import sys

import pytest

from nst import holder, record
from nst.live import rows
from nst.sweep import leases
from tests.live.conftest import eventually, log, write_plan, write_run


def of(folder, earlier=None):
    """Return the rows of a folder."""
    return rows.rows(rows.runs_in(folder), earlier or {})


def detail(folder, key):
    return rows.detail(rows.runs_in(folder)[key], key)


def test_runs_have_their_state_step_time_and_latest_image(runs):
    by_folder = of(runs)
    assert [*by_folder] == ["first", "second"]
    first, second = by_folder.values()
    assert (first["state"], first["step"], first["left"]) == ("done", 150, None)
    assert first["image"].startswith("first/image.png?")
    assert (second["state"], second["step"]) == ("begun", 20)
    assert second["image"].startswith("second/frames/000000.png?")
    assert second["pace"] == pytest.approx(0.5)
    assert second["left"] == pytest.approx(0.5 * (second["total"] - 20))


def test_a_run_alone_and_a_folder_without_runs(runs, tmp_path):
    assert [*of(runs / "first")] == ["."]
    (tmp_path / "empty").mkdir()
    assert of(tmp_path / "empty") == of(tmp_path / "absent") == {}


def test_only_what_changed_is_read_again(runs):
    before = of(runs)
    log(runs / "second", 30, loss=0.25)
    after = of(runs, before)
    assert after["first"] is before["first"]
    assert (after["second"]["step"], after["second"]["loss"]) == (30, 0.25)


def test_a_run_whose_process_lives_is_told_from_one_that_died(runs):
    (runs / "second" / record.HOLDER).write_text(holder.own())
    assert of(runs)["second"]["state"] == "running"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (runs / "second" / record.HOLDER).write_text(f"{holder.own().rpartition(' ')[0]} {dead.pid}")
    assert of(runs)["second"]["state"] == "begun"
    (runs / "second" / record.HOLDER).write_text("elsewhere - 1")
    assert of(runs)["second"]["state"] == "running"  # a line was written just now
    os.utime(runs / "second" / "metrics.jsonl", (1e9, 1e9))
    assert of(runs)["second"]["state"] == rows.UNKNOWN
    (runs / "second" / record.HOLDER).write_text(holder.own())
    os.utime(
        runs / "second" / record.HOLDER, (1e9, 1e9)
    )  # before this process began: it has the number of another
    assert of(runs)["second"]["state"] == "begun"


def test_a_process_that_ended_and_is_not_waited_for_is_dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    name = f"{holder.own().rpartition(' ')[0]} {process.pid}"
    assert eventually(lambda: holder.is_alive(name) is False)
    process.wait()


def test_sweeps_in_a_folder_of_runs(runs):
    write_plan(runs / "ratio", {"a": {}, "b": {}})
    write_run(runs / "ratio" / "trials" / "a")
    assert {key: row["name"] for key, row in of(runs).items()} == {
        "first": "first",
        "second": "second",
        "ratio/trials/a": "ratio: a",
        "ratio/trials/b": "ratio: b",
    }


def test_a_link_that_leads_out_is_left_out(runs, tmp_path):
    write_run(tmp_path / "elsewhere")
    (runs / "link").symlink_to(tmp_path / "elsewhere")
    assert [*of(runs)] == ["first", "second"]


def test_a_resumed_run_shows_its_newest_frame(runs):
    (runs / "first" / "done").unlink()
    assert of(runs)["first"]["image"].startswith("first/frames/000000.png?")


def test_the_lock_of_a_run_names_its_process(tmp_path):
    path = tmp_path / "run" / record.HOLDER
    with record.lock(tmp_path / "run"):
        assert holder.is_alive(path.read_text())
    assert not path.exists()


def test_a_sweep_tells_who_works_at_what_and_what_failed(tmp_path):
    write_plan(tmp_path, {name: {} for name in ("a", "b", "c", "d")})
    write_run(tmp_path / "trials" / "a")
    write_run(tmp_path / "trials" / "b", done=False)
    (tmp_path / "failures").mkdir()
    (tmp_path / "failures" / "c.json").write_text(json.dumps({"error": "memory ran out"}))
    lease = leases.take(tmp_path / "leases", "b", lambda: None)
    assert lease is not None
    by_folder = of(tmp_path)
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
    huge = '{"step": 35, "loss": 1' + "0" * 400 + "}"
    strange = [huge, '{"step": 40, "loss": NaN}', "[1]", '{"step": "x"}', "[" * 20_000, '{"step": 50, "lo']
    with open(path, "ab") as file:
        file.write(b"\xff\xfe\n" + "\n".join(strange).encode())
    row = of(runs)["second"]
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
    row = of(runs)["second"]
    assert (row["step"], row["pace"]) == (99_999, pytest.approx(0.1))
    with open(path, "w") as file:
        file.write("x" * 5_000_000)  # one line without an end
    assert of(runs)["second"]["step"] == 0
    assert detail(runs, "second")["curve"] == {}


def test_many_names_and_strange_ones_are_not_all_kept(runs):
    with open(runs / "second" / "metrics.jsonl", "w") as file:
        for step in range(3):
            names = {"step": step, "seconds": [0, 1, 1e308][step], "\ud800": 1.0}
            file.write(json.dumps(names | {f"n{i}": i for i in range(5000)}) + "\n")
    curve = detail(runs, "second")["curve"]
    assert len(curve) == 64
    assert {"step", "seconds", "n0"} <= {*curve}
    assert "\ud800" not in curve
    row = of(runs)["second"]
    json.dumps(row, allow_nan=False)


def test_frames_that_were_chosen_stay_when_more_come():
    few = rows._some([f"{i}" for i in range(1500)])
    more = rows._some([f"{i}" for i in range(1700)])
    assert few[-1] == "1499"
    assert {*few[:-1]} <= {*more}
    assert len(more) <= 1001


def test_a_run_has_its_frames_and_inputs(runs):
    run = detail(runs, "first")
    assert [step for step, _ in run["frames"]] == [0]
    assert {*run["inputs"]} == {"content", "style"}
    assert run["inputs"]["style"]["image"].startswith("first/style.png?")
    assert run["curve"]["loss"][0] == 1001
