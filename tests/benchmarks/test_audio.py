"""The comparison on audio: the exported problem, the printed lines, the parts that run in other processes."""

import ast
import json
from pathlib import Path

import jax
import numpy as np
import pytest

from benchmarks import audio, texture
from benchmarks.audio import Program
from benchmarks.programs import Watched
from nst.errors import InputError
from nst.objective import loss
from scripts.bench import parser

TIMES = {"torch": [2.0, 3.0, 4.0], "nst": [1.0, 1.0, 3.0]}
PROGRAMS = {"nst": Program(5.0, 50.0, 9.0, 2**20), "torch": Program(3.0, 100.0, 10.0, 2**21)}


@pytest.fixture(scope="module")
def problem():
    return audio._problem(8, 1.0)


def spectrogram(exported):
    """A spectrogram near the content."""
    shape = exported["content"].shape
    return exported["content"] + 0.1 * np.random.default_rng(0).random(shape, np.float32)


def in_numpy(x, exported):
    """Return the exported loss of a spectrogram by a loop over frames, in float64."""

    def features(magnitudes):
        S, kernel = magnitudes.astype(np.float64), exported["kernel"].astype(np.float64)
        return np.maximum([S[i : i + 11].reshape(-1) @ kernel for i in range(len(S) - 10)], 0)

    F, P, A = (features(y) for y in (x, exported["content"], exported["style"]))
    difference = F.T @ F / len(F) - A.T @ A / len(A)
    style = np.sum(difference**2) / (4 * F.shape[1] ** 2)
    return exported["content_weight"] * 0.5 * np.sum((F - P) ** 2) + exported["style_weight"] * style


def test_the_exported_problem_has_our_loss(problem):
    target, exported = problem
    x = spectrogram(exported)
    value, _ = jax.jit(loss)(x[None], target)
    np.testing.assert_allclose(value, in_numpy(x, exported), rtol=1e-4)


def test_the_plain_version_has_our_loss_and_gradient(problem):
    pytest.importorskip("torch")
    target, exported = problem
    x = spectrogram(exported)
    (value, gradient), (_, ours) = audio._peer_evaluation(exported)(x), audio._our_evaluation(target)(x)
    assert value == pytest.approx(in_numpy(x, exported), rel=1e-4)
    assert np.linalg.norm(gradient - ours) < 1e-3 * np.linalg.norm(ours)


def test_the_plain_version_descends_with_the_given_number_of_evaluations(problem):
    pytest.importorskip("torch")
    losses = []
    texture.descend(problem[1], 12, losses.append)
    assert len(losses) == 12
    assert losses[-1] < 0.9 * losses[0]


def test_ours_prints_the_first_loss_and_the_last(problem, capsys):
    target, exported = problem
    audio._descend(target, exported["content"], 5)
    first, last = map(float, capsys.readouterr().out.split())
    assert first == pytest.approx(float(loss(exported["content"][None], target)[0]), rel=1e-4)
    assert last < 0.95 * first
    audio._descend(target, exported["content"], 1)
    assert capsys.readouterr().out.split() == [f"{first}"]


def test_the_plain_version_imports_nothing_of_ours():
    """Otherwise our memory would count as its own."""
    tree = ast.walk(ast.parse(Path(texture.__file__).read_text()))
    assert not [x for x in tree if isinstance(x, ast.ImportFrom) and str(x.module).startswith("nst")]


def test_a_program_has_the_times_of_its_first_and_last_line_and_its_memory(tmp_path):
    program = "import time; print(3.5, flush=True); time.sleep(0.2); print(2.0); print(1.5)"
    figures = audio._program(audio._watch(["-c", program], tmp_path))
    assert figures.whole > figures.first + 0.1
    assert figures.loss == 1.5
    assert figures.peak > 2**20


def test_printed_lines():
    assert audio._ratios(TIMES, PROGRAMS, 300) == [
        "speed of an evaluation: 2.00 (minimum), 3.00 (median) times torch's",
        "the loss after 300 evaluations: 0.900 times torch's",
        "speed of the whole command: 2.00 times torch's",
        "peak memory: 0.50 times torch's",
    ]
    assert audio._table(TIMES, PROGRAMS, 64, 300).row_count == 7


def test_figures_are_written(monkeypatch, tmp_path):
    monkeypatch.setattr(audio.peers, "check", lambda: None)
    commands = {}

    def watch(command, folder):
        commands[folder.name] = command
        lines = {"times": [json.dumps(TIMES)], "nst": ["12.5", "9.0"], "torch": ["12.5", "11.0", "10.0"]}
        return Watched([(i + 1.0, line) for i, line in enumerate(lines[folder.name])], 2**20)

    monkeypatch.setattr(audio, "_watch", watch)
    parser.run(["audio", "--filters", "64", "--evaluations", "7", "--output", str(tmp_path / "a.json")])
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["programs"]["torch"] == {"first": 1.0, "whole": 3.0, "loss": 10.0, "peak": 2**20}
    assert written["seconds"] == TIMES
    assert (written["filters"], written["evaluations"], written["cut"]) == (64, 7, None)
    assert {"--filters=64", "--evaluations=7", "--only", "nst"} < set(commands["nst"])
    assert commands["torch"][-1] == "7"


@pytest.mark.parametrize("part", ["times", "nst"])
def test_the_parts_of_other_processes(monkeypatch, tmp_path, capsys, part):
    monkeypatch.setattr(audio, "_peer_evaluation", lambda problem: lambda x: (0.0, x))
    monkeypatch.setattr(
        audio, "in_turns", lambda contestants, spectrogram, rounds: {x: [1.0 * rounds] for x in contestants}
    )
    options = ["--filters=4", "--seconds=0.5", "--evaluations=3", "--rounds=2"]
    parser.run(["audio", *options, "--only", part, str(tmp_path)])
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    if part == "nst":
        assert printed[1] < printed[0]
    else:
        assert printed == [{"torch": [2], "nst": [2]}]
        assert np.load(tmp_path / "problem.npz")["kernel"].shape == (11 * 1025, 4)


@pytest.mark.parametrize("option", ["--filters", "--evaluations", "--rounds", "--seconds"])
@pytest.mark.parametrize("number", ["0", "-1"])
def test_numbers_below_1_are_refused(option, number):
    with pytest.raises(InputError, match="give at least 1"):
        parser.run(["audio", option, number])


def test_nan_seconds_are_refused():
    with pytest.raises(InputError, match="give at least 1"):
        parser.run(["audio", "--seconds", "nan"])
