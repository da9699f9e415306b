"""VGG-19 against PyTorch (golden values of data/make_golden.py), VGG-16 against NumPy, and rules for both."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst.errors import InputError
from nst.features import vgg
from nst.features.weights import BLOCKS, load
from nst.features.weights.network import layer_names

GOLDEN = Path(__file__).parent / "data" / "vgg_golden.npz"
LAYERS = layer_names(BLOCKS["vgg19"])
# A recorded decision of PyTorch that rounding can't change: the test takes our own.
OWN = -1
STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
# The last of these up to which bfloat16 rounds nothing: on a CPU rounding is not faster for narrow layers.
NARROW = "relu2_1" if jax.default_backend() == "cpu" else "relu1_1"


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.fixture(scope="module")
def weights():
    return load("vgg19")


@pytest.fixture(scope="module")
def random():
    return load("random")


@jax.jit(static_argnums=2)
def compute(network, image, layers, reference=None):
    return network(image, layers, reference)


def energy(features):
    return 0.5 * jnp.sum(jnp.square(features))


@jax.jit
def gradient(network, image, reference=None):
    return jax.grad(lambda x: energy(network(x, ("relu4_2",), reference)["relu4_2"]))(image)


def settle(own, recorded):
    """Return our decisions overwritten by the recorded ones, how many this flips, and the rest of the record."""
    here, rest = recorded[: own.size].reshape(own.shape), recorded[own.size :]
    settled = jnp.where(here == OWN, own, here)
    return settled, jnp.sum(settled != own), rest


def decided(network, image, recorded):
    """Return relu4_2 with the recorded gates and winners, or our own where none is recorded, and the flips by layer."""
    x = image[..., ::-1] * 255 - jnp.array(network.preprocessing.mean)
    flips = {}
    for layer in LAYERS[: LAYERS.index("relu4_2") + 1]:
        if layer.startswith("conv"):
            x = getattr(network, layer)(jnp.pad(x, ((1, 1), (1, 1), (0, 0))))
        elif layer.startswith("relu"):
            gates, flips[layer], recorded = settle(x > 0, recorded)
            x = x * gates
        else:
            h, w = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
            windows = jnp.stack([x[i:h:2, j:w:2] for i in (0, 1) for j in (0, 1)])
            if network.pooling == "max":
                winners, flips[layer], recorded = settle(jnp.argmax(windows, 0), recorded)
                x = jnp.take_along_axis(windows, winners[None], 0)[0]
            else:
                x = windows.mean(0)
    assert recorded.size == 0
    return x, flips


@jax.jit
def decided_gradient(network, image, recorded):
    def decided_energy(image):
        features, flips = decided(network, image, recorded)
        return energy(features), flips

    return jax.grad(decided_energy, has_aux=True)(image)


def picture(golden, i):
    return golden[f"picture{i}"].astype(np.float32) / 255


def difference(actual, expected):
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    return np.linalg.norm(actual - expected) / max(np.linalg.norm(expected), 1e-30)


@pytest.mark.parametrize("pooling", ["avg", "max"])
@pytest.mark.parametrize("convolution", ["direct", "winograd"])
@pytest.mark.parametrize("i", [0, 1])
def test_every_layer_agrees_with_pytorch(golden, weights, pooling, convolution, i):
    network = vgg.build(weights, pooling=pooling, convolution=convolution).freeze(LAYERS)
    features = compute(network, picture(golden, i), LAYERS)
    assert tuple(sorted(features)) == tuple(sorted(LAYERS))
    for layer, value in features.items():
        entries = golden[f"{pooling}/{i}/{layer}/entries"]
        assert difference(np.ravel(value)[entries], golden[f"{pooling}/{i}/{layer}/values"]) < 1e-5, layer


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_gradients_agree_with_pytorch_but_for_flips(golden, weights, pooling):
    """If they differ, rounding flipped a rectifier or maximum; with PyTorch's decisions they agree."""
    network = vgg.build(weights, pooling=pooling)
    differences = []
    for i in range(10):
        image, expected = picture(golden, i), golden[f"{pooling}/gradient{i}"]
        recorded = golden[f"{pooling}/decisions{i}"]
        ours = gradient(network, image)
        explicit, _ = decided_gradient(network, image, np.full_like(recorded, OWN))
        imposed, flips = decided_gradient(network, image, recorded)
        flipped = {layer: int(count) for layer, count in flips.items() if count}
        differences.append(difference(ours, expected))
        assert difference(explicit, ours) < 1e-5, i
        assert difference(imposed, expected) < 1e-5, (i, flipped)
        assert differences[-1] < 1e-5 or flipped, i
    assert np.median(differences) < 1e-5, differences


