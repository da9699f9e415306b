"""Normalised weights: mean activations of 1, and the same function up to one factor per channel."""

import jax.numpy as jnp
import numpy as np
import pytest

from nst.features import vgg
from nst.features.normalise import normalised
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
    # What a filter that is nearly silent lets through is rounding.
    np.testing.assert_allclose(new[old > 1e-2 * old.mean()], 1, rtol=1e-4)
    other = jnp.asarray(generator.random((32, 48, 3), np.float32))
    before, after = network(other, LAYERS), rescaled(other, LAYERS)
    for layer in LAYERS:
        a = np.asarray(before[layer], np.float64).reshape(-1, before[layer].shape[-1])
        b = np.asarray(after[layer], np.float64).reshape(a.shape)
        factor = np.sum(a * b, 0) / np.maximum(np.sum(a * a, 0), 1e-30)
        assert (factor > 0).sum() > len(factor) / 4
        np.testing.assert_allclose(b, a * factor, rtol=0, atol=2e-4 * np.abs(b).max())
