"""The benchmarks without PyTorch: their messages, and the evaluations counted for our optimizers."""

import importlib
import importlib.util
import inspect

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import lbfgs, losses, peers, step
from nst import features
from nst.errors import InputError, RunError
from nst.objective import loss, objective
from nst.optim import optimizer
from nst.optimize import by_vjp, minimize, start
from scripts.bench import parser

SETTINGS = {
    "content_layers": ["relu1_1"],
    "style_layers": ["relu1_1"],
    "content_weight": 1.0,
    "style_weight": 1.0,
    "reduction": "sum",
}


@pytest.fixture(scope="module")
def target():
    image = jnp.asarray(np.random.default_rng(0).random((12, 10, 3), np.float32))
    inputs = {"content": image, "style": image[:8]}
    return objective(features.load(weights="random"), inputs, SETTINGS)


@pytest.mark.parametrize("command", ["step", "lbfgs", "audio"])
def test_without_torch_it_says_how_to_get_it(monkeypatch, command):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install -e '.\[bench\]'"):
        parser.run([command])


@pytest.mark.parametrize("command", parser._commands.choices)
def test_the_options_of_a_command_are_the_parameters_of_its_function(command):
    options = vars(parser.parse_args([command, "--output", "folder"]))
    assert inspect.signature(options.pop("function")).bind(**options)


@pytest.mark.parametrize("arguments", [[], ["steps"], ["step", "--sizes", "x"], ["lbfgs", "--loss", "x"]])
def test_wrong_arguments_are_one_line(arguments):
    with pytest.raises(InputError, match=r"see scripts/bench.py"):
        parser.run(arguments)


def test_help_of_a_command_has_its_options(capsys):
    with pytest.raises(SystemExit, match="0"):
        parser.run(["lbfgs", "--help"])
    assert "--pairs CONTENT:STYLE" in capsys.readouterr().out


def test_a_pair_needs_a_colon():
    with pytest.raises(InputError, match="CONTENT:STYLE"):
        lbfgs._problem("coffee", 16, features.load(weights="random"), "paper")


def test_n_evaluations_are_n_minus_one_steps(target):
    initial = jnp.full((12, 10, 3), 0.5)
    method, evaluate = optimizer("lbfgs"), by_vjp(loss)
    states = [
        minimize(evaluate, start(evaluate, initial, method, target), method, n, target) for n in (0, 3, 7)
    ]
    assert lbfgs.descend(initial, target, [1, 4, 8], "lbfgs") == [float(state.value) for state in states]


def test_evaluations_are_counted_until_the_loss_is_that_of_adam(target):
    initial = jnp.full((12, 10, 3), 0.5)
    descent = losses.descend(initial, target, steps=20)
    adam, evaluate = optimizer("adam"), by_vjp(loss)
    end = minimize(evaluate, start(evaluate, initial, adam, target), adam, 20, target)
    assert descent.loss == float(end.value)
    assert descent.evaluations is not None
    before, reached = lbfgs.descend(
        initial, target, [descent.evaluations - 1, descent.evaluations], "lbfgs_pyramid"
    )
    assert reached <= descent.loss < before


def test_contestants_take_turns_and_must_agree():
    calls = []

    def contestant(name, slope):
        def evaluate(image):
            calls.append(name)
            return 0.0, slope * image

        return evaluate

    image = np.ones((1, 1, 3))
    times = step.in_turns({name: contestant(name, 2.0) for name in "ab"}, image, 3)
    assert "".join(calls[-6:]) == "ababab"
    assert [len(times[name]) for name in "ab"] == [3, 3]
    for slope in (2.1, np.nan):
        with pytest.raises(RunError, match="b has a gradient that differs"):
            step.in_turns({"a": contestant("a", 2.0), "b": contestant("b", slope)}, image, 1)


def test_what_does_not_compile_is_left_out(monkeypatch, capsys, target):
    def fails(image):
        raise RuntimeError("no compiler\nand more")

    monkeypatch.setattr(peers, "evaluation", lambda *_, **__: fails)
    assert step._compiled(target, np.zeros((1, 1, 3))) == {}
    assert capsys.readouterr().err == "torch.compile does not work here and is left out: no compiler\n"
