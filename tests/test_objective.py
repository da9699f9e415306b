"""The objective against NumPy in float64, its gradient against finite differences; compilations and batches."""

import importlib

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from nst import batched, features, losses
from nst.errors import InputError
from nst.features.vgg import POOLINGS

# `from nst import objective` in this file would hide the function of that name.
module = importlib.import_module("nst.objective")

LAYERS = ("relu1_1", "relu2_1")
SETTINGS = {
    "content_layers": ("relu2_1",),
    "style_layers": LAYERS,
    "style_layer_weights": {"relu1_1": 0.2, "relu2_1": 0.7},
    "content_weight": 0.5,
    "style_weight": 30.0,
    "tv_weight": 4.0,
    "reduction": "sum",
    "variation": "squared",
}
GENERATOR = np.random.default_rng(0)


@pytest.fixture(scope="module", params=sorted(POOLINGS))
def pooled(request):
    return features.load(weights="random", pooling=request.param)


@pytest.fixture(scope="module")
def extractor():
    return features.load(weights="random")


def random_image(height=20, width=24):
    return GENERATOR.random((height, width, 3), np.float32)


CONTENT, STYLE, IMAGE = random_image(), random_image(17, 29), random_image()


def build(extractor, content=CONTENT, style=STYLE, **changed):
    inputs = {"content": jnp.asarray(content), "style": jnp.asarray(style)}
    return module.objective(extractor, inputs, SETTINGS | changed)


@jax.jit
def evaluated(image, objective):
    return jax.value_and_grad(module.loss, has_aux=True)(image, objective)


@jax.jit
def features_of(extractor, image):
    return extractor(image, LAYERS)


def terms64(extractor, image, content, style):
    """Return the value of each term in float64: equations 1 to 7 and the total variation."""
    F, P, A = (
        {layer: np.asarray(x, np.float64) for layer, x in features_of(extractor, each).items()}
        for each in (image, content, style)
    )

    def distance(layer):
        f, a = (x[layer].reshape(-1, x[layer].shape[2]) for x in (F, A))
        difference = f.T @ f / len(f) - a.T @ a / len(a)
        return np.sum(difference**2) / (4 * f.shape[1] ** 2)

    x = np.asarray(image, np.float64)
    return {
        "content": 0.5 * 0.5 * np.sum((F["relu2_1"] - P["relu2_1"]) ** 2),
        "style": 30.0 * (0.2 * distance("relu1_1") + 0.7 * distance("relu2_1")),
        "tv": 4.0 * (np.sum((x[1:] - x[:-1]) ** 2) + np.sum((x[:, 1:] - x[:, :-1]) ** 2)),
    }


def test_every_term_and_the_total(pooled):
    expected = terms64(pooled, IMAGE, CONTENT, STYLE)
    (total, terms), _ = evaluated(IMAGE, build(pooled))
    assert set(terms) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(terms[name], value, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(total, sum(expected.values()), rtol=1e-5)


def test_the_gradient_is_that_of_the_oracle(pooled):
    _, gradient = evaluated(IMAGE, build(pooled))
    one_pixel = np.zeros_like(IMAGE)
    one_pixel[0, 23, 1] = 1  # in a corner, where padding counts
    step = 1e-6
    with jax.enable_x64(True):
        exact = jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), pooled)
        for direction in (one_pixel, *GENERATOR.standard_normal((2, *IMAGE.shape))):
            ends = [
                sum(terms64(exact, np.float64(IMAGE) + sign * step * direction, CONTENT, STYLE).values())
                for sign in (1, -1)
            ]
            slope = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(np.vdot(gradient, direction), slope, rtol=1e-4)


def test_numbers_and_images_do_not_recompile(extractor):
    traced = []

    @jax.jit
    def counted(image, objective):
        traced.append(objective)
        return module.loss(image, objective)[0]

    values = [float(counted(IMAGE, build(extractor)))]
    for changed in (
        {"content_weight": 2.0},
        {"style_weight": 1e-3},
        {"tv_weight": 2.0},
        {"style_layer_weights": {"relu1_1": 1.0, "relu2_1": 0.0}},
        {"style_layer_weights": None},
        {"content": random_image()},
        {"style": random_image(40, 11)},
        {"extractor": features.load(weights="random", seed=1)},
    ):
        values.append(float(counted(IMAGE, build(**({"extractor": extractor} | changed)))))
    assert len(traced) == 1
    assert len(set(values)) == len(values)  # each change has an effect
    counted(IMAGE, build(extractor, content_layers=("relu1_1",)))
    assert len(traced) == 2


