"""The files of a run: the lock of the directory, differences to an earlier run, incomplete lines after a crash."""

import json
import subprocess
import sys

import numpy as np
import pytest

from nst import holder, images, record
from nst.errors import InputError

HOLDER = """
import sys
from pathlib import Path
from nst import record
lock = record.lock(Path(sys.argv[1]))
lock.__enter__()
print("held", flush=True)
sys.stdin.readline()
"""


def test_a_directory_is_locked_by_one_process_and_unlocked_if_it_is_killed(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="run: another process is running here: give another --workdir"):
            record.lock(tmp_path / "run").__enter__()
        assert holder.is_alive((tmp_path / "run" / record.HOLDER).read_text())
        other.kill()
        other.wait()
        assert holder.is_alive((tmp_path / "run" / record.HOLDER).read_text()) is False
    with record.lock(tmp_path / "run"):
        pass
    assert not (tmp_path / "run" / record.HOLDER).exists()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 2}}, []),
        ({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}, ["b.c was 2, now 3"]),
        ({"a": 1}, {}, ["a was 1, now None"]),
        ({}, {"a": {"b": 1}}, ["a was None, now {'b': 1}"]),
        ({"b": 1, "a": "x"}, {"b": 2, "a": "y"}, ["a was 'x', now 'y'", "b was 1, now 2"]),
        ({"optimizer": {"steps": 5}}, {"optimizer": {"steps": 6}}, []),
        ({"optimizer": {"steps": 5}}, {"optimizer": {"steps": 4}}, ["optimizer.steps was 5, now 4"]),
        ({"optimizer": {"steps": 5}}, {"optimizer": {}}, ["optimizer.steps was 5, now None"]),
        ({"pyramid": {"steps": 5}}, {"pyramid": {"steps": 6}}, ["pyramid.steps was 5, now 6"]),
        ({"style": "nan"}, {"style": None}, ["style was 'nan', now None"]),
    ],
)
def test_differences_are_named_and_only_steps_may_grow(old, new, expected):
    assert record.differences(old, new) == expected


def test_metrics_are_cut_back_and_an_incomplete_line_is_dropped(tmp_path):
    path, lines = tmp_path / "metrics.jsonl", [{"step": step, "loss": 0.1 * step} for step in (0, 5, 10)]
    assert record.metrics(path) == []
    for line in lines:
        record.append(path, line)
    whole = path.read_text()
    for length in range(len(whole) - len('{"step": 10, "loss": 1.0}\n'), len(whole) - 1):
        path.write_text(whole[:length])
        assert record.metrics(path) == lines[:2]
    record.cut_back(path, 5)
    record.append(path, lines[2])
    assert path.read_text() == whole
    record.cut_back(path, 9)
    assert record.metrics(path) == lines[:2]
    record.cut_back(path, -1)
    assert path.read_text() == ""


def test_the_description_does_not_depend_on_the_time(tmp_path):
    facts = [record.describe({"a": "ü"}, {"content": {"path": "x"}}) for _ in range(2)]
    for path, each in zip(("first", "second"), facts, strict=True):
        record.write_json(tmp_path / path, each)
    written = (tmp_path / "first").read_bytes()
    assert written == (tmp_path / "second").read_bytes()
    assert json.loads(written) == facts[0]
    assert facts[0]["versions"]["numpy"] == np.__version__
    assert '"ü"' in written.decode()


def test_the_sheet_has_the_results_height_and_all_images():
    colors = np.eye(3, dtype=np.float32)
    shapes = ((40, 60), (30, 15), (20, 30))
    content, style, result = (
        np.broadcast_to(color, (*shape, 3)) for color, shape in zip(colors, shapes, strict=True)
    )
    sheet = record.sheet(content, [style, result], result)
    assert sheet.shape == (20, 30 + 2 + 10 + 2 + 30 + 2 + 30, 3)
    parts = ((0, 30, colors[0]), (30, 32, 1), (32, 42, colors[1]), (42, 44, 1), (44, 74, colors[2]))
    parts += ((74, 76, 1), (76, 106, colors[2]))
    for left, right, color in parts:
        np.testing.assert_allclose(
            sheet[:, left:right], np.broadcast_to(color, (20, right - left, 3)), atol=1e-6
        )


def test_the_curve_is_an_image_and_the_same_each_time(tmp_path):
    # A term of zero can't be shown on a logarithmic axis.
    lines = [{"step": n, "evaluations": n, "seconds": 0.1, "loss": 9.0 - n, "tv": 0.0} for n in range(3)]
    for name in ("a.png", "b.png"):
        record.write_curve(tmp_path / name, lines)
    assert images.read(tmp_path / "a.png").std() > 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"3", b"{}", b'{"step": "x"}', b"[1]"])
def test_a_damaged_line_ends_the_metrics(tmp_path, damage):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 0}\n' + damage + b'\n{"step": 10}\n')
    assert record.metrics(path) == [{"step": 0}]


def test_a_curve_of_zeros_is_drawn_without_a_warning(tmp_path):
    record.write_curve(tmp_path / "a.png", [{"step": 0, "evaluations": 1, "seconds": 0.0, "loss": 0.0}])
    assert (tmp_path / "a.png").exists()
