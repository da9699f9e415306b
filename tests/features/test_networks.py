"""Every registered network follows the protocol of an extractor; options of `load`."""

import inspect
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import features
from nst.errors import InputError
from nst.features import networks
from nst.types import Network

# For each network, layers of every kind, and the deepest of its style loss.
LOOK = {
    "vgg19": ("conv1_1", "relu1_2", "pool1", "conv2_2", "pool3", "relu5_1"),
    "vgg16": ("conv1_1", "relu1_2", "pool1", "conv2_2", "pool3", "relu5_1"),
    "shallow": ("conv3", "relu7", "relu11", "relu55"),
}
DRAWN = {"vgg19": {"weights": "random"}, "vgg16": {"weights": "random"}}


def load(name, **options):
    return features.load(name, **DRAWN.get(name, {}), convolution="auto", **options)


@pytest.fixture(scope="module", params=features.NETWORKS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def extractor(name):
    return load(name)


def shapes(extractor, size, layers):
    image = jax.ShapeDtypeStruct((*size, 3), jnp.float32)
    return {layer: x.shape for layer, x in jax.eval_shape(lambda x: extractor(x, layers), image).items()}


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def test_it_is_an_extractor(extractor):
    assert isinstance(extractor, Network)
    for method in ("__call__", "reference", "freeze", "check", "shapes", "least_size", "stride", "halo"):
        expected, actual = (
            inspect.signature(getattr(c, method)).parameters for c in (Network, type(extractor))
        )
        assert list(expected) == list(actual), method
        assert [p.default for p in expected.values()] == [p.default for p in actual.values()], method


def test_the_registry_says_what_the_extractor_is(name, extractor):
    network = features.NETWORKS[name]
    for field in ("layers", "content_layers", "style_layers"):
        assert getattr(network, field) == getattr(extractor, field)
    assert {*network.content_layers, *network.style_layers} <= {*network.layers}
    assert len(set(network.layers)) == len(network.layers)
    assert network.default_weights == features.weights.DEFAULTS.get(name)
    weights = network.layer_weights(network.style_layers)
    assert sum(weights) == pytest.approx(1, abs=5e-3)


def test_it_is_a_pytree_of_its_weights(extractor):
    image, layers = np.random.default_rng(0).random((33, 35, 3), np.float32), extractor.layers[:4]
    compiled = jax.jit(lambda network, x: network(x, layers))(extractor, image)
    assert {*compiled} == {*layers}
    for layer, value in extractor(image, layers).items():
        np.testing.assert_allclose(compiled[layer], value, rtol=1e-4, atol=1e-3)
        assert value.dtype == jnp.float32
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(extractor))


@pytest.mark.parametrize("size", [(67, 93), (64, 33)])
def test_shapes_are_those_of_the_features(extractor, size):
    assert extractor.shapes(size, extractor.layers) == shapes(extractor, size, extractor.layers)
    assert extractor.shapes(size, []) == {}


@pytest.mark.parametrize("padding", sorted(features.common.PADDINGS))
def test_the_least_size_is_the_least_that_works(name, padding):
    extractor = load(name, padding=padding)
    for layer in extractor.layers:
        least = extractor.least_size([layer])
        for size in ((least, 99), (99, least)):
            extractor.check(size, [layer])
            assert min(shapes(extractor, size, [layer])[layer]) >= 1
        message = f"too small for {layer}: .*at least {least} pixels"
        with pytest.raises(InputError, match=message):
            extractor.check((least - 1, 99), [layer])
        with pytest.raises(InputError, match=message):
            extractor(jnp.zeros((99, least - 1, 3)), [layer])
        # A smaller image has no position, or too few pixels to reflect.
        empty = 0 in extractor.shapes((least - 1, 99), [layer])[layer]
        assert empty or padding == "reflect"
    assert extractor.least_size(extractor.layers) == max(map(extractor.least_size, zip(extractor.layers)))


@jax.jit(static_argnames=("layer", "position"))
def gradient(extractor, x, layer, position):
    """Return the gradient of the sum of all filters at a position, each times its number."""

    def value(x):
        y = extractor(x, (layer,))[layer][position, position]
        return y @ jnp.arange(1.0, 1 + len(y))

    return jax.grad(value)(x)


