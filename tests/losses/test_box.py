"""Boxes of masks: they have all that counts, and no style loss or gradient differs from that of the whole layer."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst.losses import STYLE_LOSSES, Input, View
from nst.losses.box import bounding_box, crop
from nst.losses.style import by_layers

HEIGHT, WIDTH = 33, 20
GENERATOR = np.random.default_rng(0)
IMAGE, STYLE = GENERATOR.random((HEIGHT, WIDTH, 3), np.float32), GENERATOR.random((9, 11, 3), np.float32)
FORMS = {name: loss.form for name, loss in STYLE_LOSSES.items() if loss.form is not None}
PLACES = {
    "inside": np.s_[4:15, 7:12],
    "corner": np.s_[:3, 15:],
    "one": np.s_[20:21, 19:],
    "edges": np.s_[::32, ::19],
    "whole": np.s_[:, :],
    "none": np.s_[:0, :0],
}


@jax.tree_util.register_static
@dataclass(frozen=True)
class Powers:
    """An extractor of twelve features at each pixel."""

    def __call__(self, x, layers, reference=None):
        return {layer: jnp.concatenate([x, x**2, jnp.sin(5 * x), jnp.sqrt(x)], -1) for layer in layers}

    def reference(self, x, layers):
        return {}

    def freeze(self, layers):
        return self


def weights(place):
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[PLACES[place]] = 0.1 + GENERATOR.random(mask[PLACES[place]].shape, np.float32)
    return mask


@pytest.mark.parametrize("least", [1, 3])
@pytest.mark.parametrize("place", PLACES)
def test_a_box_has_all_weights_and_their_windows(place, least):
    mask = weights(place)
    box = bounding_box(mask, least)
    (top, left), (height, width) = box.start, box.mask.shape
    back = np.zeros_like(mask)
    back[top : top + height, left : left + width] = box.mask
    np.testing.assert_array_equal(back, mask)
    np.testing.assert_array_equal(crop(IMAGE, box), IMAGE[top : top + height, left : left + width])
    assert (height % 3 == 0 and width % 2 == 0 and min(height, width) >= least) or place in ("edges", "whole")
    for y, x in np.argwhere(mask):
        for at, start, length, total in ((y, top, height, HEIGHT), (x, left, width, WIDTH)):
            assert start <= max(0, at - least // 2)
            assert min(total, at + least // 2 + 1) <= start + length


def test_the_box_of_a_small_region_is_small():
    assert bounding_box(weights("inside")).mask.shape == (12, 6)


@jax.jit
@jax.value_and_grad
def value_and_gradient(image, term, part):
    view = View(image, Powers()(image, ("power",)), {"power": part})
    return term.value(term.statistics(view, term.local), term.target)


@pytest.mark.parametrize("place", ["inside", "corner"])
@pytest.mark.parametrize("family", FORMS)
def test_cropping_changes_no_loss_and_no_gradient(family, place):
    inputs = {"content": Input(Powers(), IMAGE, {"power": weights(place)}), "style": Input(Powers(), STYLE)}
    (one, gradient), (other, expected) = (
        value_and_gradient(
            IMAGE,
            by_layers(inputs, form=FORMS[family], style_layers=["power"], cropped=cropped),
            np.float32(IMAGE[..., 0] > 0.3),  # a part of an image that is evaluated in parts
        )
        for cropped in (True, False)
    )
    assert other > 0
    np.testing.assert_allclose(one, other, rtol=2e-5)
    np.testing.assert_allclose(gradient, expected, atol=2e-5 * np.abs(expected).max())


def test_few_positions_in_a_region_take_the_dual_form():
    form = FORMS["wasserstein"]
    layers, style = ["power"], Input(Powers(), STYLE)
    for place, additive in (("one", False), ("inside", True)):
        content = Input(Powers(), IMAGE, {"power": weights(place)})
        term = by_layers({"content": content, "style": style}, form=form, style_layers=layers)
        assert term.additive == additive
