"""The ablations of configs/: their plans hold and are as large as their docstrings say, and each asks one question."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

from nst import data
from nst.errors import InputError
from nst.sweep import plan

CONFIGS = Path(__file__).parents[1] / "configs"
ABLATIONS = {
    "initial": {"images.init", "images.seed"},
    "layers": {"loss.style_layers", "loss.style_layer_weights", "loss.content_layers"},
    "optimizers": {"optimizer.name", "optimizer.learning_rate"},
    "padding": {"features.padding"},
    "pooling": {"features.pooling"},
    "weights": {
        "features.weights",
        "features.normalise",
        "images.seed",
        "loss.style_weight",
        "loss.style_layer_weights",
    },
}


@pytest.fixture(scope="module", autouse=True)
def sets(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        for name in data.OURS:
            data.prepare(name)
        yield


def load(name):
    specification = importlib.util.spec_from_file_location(name, CONFIGS / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ABLATIONS)
def test_its_plan_holds_and_is_as_large_as_it_says(name):
    module = load(name)
    plans = {v: plan.make(module.get_config(v), module.sweep(v)) for v in ("", "quick")}
    said = re.search(
        r"^(\d+) trials, .*`quick` has (\d+)",
        ast.get_docstring(ast.parse(Path(module.__file__).read_text())),
        re.M,
    )
    assert [len(plans[variant].trials) for variant in ("", "quick")] == [int(n) for n in said.groups()]
    fields = {field for trial in plans[""].trials for field in trial.overrides}
    assert fields == ABLATIONS[name] | {"images.content", "images.style"}


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_unknown_variant_is_refused(name):
    with pytest.raises(InputError, match=rf"unknown variant of configs/{name}.py 'quik': did you mean quick"):
        load(name).get_config("quik")