def test_stride_and_halo_are_those_of_the_gradient(name, extractor):
    for layer in LOOK[name]:
        stride, halo = extractor.stride(layer), extractor.halo([layer])
        position = 1 + -(-halo // stride)
        side = stride * (2 * position + 1)
        image = jnp.asarray(np.random.default_rng(0).random((side, side, 3), np.float32))
        seen = np.abs(gradient(extractor.freeze([layer]), image, layer, position)).max(-1)
        first, last = position * stride - halo, (position + 1) * stride - 1 + halo
        for axis in (0, 1):
            places = np.flatnonzero(seen.max(axis) > 1e-6 * seen.max())
            assert (places[0], places[-1]) == (first, last), layer
    assert extractor.halo(LOOK[name]) == max(extractor.halo([layer]) for layer in LOOK[name])
    assert extractor.halo([]) == 0


def test_activations_are_at_least_the_values_of_the_layer(extractor):
    size = (67, 93)
    for layer in extractor.layers:
        least = math.prod(extractor.shapes(size, [layer])[layer])
        assert extractor.activations(size, [layer]) >= least
    assert extractor.activations(size, []) == 0


def test_seeds_repeat(name, extractor):
    assert same(load(name), extractor)
    if features.is_drawn(name, "random"):
        assert not same(load(name, seed=1), extractor)


def test_frozen_it_computes_the_same_and_no_more(name, extractor):
    layers, deepest = LOOK[name][:-1], LOOK[name][-1]
    frozen = extractor.freeze(layers)
    assert sum(leaf.nbytes for leaf in jax.tree.leaves(frozen.freeze(layers))) == sum(
        leaf.nbytes for leaf in jax.tree.leaves(frozen)
    )
    image = np.random.default_rng(0).random((40, 37, 3), np.float32)
    expected = extractor(image, layers)
    for layer, value in frozen(image, layers).items():
        np.testing.assert_allclose(value, expected[layer], rtol=1e-4, atol=1e-4 * np.abs(value).max())
    with pytest.raises(InputError, match=f"frozen .*{deepest}: freeze the original network"):
        frozen.check((99, 99), [deepest])
    assert isinstance(frozen, type(extractor))


def test_nothing_is_rounded_in_float32(extractor):
    assert extractor.reference(jnp.zeros((64, 64, 3)), extractor.style_layers) == {}


def test_unknown_layers_are_refused_with_suggestions(name, extractor):
    known = LOOK[name][-1]
    layer = f"{known}0"
    calls = [
        lambda: extractor(jnp.zeros((64, 64, 3)), [layer]),
        lambda: extractor.check((64, 64), [layer]),
        lambda: extractor.shapes((64, 64), [layer]),
        lambda: extractor.least_size([layer]),
        lambda: extractor.stride(layer),
        lambda: extractor.halo([layer]),
        lambda: extractor.activations((64, 64), [layer]),
        lambda: extractor.freeze([layer]),
        lambda: features.check_layers(name, [known, layer]),
    ]
    for call in calls:
        with pytest.raises(InputError, match=f"unknown layer '{layer}': did you mean {known}"):
            call()
    features.check_layers(name, extractor.layers)


def test_unknown_networks_are_refused():
    for call in (features.load, lambda name: features.check_layers(name, [])):
        with pytest.raises(InputError, match="unknown network 'vgg91': did you mean vgg19"):
            call("vgg91")


def test_layer_weights_follow_the_layers():
    layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    for name in ("vgg19", "vgg16"):
        weigh = features.NETWORKS[name].layer_weights
        assert weigh(layers) == (0.744, 0.186, 0.0465, 0.0116, 0.0116)
        assert weigh(("relu4_1",)) == (1.0,)
        assert weigh(("conv5_1", "pool4", "relu2_2")) == (0.0556, 0.0556, 0.889)
        assert weigh(()) == ()
    assert features.NETWORKS["shallow"].layer_weights(("relu3", "relu55", "relu7", "relu5")) == (0.25,) * 4


@pytest.mark.parametrize("name", ["vgg19", "vgg16"])
def test_the_default_weights_are_the_networks_own(monkeypatch, name):
    calls = []

    def loaded(source, *, network, seed):
        calls.append((source, network, seed))
        return features.weights.load("random", network=network, seed=seed)

    monkeypatch.setattr(networks, "load_weights", loaded)
    features.load(name, seed=3)
    features.load(name, weights="random")
    assert calls == [(features.weights.DEFAULTS[name], name, 3), ("random", name, 0)]


def test_weights_of_another_network_are_refused_before_they_are_fetched():
    with pytest.raises(
        InputError, match=r"vgg16-keras: .* of the network vgg16, not of vgg19: take weights of"
    ):
        features.load("vgg19", weights="vgg16-keras")


@pytest.mark.parametrize(
    "option",
    [
        {"weights": "random"},
        {"pooling": "max"},
        {"convolution": "winograd"},
        {"precision": "bfloat16"},
        {"normalise": True},
    ],
)
def test_an_option_that_a_network_does_not_support_is_refused(option):
    ((key, value),) = option.items()
    with pytest.raises(
        InputError, match=f"shallow does not support {key}={value!r}: .*vgg19 or vgg16"
    ) as caught:
        features.load("shallow", **option)
    assert "\n" not in str(caught.value)


def test_a_network_is_one_line_in_the_registry(monkeypatch):
    """`load` passes a network from elsewhere the options that it takes, and refuses others."""
    made = []
    network = features.NETWORKS["shallow"]._replace(
        build=lambda *, seed=0: made.append(seed) or load("shallow")
    )
    monkeypatch.setitem(features.NETWORKS, "mine", network)
    features.load("mine", seed=4)
    assert made == [4]
    with pytest.raises(InputError, match="mine does not support padding='reflect'"):
        features.load("mine", padding="reflect")
