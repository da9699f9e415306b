"""The ablations of configs/: their plans hold and are as large as their docstrings say, and each asks one question."""

import re

import pytest

from nst.errors import InputError

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


@pytest.mark.parametrize("name", ABLATIONS)
def test_its_plan_holds_and_is_as_large_as_it_says(name, planned, sets):
    plans = {variant: planned(name, variant) for variant in ("", "quick")}
    said = re.search(r"^(\d+) trials, .*`quick` has (\d+)", planned.config(name).__doc__, re.MULTILINE)
    assert [len(plans[variant].trials) for variant in ("", "quick")] == [int(n) for n in said.groups()]
    fields = {field for trial in plans[""].trials for field in trial.overrides}
    assert fields == ABLATIONS[name] | {"images.content", "images.style"}


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_unknown_variant_is_refused(name, planned):
    with pytest.raises(InputError, match=rf"unknown variant of configs/{name}.py 'quik': did you mean quick"):
        planned.config(name).get_config("quik")