def test_one_flipped_rectifier_changes_the_gradient(golden, weights):
    recorded = golden["avg/decisions0"].copy()
    turned = np.flatnonzero(recorded != OWN)[0]
    recorded[turned] = 1 - recorded[turned]
    imposed, _ = decided_gradient(vgg.build(weights), picture(golden, 0), recorded)
    assert difference(imposed, golden["avg/gradient0"]) > 1e-5


@pytest.fixture(scope="module", params=["direct", "winograd"])
def rounded(request, weights):
    return vgg.build(weights, convolution=request.param, precision="bfloat16").freeze(STYLE)


@pytest.mark.slow
@pytest.mark.parametrize(("pooling", "padding"), list(zip(vgg.POOLINGS, vgg.PADDINGS, strict=True)))
def test_bfloat16_is_exact_at_the_reference(golden, weights, pooling, padding):
    image, settings = picture(golden, 0), {"pooling": pooling, "padding": padding}
    rounded = vgg.build(weights, precision="bfloat16", **settings)
    expected = compute(vgg.build(weights, **settings), image, STYLE)
    for reference in (None, rounded.reference(image, STYLE)):
        for layer, value in compute(rounded, image, STYLE, reference).items():
            assert difference(value, expected[layer]) < 1e-5, layer
            assert value.dtype == jnp.float32


def test_bfloat16_rounds_the_change_from_the_reference(golden, weights, rounded):
    """Half the distance from the reference halves the error; without a reference the error would be 5e-3."""
    image = picture(golden, 0)
    reference = jax.jit(lambda x: rounded.reference(x, STYLE))(image)
    errors = []
    for step in (0.02, 0.01):
        other = image + np.float32(step) * np.random.default_rng(0).standard_normal(image.shape, np.float32)
        expected = compute(vgg.build(weights), other, STYLE)
        actual = compute(rounded, other, STYLE, reference)
        assert difference(actual[NARROW], expected[NARROW]) < 1e-5  # nothing is rounded up to this layer
        errors.append(difference(actual["relu5_1"], expected["relu5_1"]))
    assert 2e-5 < errors[0] < 1e-3
    assert 0.3 < errors[1] / errors[0] < 0.7


def test_bfloat16_rounds_the_gradient(golden, weights, rounded):
    image = picture(golden, 0)
    reference = rounded.reference(image, ("relu4_2",))
    actual, expected = gradient(rounded, image, reference), gradient(vgg.build(weights), image)
    assert 1e-3 < difference(actual, expected) < 2e-2


def test_the_reference_is_empty_in_float32(random):
    assert vgg.build(random).reference(jnp.zeros((16, 16, 3)), STYLE) == {}
    narrow = vgg.build(random, precision="bfloat16")
    assert narrow.reference(jnp.zeros((16, 16, 3)), (NARROW,)) == {}


@pytest.mark.parametrize("padding", sorted(vgg.PADDINGS))
def test_padding_is_numpys(random, padding):
    image = np.random.default_rng(0).random((5, 6, 3), np.float32)
    network = vgg.build(random, padding=padding)
    x = image[..., ::-1].astype(np.float64) * 255 - np.array(random.preprocessing.mean)
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)), mode=vgg.PADDINGS[padding])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
    expected = np.einsum(
        "hwcij,ijco->hwo", windows, random.parameters["conv1_1"]["kernel"].astype(np.float64)
    )
    assert difference(network(jnp.asarray(image), ["conv1_1"])["conv1_1"], expected) < 1e-5


