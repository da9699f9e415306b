"""Normalized weights: mean activations of 1, and the same function up to one factor per channel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import features
from nst.features import normalise, vgg
from nst.features.normalise import mean_activations, normalize_weights, photographs
from nst.features.weights import load

LAYERS = ("conv1_1", "relu1_2", "pool1", "relu2_1", "pool2", "relu3_1")


def rescaled(weights, pictures, by="filter", **settings):
    """Return the network with normalized weights, and the one with the original weights."""
    network = vgg.build(weights, **settings)
    return vgg.build(normalize_weights(weights, mean_activations(network, pictures), by), **settings), network


def pictures(number=2):
    generator = np.random.default_rng(0)
    return [jnp.asarray(generator.random((32, 48, 3), np.float32)) for _ in range(number)]


@pytest.mark.parametrize("pooling", sorted(vgg.POOLINGS))
def test_one_factor_per_channel(pooling):
    *images, other = pictures(3)
    new_network, network = rescaled(load("random"), images, pooling=pooling)
    old, new = (
        np.mean([n(x, ["relu3_1"])["relu3_1"].mean((0, 1)) for x in images], axis=0)
        for n in (network, new_network)
    )
    least = 0.1 * np.median(old)
    assert (old < least).any()  # random filters: some are faint
    # Means are rounded to four digits.
    np.testing.assert_allclose(new, old / np.maximum(old, least), rtol=2e-3, atol=1e-6)
    before, after = network(other, LAYERS), new_network(other, LAYERS)
    for layer in LAYERS:
        a = np.asarray(before[layer], np.float64).reshape(-1, before[layer].shape[-1])
        b = np.asarray(after[layer], np.float64).reshape(a.shape)
        factor = np.sum(a * b, 0) / np.maximum(np.sum(a * a, 0), 1e-30)
        assert (factor > 0).sum() > len(factor) / 4
        np.testing.assert_allclose(b, a * factor, rtol=0, atol=2e-4 * np.abs(b).max())


def test_one_factor_per_layer():
    *images, other = pictures(3)
    new_network, network = rescaled(load("random"), images, "layer")
    for layer in ("relu1_1", "relu3_1"):
        means = [float(new_network(x, [layer])[layer].mean()) for x in images]
        assert np.mean(means) == pytest.approx(1, rel=2e-3)
        a, b = (np.asarray(n(other, [layer])[layer], np.float64) for n in (network, new_network))
        np.testing.assert_allclose(b, a * np.sum(a * b) / np.sum(a * a), rtol=0, atol=1e-5 * b.max())


def test_one_factor_for_the_whole_network():
    *images, other = pictures(3)
    new_network, network = rescaled(load("random"), images, "network")
    rectified = [layer for layer in network.layers if layer.startswith("relu")]
    means = [float(np.mean([x.mean() for x in new_network(y, rectified).values()])) for y in images]
    assert np.mean(means) == pytest.approx(1, rel=2e-3)
    before, after = network(other, LAYERS), new_network(other, LAYERS)
    factor = float(after["relu1_2"].mean() / before["relu1_2"].mean())
    for layer in LAYERS:
        scale = float(np.abs(before[layer]).max())
        np.testing.assert_allclose(
            after[layer] / scale, factor * before[layer] / scale, rtol=0, atol=1e-5 * factor
        )


def test_vgg16_is_rescaled_to_its_last_layer():
    image = jnp.asarray(np.random.default_rng(0).random((48, 48, 3), np.float32))
    new_network, network = rescaled(load("random", network="vgg16"), [image])
    layers = ("relu1_1", "relu3_3", "relu5_3")
    before, after = network(image, layers), new_network(image, layers)
    for layer in layers:
        old, new = before[layer].mean((0, 1)), after[layer].mean((0, 1))
        np.testing.assert_allclose(new, old / np.maximum(old, 0.1 * np.median(old)), rtol=5e-3, atol=1e-5)


def test_the_photographs_are_of_one_size():
    assert len(photographs()) == 12
    assert {picture.shape for picture in photographs()} == {(168, 224, 3)}


def test_a_layer_that_is_silent_stays_finite():
    weights = load("random")
    silent = {**weights.parameters, "conv1_1": jax.tree.map(np.zeros_like, weights.parameters["conv1_1"])}
    for by in ("filter", "layer", "network"):
        weights = weights._replace(parameters=silent)
        result = normalize_weights(weights, mean_activations(vgg.build(weights), [jnp.ones((32, 32, 3))]), by)
        assert all(np.isfinite(x).all() for x in jax.tree.leaves(result.parameters))


def test_means_are_computed_once_for_a_network_and_again_if_the_file_is_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path))
    computed, compute = [], normalise.mean_activations
    monkeypatch.setattr(normalise, "photographs", lambda: pictures(1))
    monkeypatch.setattr(
        normalise, "mean_activations", lambda *arguments: computed.append(1) or compute(*arguments)
    )

    def kernel(**options):
        return np.asarray(features.load(weights="random", **options).conv3_1.kernel[...])

    first = kernel()
    np.testing.assert_array_equal(kernel(convolution="direct", precision="bfloat16"), first)
    assert len(computed) == 1
    assert not np.array_equal(kernel(pooling="max"), first)
    assert not np.array_equal(kernel(seed=1), first)
    assert len(computed) == 3
    for path in (tmp_path / "activations").glob("*.npz"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    np.testing.assert_array_equal(kernel(), first)
    assert len(computed) == 4
