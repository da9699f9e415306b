"""The ablations of configs/: their plans are valid, as large as they say, and vary the given fields only."""

import re

import pytest

from nst import losses
from nst.errors import InputError
from nst.features import weights

ABLATIONS = {
    "initial": {"images.init", "images.seed"},
    "layers": {"loss.style_layers", "loss.style_layer_weights", "loss.content_layers"},
    "network": {"features.network", "features.weights"},
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


pytestmark = pytest.mark.filterwarnings("ignore:VGG-16 is left out")


@pytest.mark.parametrize("name", ABLATIONS)
def test_its_plan_is_as_large_as_its_docstring_says(name, planned, sets):
    plans = {variant: planned(name, variant) for variant in ("", "quick")}
    said = re.search(r"^(\d+) trials, .*`quick` has (\d+)", planned.config(name).__doc__, re.MULTILINE)
    assert [len(plans[variant].trials) for variant in ("", "quick")] == [int(n) for n in said.groups()]
    fields = {field for trial in plans[""].trials for field in trial.overrides}
    assert fields == ABLATIONS[name] | {"images.content", "images.style"}


@pytest.mark.parametrize("name", [*ABLATIONS, "losses"])
def test_an_unknown_variant_is_refused(name, planned):
    with pytest.raises(InputError, match=rf"unknown variant of configs/{name}.py 'quik': did you mean quick"):
        planned.config(name).get_config("quik")


def test_the_network_vgg16_is_in_the_plan_if_its_weights_are_cached(planned, sets, monkeypatch):
    with pytest.warns(UserWarning, match=r"VGG-16 is left out.* nst weights fetch vgg16-keras"):
        without = planned("network", "quick")
    path = weights.loading.cached("vgg16-keras")
    assert not path.exists()  # nothing was fetched
    monkeypatch.setattr(weights, "is_cached", lambda name: name == "vgg16-keras")
    plan = planned("network", "quick")
    added = {trial.name for trial in plan.trials} - {trial.name for trial in without.trials}
    assert len(added) == 4
    assert {trial.overrides["features.network"] for trial in plan.trials if trial.name in added} == {"vgg16"}


def test_losses_has_as_many_trials_of_every_style_loss_as_it_says(planned, sets, monkeypatch):
    """Losses that are registered elsewhere are included, and a loss that is random at each step has Adam."""
    said = re.search(
        r"^(\d+) trials of each loss .*`quick` has (\d+)", planned.config("losses").__doc__, re.MULTILINE
    )
    for name, random in {"mine": False, "my_random": True}.items():
        monkeypatch.setitem(
            losses.STYLE_LOSSES, name, losses.STYLE_LOSSES["gram"]._replace(stochastic=random)
        )
    for variant, count in zip(("", "quick"), map(int, said.groups()), strict=True):
        plan = planned("losses", variant)
        names = [trial.overrides["loss.style_loss"] for trial in plan.trials]
        assert {name: names.count(name) for name in names} == dict.fromkeys(losses.STYLE_LOSSES, count)
        adam = {
            t.overrides["loss.style_loss"] for t in plan.trials if t.overrides.get("optimizer.name") == "adam"
        }
        assert adam == {"remd", "my_random"}