def test_poolings_of_odd_sizes():
    x = np.random.default_rng(0).standard_normal((5, 7, 2)).astype(np.float32)
    blocks = np.stack([x[i:4:2, j:6:2] for i in (0, 1) for j in (0, 1)]).astype(np.float64)
    expected = {"avg": blocks.mean(0), "max": blocks.max(0), "l2": np.sqrt((blocks**2).mean(0))}
    for name, pool in vgg.POOLINGS.items():
        np.testing.assert_allclose(pool(x), expected[name], rtol=1e-6)


@pytest.mark.parametrize("size", [(4, 6), (5, 6), (4, 7), (5, 7), (1, 3)])
def test_gradients_of_poolings(size):
    x = jnp.asarray(np.random.default_rng(0).integers(-1, 2, (*size, 3)), jnp.float32)  # with ties
    h, w = (n // 2 * 2 for n in size)
    corners = [x[i:h:2, j:w:2] for i in (0, 1) for j in (0, 1)]
    g = jnp.asarray(np.random.default_rng(1).random((h // 2, w // 2, 3), np.float32))
    first = jnp.argmax(jnp.stack(corners), axis=0)
    shares = {"avg": [0.25] * 4, "max": [first == i for i in range(4)]}
    for name, share in shares.items():
        expected = np.zeros_like(x)
        for i in range(4):
            expected[i // 2 : h : 2, i % 2 : w : 2] = g * share[i]
        np.testing.assert_array_equal(jax.vjp(vgg.POOLINGS[name], x)[1](g)[0], expected)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="XLA's fusion on a CPU")
def test_a_gradient_keeps_a_byte_per_rectified_value(random):
    network = vgg.build(random, convolution="winograd", pooling="max").freeze(["relu2_2"])

    def energy(x):
        return jnp.sum(jnp.square(network(x, ["relu2_2"])["relu2_2"]))

    used = jax.jit(jax.value_and_grad(energy)).lower(jnp.zeros((64, 64, 3))).compile().memory_analysis()
    # conv1_2's transformed input, its products, and a byte of relu1_1: 4.75. JAX's own rectifier takes 5.5.
    assert used.temp_size_in_bytes < 5 * 4 * 64 * 64 * 64


def test_l2_pooling_has_a_gradient_at_zero():
    assert np.isfinite(jax.grad(lambda x: vgg.POOLINGS["l2"](x).sum())(jnp.zeros((4, 4, 1)))).all()


def test_no_deeper_than_asked(random):
    network = vgg.build(random)
    program = str(jax.make_jaxpr(lambda x: network(x, ["relu2_1"]))(jnp.zeros((16, 16, 3))))
    assert program.count("conv_general_dilated[") == 3


def test_vmap_equals_one_image_at_a_time(random):
    network = vgg.build(random)
    pictures = np.random.default_rng(0).random((2, 8, 9, 3), np.float32)
    together = jax.vmap(lambda x: network(x, ["pool1"])["pool1"])(pictures)
    for one, batched in zip(pictures, together, strict=True):
        assert difference(network(jnp.asarray(one), ["pool1"])["pool1"], batched) < 1e-6


@pytest.mark.parametrize(
    ("padding", "layer", "least"),
    [("zeros", "relu1_1", 1), ("zeros", "relu5_1", 16), ("zeros", "pool5", 32), ("reflect", "conv5_1", 32)],
)
def test_least_size(random, padding, layer, least):
    network = vgg.build(random, padding=padding)
    assert network.least_size([layer]) == least
    shape = jax.eval_shape(lambda x: network(x, [layer]), jnp.zeros((least, 99, 3)))[layer].shape
    assert min(shape) >= 1
    if least > 1:
        with pytest.raises(InputError, match=f"at least {least} pixels"):
            network(jnp.zeros((99, least - 1, 3)), [layer])


@pytest.mark.parametrize("field", [{"pooling": "mean"}, {"padding": "same"}, {"precision": "float16"}])
def test_unknown_names_list_the_choices(random, field):
    with pytest.raises(InputError, match="choose from"):
        vgg.build(random, **field)


def test_unknown_layer(random):
    with pytest.raises(InputError, match="did you mean conv4_2"):
        vgg.build(random)(jnp.zeros((64, 64, 3)), ["conv4_22"])


@pytest.mark.parametrize(("backend", "narrow"), [("cpu", ()), ("gpu", ("conv1_2", "conv2_1"))])
def test_an_accelerator_rounds_narrower_layers_too(random, monkeypatch, backend, narrow):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    network = vgg.build(random, precision="bfloat16").freeze(["conv3_1"])
    layers = [layer for layer in LAYERS if layer.startswith("conv")][:5]
    rounded = tuple(layer for layer in layers if getattr(network, layer).rounded is not None)
    assert rounded == (*narrow, "conv2_2", "conv3_1")


# Configuration D of the article.
VGG16 = (
    *("1_1", "1_2", "pool1", "2_1", "2_2", "pool2", "3_1", "3_2", "3_3", "pool3"),
    *("4_1", "4_2", "4_3", "pool4", "5_1", "5_2", "5_3", "pool5"),
)


def slow_features(weights, image, layers):
    """VGG-16 by the article's list of layers, in NumPy and float64, max pooling, zeros around."""
    x = image[..., ::-1].astype(np.float64) * 255 - np.array([103.939, 116.779, 123.68])
    features = {}
    for name in VGG16:
        if name.startswith("pool"):
            h, w, c = x.shape
            x = x[: h // 2 * 2, : w // 2 * 2].reshape(h // 2, 2, w // 2, 2, c).max((1, 3))
            features[name] = x
            continue
        parts = weights.parameters[f"conv{name}"]
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(x, ((1, 1), (1, 1), (0, 0))), (3, 3), axis=(0, 1)
        )
        x = np.tensordot(windows, parts["kernel"].astype(np.float64), ([3, 4, 2], [0, 1, 2])) + parts["bias"]
        features[f"conv{name}"], x = x, np.maximum(x, 0)
        features[f"relu{name}"] = x
    return {layer: features[layer] for layer in layers}


@pytest.mark.parametrize("convolution", ["direct", "winograd"])
def test_vgg16_is_what_the_article_lists(convolution):
    weights = load("random", network="vgg16", seed=1)
    biases = np.random.default_rng(0)
    for parts in weights.parameters.values():
        parts["bias"] = biases.standard_normal(parts["bias"].shape, np.float32)
    network = vgg.build(weights, pooling="max", convolution=convolution)
    layers = network.layers
    assert [layer for layer in layers if layer.startswith("conv")] == [
        f"conv{block}_{i}"
        for block, count in enumerate((2, 2, 3, 3, 3), start=1)
        for i in range(1, count + 1)
    ]
    image = np.random.default_rng(2).random((35, 41, 3), np.float32)
    features = compute(network.freeze(layers), image, layers)
    expected = slow_features(weights, image, layers)
    for layer in layers:
        assert difference(features[layer], expected[layer]) < 1e-5, layer


def test_the_receptive_field_of_relu5_1(random):
    network = vgg.build(random)
    assert network.stride("relu5_1") + 2 * network.halo(["relu5_1", "relu1_1"]) == 156


def test_activations_are_what_a_gradient_keeps(random):
    network = vgg.build(random)
    # Of 9×7 pixels: relu1_1, relu1_2, pool1 (4×3) and conv2_1, which is asked for; conv1_1 and conv1_2 are not kept.
    assert network.activations((9, 7), ["conv2_1"]) == 2 * 63 * 64 + 12 * 64 + 12 * 128
    assert network.activations((9, 7), []) == 0
