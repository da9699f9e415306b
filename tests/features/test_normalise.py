"""Normalised weights: mean activations of 1, and the same function up to one factor per channel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nst.features import vgg
from nst.features.normalise import normalised, photographs
from nst.features.weights import load

LAYERS = ("conv1_1", "relu1_2", "pool1", "relu2_1", "pool2", "relu3_1")


@pytest.mark.parametrize("pooling", sorted(vgg.POOLINGS))
def test_one_factor_per_channel(pooling):
    generator = np.random.default_rng(0)
    pictures = [jnp.asarray(generator.random((32, 48, 3), np.float32)) for _ in range(2)]
    network = vgg.build(load("random"), pooling=pooling)
    rescaled = normalised(network, pictures)
    old, new = (
        np.mean([n(x, ["relu3_1"])["relu3_1"].mean((0, 1)) for x in pictures], axis=0)
        for n in (network, rescaled)
    )
    least = 0.1 * np.median(old)
    assert (old < least).any()  # random filters: some are faint
    np.testing.assert_allclose(new, old / np.maximum(old, least), rtol=1e-4, atol=1e-6)
    other = jnp.asarray(generator.random((32, 48, 3), np.float32))
    before, after = network(other, LAYERS), rescaled(other, LAYERS)
    for layer in LAYERS:
        a = np.asarray(before[layer], np.float64).reshape(-1, before[layer].shape[-1])
        b = np.asarray(after[layer], np.float64).reshape(a.shape)
        factor = np.sum(a * b, 0) / np.maximum(np.sum(a * a, 0), 1e-30)
        assert (factor > 0).sum() > len(factor) / 4
        np.testing.assert_allclose(b, a * factor, rtol=0, atol=2e-4 * np.abs(b).max())


def test_vgg16_is_rescaled_to_its_last_layer():
    image = jnp.asarray(np.random.default_rng(0).random((48, 48, 3), np.float32))
    network = vgg.build(load("random", network="vgg16"))
    rescaled = normalised(network, [image])
    layers = ("relu1_1", "relu3_3", "relu5_3")
    before, after = network(image, layers), rescaled(image, layers)
    for layer in layers:
        old, new = before[layer].mean((0, 1)), after[layer].mean((0, 1))
        np.testing.assert_allclose(new, old / np.maximum(old, 0.1 * np.median(old)), rtol=1e-3, atol=1e-5)


def test_the_photographs_are_of_one_size():
    pictures = photographs()
    assert len(pictures) == 12
    assert {picture.shape for picture in pictures} == {(168, 224, 3)}


def test_a_layer_that_is_silent_stays_finite():
    weights = load("random")
    parameters = {**weights.parameters, "conv1_1": jax.tree.map(np.zeros_like, weights.parameters["conv1_1"])}
    network = normalised(vgg.build(weights._replace(parameters=parameters)), [jnp.ones((32, 32, 3))])
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(nnx.to_pure_dict(nnx.state(network))))