def test_a_batch_of_objectives_is_one_after_another(extractor):
    objectives = [
        build(
            extractor,
            random_image(),
            random_image(),
            content_weight=alpha,
            style_weight=beta,
            tv_weight=gamma,
        )
        for alpha, beta, gamma in ((1.0, 10.0, 0.5), (0.2, 3.0, 5.0), (0.1, 0.3, 1.0))
    ]
    images = [random_image() for _ in objectives]
    disabled = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)  # stacked objectives have one axis more than annotated
    try:
        stacked = batched._stacked(objectives)
        together = jax.jit(batched.joint_loss)(jnp.stack(images), stacked)
    finally:
        jaxtyping.config.update("jaxtyping_disable", disabled)
    for i, (image, each) in enumerate(zip(images, objectives, strict=True)):
        alone, _ = evaluated(image, each)
        jax.tree.map(lambda a, b, i=i: np.testing.assert_allclose(b[i], a, rtol=1e-5), alone, together)


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"style_layers": (), "style_layer_weights": None}, {"content", "tv"}),
        ({"content_layers": ()}, {"style", "tv"}),
    ],
)
def test_a_term_without_layers_is_zero(extractor, settings, left):
    expected = terms64(extractor, IMAGE, CONTENT, STYLE)
    (_, terms), gradient = evaluated(IMAGE, build(extractor, **settings))
    for name, value in terms.items():
        np.testing.assert_allclose(value, expected[name] if name in left else 0, rtol=1e-5)
    assert np.isfinite(gradient).all()


GRAY = np.full((17, 29, 3), 0.5, np.float32)
FLAT = {
    "gray": GRAY,
    "black": np.zeros_like(GRAY),
    "white": np.ones_like(GRAY),
    "one color": np.broadcast_to(np.float32([0.9, 0.2, 0.1]), GRAY.shape),
    "without color": np.repeat(STYLE[..., :1], 3, axis=2),
}


@pytest.mark.parametrize("style", FLAT)
def test_a_flat_style_has_a_finite_loss_and_gradient(pooled, style):
    for content in (CONTENT, np.full_like(CONTENT, 0.5)):
        (total, _), gradient = evaluated(content, build(pooled, content, FLAT[style]))
        assert np.isfinite(total)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["noise", "gray", "black"])
def test_a_style_that_is_the_content_is_a_minimum(pooled, name):
    content = {"noise": CONTENT, "gray": np.full_like(CONTENT, 0.5), "black": np.zeros_like(CONTENT)}[name]
    objective = build(pooled, content, content, tv_weight=0.0)
    (total, _), gradient = evaluated(content, objective)
    (elsewhere, _), slope = evaluated(IMAGE, objective)
    assert total < 1e-9 * elsewhere
    assert np.abs(gradient).max() < 1e-4 * np.abs(slope).max()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"style_loss": "grm"}, "unknown style loss 'grm': did you mean gram"),
        ({"content_layers": ("relu4_22",)}, "unknown layer 'relu4_22': did you mean relu4_2"),
        ({"style_layers": ("relu0_1",), "style_layer_weights": None}, "unknown layer 'relu0_1'"),
        ({"style_layer_weights": {"relu1_1": 1.0}}, r"names \['relu1_1'\]: name the style layers"),
        ({"style_layer_weights": dict.fromkeys((*LAYERS, "relu3_1"), 1.0)}, "name the style layers"),
        ({"style": random_image(9, 1)}, "1×9 pixels is too small for relu2_1: .* at least 2 pixels"),
    ],
)
def test_unusable_settings_are_refused_in_one_line(extractor, changed, message):
    with pytest.raises(InputError, match=message) as caught:
        build(extractor, **changed)
    assert "\n" not in str(caught.value)


def test_each_term_has_a_random_key_of_its_own(extractor):
    """The key differs at each step and does not depend on the other terms."""

    def drawn(view, local):
        return jax.random.normal(view.key)

    def value(statistics, target):
        return statistics

    term = losses.Term(drawn, value)

    def terms(names, step):
        objective = module.Objective(extractor, dict.fromkeys(names, term))
        return module.loss(jnp.asarray(IMAGE), objective, jax.random.fold_in(jax.random.key(0), step))[1]

    both, later, alone = terms(("a", "b"), 1), terms(("a", "b"), 2), terms(("b",), 1)
    assert len({float(x) for x in (*both.values(), *later.values())}) == 4
    assert both["b"] == alone["b"]
