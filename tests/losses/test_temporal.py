"""The temporal loss against NumPy in float64, and its gradient where nothing is visible."""

import jax
import numpy as np

from nst import losses
from nst.losses import Input, View


def example(seed=0):
    generator = np.random.default_rng(seed)
    earlier = generator.random((2, 5, 7, 3)).astype(np.float32)
    weights = generator.random((2, 5, 7)).astype(np.float32)
    weights[:, 2:4] = 0
    return generator.random((5, 7, 3)).astype(np.float32), earlier, weights


def value(image, earlier, weights, **settings):
    recipe = losses.TERMS["temporal"]
    term = recipe.build({"earlier": Input(None, earlier, {"image": weights})}, **settings)
    return term.value(term.statistics(View(image, {}), term.local), term.target)


def test_against_equation_7():
    image, earlier, weights = example()
    wide = [x.astype(np.float64) for x in (image, earlier, weights)]
    total = sum((c[..., None] * (wide[0] - w) ** 2).sum() for w, c in zip(*wide[1:], strict=True))
    np.testing.assert_allclose(value(image, earlier, weights), total / image.size, rtol=1e-6)
    np.testing.assert_allclose(value(image, earlier, weights, reduction="sum"), total, rtol=1e-6)


def test_no_position_visible_has_no_value_and_no_gradient():
    image, earlier, weights = example()
    gradient = jax.grad(value)(image, earlier, weights)
    assert not gradient[2:4].any()
    assert gradient[:2].all()
    assert value(image, earlier, 0 * weights) == 0


def test_parts_add_up():
    image, earlier, weights = example()
    term = losses.TERMS["temporal"].build({"earlier": Input(None, earlier, {"image": weights})})
    halves = [np.float32(np.arange(5) < 3)[:, None] * np.ones((5, 7), np.float32)]
    halves.append(1 - halves[0])
    whole, *parts = (
        term.statistics(View(image, {}, None if mask is None else {"image": mask}), term.local)["image"]
        for mask in (None, *halves)
    )
    np.testing.assert_allclose(np.sum(parts, axis=0), whole, rtol=1e-6)
