import jax
import numpy as np
import pytest

import nst
from nst import features, images, losses, runs
from nst.errors import InputError
from nst.guided import guided
from nst.objective import loss
from nst.strength import calibrated
from nst.types import Style

SETTINGS = {
    "content_layers": ("relu2_1",),
    "style_layers": ("relu1_1", "relu2_1"),
    "content_weight": 0.5,
    "style_weight": 30.0,
    "tv_weight": 4.0,
}
GENERATOR = np.random.default_rng(0)
CONTENT, A, B = (GENERATOR.random((24, 32, 3), np.float32) for _ in range(3))
B = 0.2 * B


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random")


def norms(network, styles, strength, content_weight=0.5):
    """Return the norms of weighted gradients: of the style at the content, over b, and of the content at the style."""
    built = guided(network, CONTENT, styles, SETTINGS)
    settings = losses.checked(SETTINGS | {"content_weight": content_weight})
    target = calibrated(built, CONTENT, styles[0].image, strength, settings, False)
    balance = settings["style_loss"].balance

    def gradient(image, kind):
        def value(image):
            return sum(x for name, x in loss(image, target)[1].items() if name.startswith(kind))

        return float(np.linalg.norm(jax.jit(jax.grad(value))(image)))

    return gradient(CONTENT, "style") / balance, gradient(styles[0].image, "content")


@pytest.mark.parametrize(
    ("styles", "strength"), [([Style(A)], 0.2), ([Style(B)], 0.5), ([Style(A, 3.0), Style(B)], 0.9)]
)
def test_the_ratio_of_gradients_depends_on_the_strength_only(network, styles, strength):
    of_style, of_content = norms(network, styles, strength)
    np.testing.assert_allclose(of_style / of_content, (strength / (1 - strength)) ** 2, rtol=1e-4)


def test_the_style_does_not_follow_a_content_weight_that_falls_with_the_scales(network):
    (first, content), (second, same) = (norms(network, [Style(A)], 0.5, weight) for weight in (0.5, 1.0))
    np.testing.assert_allclose((second, same), (2 * first, content), rtol=1e-5)


def test_the_result_goes_from_the_content_to_the_style(network):
    content = images.fit(images.read("coffee"), 48)
    layers = {name: SETTINGS[name] for name in ("content_layers", "style_layers")}
    distances = []
    for strength in (0.0, 0.05, 0.5, 1.0):
        result = nst.stylize(
            "coffee",
            "strokes",
            size=48,
            steps=6,
            extractor=network,
            strength=strength,
            **layers,
        )
        distances.append(np.abs(result - np.clip(content, 0, 1)).mean())
    assert distances[0] < 1e-6
    assert distances[0] < distances[1] < 0.9 * min(distances[2:])


@pytest.mark.parametrize(
    ("strength", "settings", "message"),
    [
        (1.5, {}, "from 0"),
        (0.5, {"style_loss": "remd"}, "has no strength"),
        (0.5, {"content_weight": 0.0}, "both a weight"),
    ],
)
def test_strengths_that_are_refused(strength, settings, message, tmp_path):
    checked = losses.checked(SETTINGS | settings)
    losses.check_strength(checked, None)
    with pytest.raises(InputError, match=message):
        losses.check_strength(checked, strength)
    if settings.get("style_loss") != "remd":
        config = nst.config.base()
        config.images.strength = strength
        config.loss.update(settings)
        with pytest.raises(InputError, match=message):
            runs.run(config, tmp_path / "run")
        assert not (tmp_path / "run").exists()
