"""A term registered from outside: its functions, a line in the registry, a line in the table of fields."""

import json
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nst
from nst import batched, features, images, losses, report, runs
from nst.batched import Trial
from nst.config import FIELDS, Field, base, help_text
from nst.errors import InputError
from nst.losses import Recipe, Term
from nst.sweep import plan
from nst.transfer.image import Scale, stylization


def statistics(view, local):
    return jnp.sum(view.image), view.image.size


def value(statistics, target):
    total, count = statistics
    return jnp.square(total / count - 0.25)


def build(inputs, **settings):
    return Term(statistics, value)


def noisy(view, local):
    return jnp.mean(view.image * jax.random.normal(view.key, view.image.shape))


def itself(statistics, target):
    return statistics


def build_noisy(inputs, **settings):
    return Term(noisy, itself)


@pytest.fixture
def registered(monkeypatch):
    """`brightness`, the squared distance of the mean to a quarter, and `noisy`, which is random at each step."""
    table = FIELDS["image"]
    for name, recipe in {
        "brightness": Recipe(build),
        "noisy": Recipe(build_noisy, stochastic=lambda **settings: True),
    }.items():
        monkeypatch.setitem(losses.TERMS, name, recipe)
        field = Field(0.0, f"weight of {name}", "number", "not negative")
        monkeypatch.setitem(table, f"loss.{name}_weight", field)


@pytest.fixture
def config(registered, tmp_path):
    generator = np.random.default_rng(0)
    for name in ("content", "style"):
        images.write(tmp_path / f"{name}.png", generator.random((20, 24, 3), np.float32))
    config = base()
    config.images.content, config.images.style = (str(tmp_path / f"{x}.png") for x in ("content", "style"))
    config.images.size = 24
    config.features.weights = "random"
    config.loss.content_layers = config.loss.style_layers = ("relu2_1",)
    config.loss.tv_weight = 0.0
    config.optimizer.steps, config.run.log_every, config.run.save_every = 6, 1, 1
    return config


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_it_is_computed_logged_plotted_and_reported(config, tmp_path):
    config.loss.content_weight = config.loss.style_weight = 0.0
    config.loss.brightness_weight = 3.0
    (folder,) = runs.run(config, tmp_path / "run")
    first, *_, last = lines(folder)
    mean = images.read(config.images.content).mean(dtype=np.float64)
    assert first["brightness"] == pytest.approx(3 * (mean - 0.25) ** 2, rel=1e-4)
    assert last["brightness"] == last["loss"] < first["loss"]
    assert set(last) == {"step", "evaluations", "seconds", "loss", "brightness"}
    assert (folder / "curve.png").stat().st_size > 0
    (trial,) = report.collect(folder)["trials"]
    assert trial["terms"]["brightness"] == pytest.approx(last["brightness"])
    assert "brightness" in trial["curve"]
    assert "--config.loss.brightness_weight=3.0" in trial["command"]
    assert "loss.brightness_weight=0.0" in help_text()


def test_its_weight_is_swept_on_shared_programs(config):
    trials = [{"loss.brightness_weight": weight} for weight in (0.0, 1.0, 2.0)]
    made = plan.make(config, trials)
    without, one, two = (plan.structure(made, trial, batched=True) for trial in made.trials)
    assert without != one == two


def test_a_resumed_random_term_has_the_same_bytes(config, tmp_path):
    config.optimizer.name = "adam"
    config.loss.noisy_weight = 1e4

    class StoppedError(Exception):
        pass

    def stop_at(step):
        @contextmanager
        def show(total):
            def check(snapshot):
                if snapshot.step > step:
                    raise StoppedError

            yield check

        return show

    (whole,) = runs.run(config, tmp_path / "whole")
    assert len({line["noisy"] for line in lines(whole)}) == 7  # another key at each step
    for step in (1, 2, 4):
        with pytest.raises(StoppedError):
            runs.run(config, tmp_path / str(step), show=stop_at(step))
        (folder,) = runs.run(config, tmp_path / str(step), resume=True)
        assert (folder / "image.png").read_bytes() == (whole / "image.png").read_bytes()
        assert [line["noisy"] for line in lines(folder)] == [line["noisy"] for line in lines(whole)]


def test_a_random_term_is_the_same_alone_and_batched(registered):
    generator = np.random.default_rng(0)
    content, style = generator.random((2, 16, 16, 3), np.float32)
    shared = {
        "extractor": features.load("shallow"),
        "scales": [Scale(16, 3), Scale(16, 2)],
        "optimizer": "adam",
    }
    settings = {"content_weight": 0.0, "style_weight": 0.0, "tv_weight": 1.0, "noisy_weight": 1e3}
    trials = [Trial(content, style, content, 0.02, settings, seed) for seed in (3, 4)]
    *_, snapshots = batched.stylizations(trials, **shared)
    for trial, snapshot in zip(trials, snapshots, strict=True):
        kwargs = {"loss_settings": settings, "learning_rate": 0.02, "seed": trial.seed}
        *_, alone = stylization(content, style, content, **kwargs, **shared)
        assert snapshot.step == alone.step == 5
        np.testing.assert_allclose(snapshot.image, alone.image, atol=1e-5)
    assert np.abs(snapshots[0].image - snapshots[1].image).max() > 1e-3  # another seed, other keys


def test_a_random_term_with_lbfgs_is_refused_before_anything_is_written(config, tmp_path):
    config.loss.noisy_weight = 1.0
    with pytest.raises(
        InputError, match=r"lbfgs_pyramid needs the same loss .* random \(terms: noisy\): take adam"
    ):
        runs.run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_library_accepts_its_weight(registered):
    image = np.random.default_rng(0).uniform(0.4, 0.6, (16, 16, 3)).astype(np.float32)
    settings = {"size": 16, "steps": 3, "extractor": features.load("shallow")}
    alone = {"content_weight": 0.0, "style_weight": 0.0, "tv_weight": 0.0, "brightness_weight": 1.0}
    assert nst.stylize(image, image, **settings, **alone).mean() < 0.5
    with pytest.raises(InputError, match="did you mean brightness_weight"):
        nst.stylize(image, image, **settings, brightnes_weight=1.0)


def test_a_random_term_goes_with_audio(registered, monkeypatch):
    monkeypatch.setitem(FIELDS["audio"], "loss.noisy_weight", FIELDS["image"]["loss.noisy_weight"])
    samples = np.sin(np.arange(4000, dtype=np.float32))[:, None]
    small = {"steps": 2, "filters": 4, "n_fft": 256, "phase_steps": 1}
    result = nst.stylize_audio(samples, samples, 4000, optimizer="adam", noisy_weight=1.0, **small)
    assert np.isfinite(result).all()
    with pytest.raises(InputError, match=r"random \(terms: noisy\): take adam"):
        nst.stylize_audio(samples, samples, 4000, noisy_weight=1.0, **small)
