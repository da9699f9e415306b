"""The comparison on sounds: the exported problem is ours, what it says, what a program of its own prints."""

import ast
import json
from pathlib import Path

import jax
import numpy as np
import pytest

from nst import bench
from nst.bench import audio, texture
from nst.bench.audio import Program
from nst.bench.programs import Watched
from nst.errors import InputError
from nst.objective import loss

TIMES = {"torch": [2.0, 3.0, 4.0], "nst": [1.0, 1.0, 3.0]}
PROGRAMS = {"nst": Program(5.0, 50.0, 9.0, 2**20), "torch": Program(3.0, 100.0, 10.0, 2**21)}


@pytest.fixture(scope="module")
def problem():
    return audio._problem(8, 1.0)


def place(exported):
    shape = exported["content"].shape
    return exported["content"] + 0.1 * np.random.default_rng(0).random(shape, np.float32)


def in_numpy(x, exported):
    """The exported loss of a spectrogram by a loop over frames, in float64."""

    def features(spectrogram):
        S, kernel = spectrogram.astype(np.float64), exported["kernel"].astype(np.float64)
        return np.maximum([S[i : i + 11].reshape(-1) @ kernel for i in range(len(S) - 10)], 0)

    F, P, A = (features(y) for y in (x, exported["content"], exported["style"]))
    difference = F.T @ F / len(F) - A.T @ A / len(A)
    style = np.sum(difference**2) / (4 * F.shape[1] ** 2)
    return exported["content_weight"] * 0.5 * np.sum((F - P) ** 2) + exported["style_weight"] * style


def test_what_is_exported_has_our_loss(problem):
    target, exported = problem
    x = place(exported)
    value, _ = jax.jit(loss)(x[None], target)
    np.testing.assert_allclose(value, in_numpy(x, exported), rtol=1e-4)


def test_the_plain_version_has_that_loss_and_our_gradient(problem):
    pytest.importorskip("torch")
    target, exported = problem
    x = place(exported)
    (value, gradient), (_, ours) = audio._peers(exported)(x), audio._ours(target)(x)
    assert value == pytest.approx(in_numpy(x, exported), rel=1e-4)
    assert np.linalg.norm(gradient - ours) < 1e-3 * np.linalg.norm(ours)


def test_the_plain_version_descends_with_so_many_evaluations(problem):
    pytest.importorskip("torch")
    told = []
    texture.descend(problem[1], 12, told.append)
    assert len(told) == 12
    assert told[-1] < 0.9 * told[0]


def test_ours_prints_the_first_loss_and_the_last(problem, capsys):
    target, exported = problem
    audio._descend(target, exported["content"], 5)
    first, last = map(float, capsys.readouterr().out.split())
    assert first == pytest.approx(float(loss(exported["content"][None], target)[0]), rel=1e-4)
    assert last < 0.95 * first
    audio._descend(target, exported["content"], 1)
    assert capsys.readouterr().out.split() == [f"{first}"]


def test_the_plain_version_imports_nothing_of_ours():
    """What it takes of memory would be ours."""
    tree = ast.walk(ast.parse(Path(texture.__file__).read_text()))
    assert not [x for x in tree if isinstance(x, ast.ImportFrom) and str(x.module).startswith("nst")]


def test_a_program_is_its_first_line_its_last_and_its_memory(tmp_path):
    program = "import time; print(3.5, flush=True); time.sleep(0.2); print(2.0); print(1.5)"
    found = audio._program(audio._watched(["-c", program], tmp_path))
    assert found.whole > found.first + 0.1
    assert found.loss == 1.5
    assert found.peak > 2**20


def test_what_is_said():
    assert audio._ratios(TIMES, PROGRAMS, 300) == [
        "an evaluation: 2.00 by the minimum and 3.00 by the median times as fast",
        "the loss after 300 evaluations: 0.900 of torch's",
        "the whole command: 2.00 times as fast",
        "peak memory: 0.50 of torch's",
    ]
    assert audio._table(TIMES, PROGRAMS, 64, 300).row_count == 7


def test_figures_are_written(monkeypatch, tmp_path):
    monkeypatch.setattr(audio.peers, "check", lambda: None)
    commands = {}

    def watched(command, folder):
        commands[folder.name] = command
        lines = {"times": [json.dumps(TIMES)], "nst": ["12.5", "9.0"], "torch": ["12.5", "11.0", "10.0"]}
        return Watched([(i + 1.0, line) for i, line in enumerate(lines[folder.name])], 2**20)

    monkeypatch.setattr(audio, "_watched", watched)
    bench.run(["audio", "--filters", "64", "--evaluations", "7", "--output", str(tmp_path / "a.json")])
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["programs"]["torch"] == {"first": 1.0, "whole": 3.0, "loss": 10.0, "peak": 2**20}
    assert found["seconds"] == TIMES
    assert (found["filters"], found["evaluations"], found["cut"]) == (64, 7, None)
    assert {"--filters=64", "--evaluations=7", "--only", "nst"} < set(commands["nst"])
    assert commands["torch"][-1] == "7"


@pytest.mark.parametrize("what", ["times", "nst"])
def test_the_parts_of_other_processes(monkeypatch, tmp_path, capsys, what):
    monkeypatch.setattr(audio, "_peers", lambda problem: lambda x: (0.0, x))
    monkeypatch.setattr(
        audio, "in_turns", lambda contestants, place, rounds: {x: [1.0 * rounds] for x in contestants}
    )
    options = ["--filters=4", "--seconds=0.5", "--evaluations=3", "--rounds=2"]
    bench.run(["audio", *options, "--only", what, str(tmp_path)])
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    if what == "nst":
        assert said[1] < said[0]
    else:
        assert said == [{"torch": [2], "nst": [2]}]
        assert np.load(tmp_path / "problem.npz")["kernel"].shape == (11 * 1025, 4)


@pytest.mark.parametrize("option", ["--filters", "--evaluations", "--rounds", "--seconds"])
@pytest.mark.parametrize("number", ["0", "-1"])
def test_nothing_to_do_is_refused(option, number):
    with pytest.raises(InputError, match="give at least 1"):
        bench.run(["audio", option, number])


def test_seconds_that_are_no_number_are_refused():
    with pytest.raises(InputError, match="give at least 1"):
        bench.run(["audio", "--seconds", "nan"])
