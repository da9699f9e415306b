"""Masks of layers against the gradients of features, which show what each position sees."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import features, masks
from nst.errors import InputError

LAYERS = ("relu2_1", "relu3_1")
MASK = np.zeros((90, 100), np.float32)
MASK[:, 55:] = 1
MASK[10:50, 70:80] = 0


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random")


def seen(network, layer, row, column):
    """Return which pixels change the features of a layer at a position."""

    def total(image):
        return jnp.sum(network(image, (layer,))[layer][row, column] ** 2)

    image = np.random.default_rng(0).random((*MASK.shape, 3), np.float32)
    return np.abs(jax.grad(total)(image)).sum(-1) > 0


@pytest.mark.parametrize("layer", LAYERS)
def test_positions_inside_see_the_region_only_and_all_others_see_something_else(network, layer):
    by_guidance = {g: masks.to_layers(MASK, network, (layer,), g)[layer] for g in ("inside", "all")}
    rows, columns = by_guidance["all"].shape
    assert (rows, columns) == network.shapes(MASK.shape, (layer,))[layer][:2]
    border = [(rows // 4, column) for column in range(0, columns, max(1, columns // 8))] + [
        (rows - 1, columns - 1)
    ]
    values = set()
    for place in border:
        view = seen(network, layer, *place)
        # The receptive field is a rectangle; the gradient may vanish in a part of it.
        assert by_guidance["inside"][place] <= (not (view & (MASK == 0)).any())
        assert by_guidance["all"][place] >= (view & (MASK == 1)).any()
        values.add((float(by_guidance["inside"][place]), float(by_guidance["all"][place])))
    assert len(values) > 1
    assert (by_guidance["inside"] <= by_guidance["all"]).all()


def test_inside_is_the_rectangle_that_a_position_sees(network):
    pixels = np.random.default_rng(1).random((40, 44)).astype(np.float32)
    for layer in ("relu1_1", "relu2_1", "relu3_1"):
        stride, halo = network.stride(layer), network.halo([layer])
        inside = masks.to_layers(pixels, network, (layer,), "inside")[layer]
        outside = masks.to_layers(pixels, network, (layer,), "all")[layer]
        for i, j in np.ndindex(inside.shape):
            top, left = max(0, i * stride - halo), max(0, j * stride - halo)
            window = pixels[top : (i + 1) * stride + halo, left : (j + 1) * stride + halo]
            assert (inside[i, j], outside[i, j]) == (window.min(), window.max())


def test_simple_is_the_mean_over_the_pixels_of_a_position(network):
    pixels = np.random.default_rng(1).random((40, 44)).astype(np.float32)
    simple = masks.to_layers(pixels, network, ("relu1_1", "relu3_1"))
    np.testing.assert_array_equal(simple["relu1_1"], pixels)
    np.testing.assert_allclose(simple["relu3_1"][2, 3], pixels[8:12, 12:16].mean(), rtol=1e-6)


def test_an_unknown_guidance_is_refused(network):
    with pytest.raises(InputError, match="simple"):
        masks.to_layers(MASK, network, ("relu1_1",), "insied")
