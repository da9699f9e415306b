"""Winograd's convolution against SciPy in float64 and against the direct one; its gradient; `freeze`."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from nst.errors import InputError
from nst.features import convolution, vgg
from nst.features.weights import BLOCKS, load
from nst.features.weights.network import layer_names

LAYERS = layer_names(BLOCKS["vgg19"])


def difference(actual, expected):
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize("size", [(1, 1), (3, 9), (4, 8), (13, 6)])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_it_is_scipys_correlation(size, padding):
    height, width = (n + 2 - 2 * min(padding, 1) for n in size)
    x, kernel = random(height, width, 5), random(3, 3, 5, 7, seed=1)
    padded = np.pad(x, ((padding, padding), (padding, padding), (0, 0))).astype(np.float64)
    expected = np.stack(
        [
            sum(
                scipy.signal.correlate2d(padded[..., c], kernel[..., c, n].astype(np.float64), "valid")
                for c in range(5)
            )
            for n in range(7)
        ],
        axis=-1,
    )
    filters = convolution.transform(jnp.asarray(kernel))
    assert difference(convolution.winograd(jnp.asarray(x), filters, padding), expected) < 3e-6
    assert difference(convolution.direct(jnp.asarray(x), jnp.asarray(kernel), padding), expected) < 1e-6


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_its_gradient_is_the_adjoint(padding):
    x, kernel = jnp.asarray(random(11, 7, 6)), jnp.asarray(random(3, 3, 6, 4, seed=1))
    filters = convolution.transform(kernel)
    y, pull = jax.vjp(lambda x: convolution.winograd(x, filters, padding), x)
    g = jnp.asarray(random(*y.shape, seed=2))
    _, direct = jax.vjp(lambda x: convolution.direct(x, kernel, padding), x)
    assert difference(pull(g)[0], direct(g)[0]) < 3e-6


def test_forward_and_backward_share_traces():
    """This saves a fourth of the time to trace and lower a loss and its gradient."""
    x, filters = jnp.asarray(random(8, 8, 4)), convolution.transform(jnp.asarray(random(3, 3, 4, 4)))
    energy = jax.value_and_grad(lambda x: jnp.sum(convolution.winograd(x, filters, 1) ** 2))
    functions = re.findall(r"func.func private @(_\w+?)(?:_\d+)?\(", jax.jit(energy).lower(x).as_text())
    assert [functions.count(name) for name in ("_pad", "_rows", "_columns", "_across", "_down")] == [1] * 5


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("height", [5, 9, 33, 34, 35, 36])
def test_strips_are_the_whole(monkeypatch, height, padding):
    x = jnp.asarray(random(height, 10, 6))
    filters = convolution.transform(jnp.asarray(random(3, 3, 6, 4, seed=1)))
    whole, pull = jax.vjp(lambda x: convolution.winograd(x, filters, padding), x)
    monkeypatch.setattr(convolution, "_STRIP", 1)
    strips, pull_strips = jax.vjp(lambda x: convolution.winograd(x, filters, padding), x)
    assert difference(strips, whole) < 1e-6
    assert difference(pull_strips(whole)[0], pull(whole)[0]) < 1e-6


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="XLA's order on a CPU")
def test_strips_take_less_memory_than_the_whole(monkeypatch):
    filters = convolution.transform(jnp.asarray(random(3, 3, 16, 16)))

    def temporaries():
        function = jax.jit(lambda x: convolution.winograd(x, filters, 1))
        return function.lower(jnp.zeros((128, 128, 16))).compile().memory_analysis().temp_size_in_bytes

    whole = temporaries()
    monkeypatch.setattr(convolution, "_STRIP", 1)
    assert temporaries() < 0.6 * whole


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="it avoids a fusion of XLA on CPUs")
def test_the_transforms_stay_apart_when_compiled():
    # Padding, rows and columns are a call each. Speed depends on this, and XLA is free to ignore the attribute for it.
    filters = convolution.transform(jnp.asarray(random(3, 3, 8, 8)))
    function = jax.jit(lambda x: convolution.winograd(x, filters, 1))
    assert function.lower(jnp.zeros((16, 16, 8))).compile().as_text().count(" call(") >= 3


@pytest.mark.parametrize("convolve", [convolution.direct, convolution.winograd])
def test_bfloat16_rounds_the_factors(convolve):
    x, kernel = jnp.asarray(np.abs(random(20, 24, 64))), jnp.asarray(random(3, 3, 64, 32, seed=1))
    filters = convolution.transform(kernel) if convolve is convolution.winograd else kernel
    exact, pull = jax.vjp(lambda x: convolve(x, filters, 1), x)
    rounded, pull_rounded = jax.vjp(lambda x: convolve(x, filters.astype(jnp.bfloat16), 1), x)
    g = jnp.asarray(random(*exact.shape, seed=2))
    assert rounded.dtype == pull_rounded(g)[0].dtype == jnp.float32
    # Two factors are rounded to 8 bits, 2⁻⁹ / √3 on average; Winograd multiplies that by up to five.
    for a, b in ((rounded, exact), (pull_rounded(g)[0], pull(g)[0])):
        assert 1e-3 < difference(a, b) < 1.5e-2


@pytest.fixture(scope="module")
def weights():
    return load("vgg19")


@pytest.mark.slow
@pytest.mark.parametrize("padding", sorted(vgg.PADDINGS))
@pytest.mark.parametrize("size", [(33, 50), (64, 37)])
def test_every_layer_agrees_with_the_direct_one(weights, padding, size):
    image = jnp.asarray(np.random.default_rng(0).random((*size, 3), np.float32))
    networks = [
        vgg.build(weights, padding=padding, convolution=name).freeze(LAYERS)
        for name in ("direct", "winograd")
    ]
    direct, fast = (jax.jit(lambda network, x: network(x, LAYERS))(network, image) for network in networks)
    for layer in LAYERS:
        assert difference(fast[layer], direct[layer]) < 1e-5, layer


def test_under_vmap(weights):
    network = vgg.build(weights, convolution="winograd").freeze(["relu2_2"])
    pictures = jnp.asarray(np.random.default_rng(0).random((2, 18, 21, 3), np.float32))

    evaluate = jax.value_and_grad(lambda x: jnp.sum(jnp.square(network(x, ["relu2_2"])["relu2_2"])))
    together = jax.jit(jax.vmap(evaluate))(pictures)
    for i, picture in enumerate(pictures):
        value, gradient = jax.jit(evaluate)(picture)
        assert difference(together[0][i], value) < 1e-6
        assert difference(together[1][i], gradient) < 1e-5


def test_freeze_transforms_what_is_needed_once(weights):
    network = vgg.build(weights, convolution="winograd").freeze(["relu3_1"])
    convolutions = {name: getattr(network, name) for name in LAYERS if name.startswith("conv")}
    layers = [name for name, convolution in convolutions.items() if convolution is not None]
    assert layers == ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]
    for name in layers:
        kernel = weights.parameters[name]["kernel"]
        assert difference(convolutions[name].frozen[...], convolution.transform(kernel)) < 1e-6
    assert network.freeze(["relu3_1"]).conv3_1.frozen[...] is network.conv3_1.frozen[...]
    assert vgg.build(weights, convolution="direct").freeze(LAYERS).conv4_2.frozen is None


@pytest.mark.parametrize("convolution", ["winograd", "direct"])
def test_a_network_frozen_for_shallow_layers_has_no_deeper_ones(weights, convolution):
    network = vgg.build(weights, convolution=convolution).freeze(["relu2_1"])
    assert network.conv2_2 is None
    picture = np.zeros((8, 8, 3), np.float32)
    network(picture, ["relu2_1"])
    for use in (lambda: network(picture, ["conv2_2"]), lambda: network.freeze(["conv2_2"])):
        with pytest.raises(InputError, match="frozen for shallower layers than conv2_2"):
            use()


def test_freeze_rounds_what_is_wide_once_and_keeps_its_filters(weights):
    network = vgg.build(weights, convolution="winograd", precision="bfloat16").freeze(["relu3_1"])
    layers = [name for name in ("conv2_1", "conv2_2", "conv3_1") if getattr(network, name).kernel is not None]
    # On a CPU rounding is not faster for narrow layers.
    narrow = [] if jax.default_backend() == "cpu" else ["conv2_1"]
    assert layers == [*narrow, "conv2_2", "conv3_1"]
    assert {getattr(network, name).rounded.dtype for name in layers} == {jnp.dtype("bfloat16")}
    assert network.conv3_1.rounded.shape == (36, 128, 256)
    assert network.conv3_1.frozen is None
    again = network.freeze(["relu3_1"])
    assert again.conv3_1.rounded[...] is network.conv3_1.rounded[...]


def test_auto_uses_winograd_where_it_is_faster(weights, monkeypatch):
    frozen = vgg.build(weights).freeze(["relu3_1"])
    on_a_cpu = jax.default_backend() == "cpu"
    assert (frozen.conv3_1.frozen is not None) == on_a_cpu
    assert frozen.conv1_1.frozen is None
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert vgg.build(weights).freeze(["relu3_1"]).conv3_1.frozen is None


def test_winograd_needs_no_freezing(weights):
    network = vgg.build(weights, convolution="winograd")
    image = jnp.asarray(np.random.default_rng(0).random((8, 8, 3), np.float32))
    program = str(jax.make_jaxpr(lambda x: network(x, ["conv1_2"]))(image))
    assert "conv_general_dilated" not in program
