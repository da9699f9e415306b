"""Formats, names and layouts of files of other programs; recognition of networks; refusal of other preprocessings."""

import contextlib
import importlib.util
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import safetensors.numpy

from nst.errors import InputError
from nst.features import weights
from nst.features.weights import formats, loading, naming, network, port, ported, safetensors_file
from nst.features.weights.entries import Entry, Unreadable, refusing
from nst.features.weights.sources import SOURCES
from nst.files import sha256

DATA = Path(__file__).parent / "data"
LAYERS = list(network.KERNELS["vgg19"])
PLACES = {
    "vgg19": (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
    "vgg16": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def value(layer, part):
    """A number for each array, the same one as in the golden files."""
    return (2 * LAYERS.index(layer) + (part == "bias")) / 32


def shape(layer, part, layout):
    kernel = network.KERNELS["vgg19"][layer]  # of the same shape in each network that has the layer
    return kernel[3:] if part == "bias" else tuple(kernel["HWIO".index(axis)] for axis in layout)


def keras(path, kernel="{0}/{0}_W_1:0", bias="{0}/{0}_b_1:0", name="vgg19"):
    """Write a Keras file that stores only the shapes and the numbers that fill them."""
    with h5py.File(path, "w") as file:
        for layer in network.KERNELS[name]:
            block = layer.replace("conv", "block").replace("_", "_conv")
            for part, pattern in (("kernel", kernel), ("bias", bias)):
                size = shape(layer, part, "HWIO")
                file.create_dataset(
                    pattern.format(block), size, "f4", chunks=size, fillvalue=value(layer, part)
                )
    return path


def entries(pattern, layout, layers=LAYERS, **changed):
    """Entries of a scheme whose names come from `pattern(layer, part)`."""
    result = {}
    for layer in layers:
        for part in ("kernel", "bias"):
            array = np.broadcast_to(np.float32(value(layer, part)), shape(layer, part, layout))
            result[pattern(layer, part)] = Entry(array.shape, lambda array=array: array)
    return result | changed


def torchvision(layer, part, name="vgg19"):
    place = PLACES[name][list(network.KERNELS[name]).index(layer)]
    return f"features.{place}.{'weight' if part == 'kernel' else part}"


def check(parameters, name="vgg19"):
    assert list(parameters) == list(network.KERNELS[name])
    for layer, kernel in network.KERNELS[name].items():
        for part, size in (("kernel", kernel), ("bias", kernel[3:])):
            array = parameters[layer][part]
            assert (array.shape, array.dtype) == (size, np.float32)
            assert (array == np.float32(value(layer, part))).all()


@pytest.mark.parametrize("name", ["vgg19.zip.pth", "vgg19.legacy.pth"])
@pytest.mark.parametrize("claimed", [weights.CAFFE, weights.TORCHVISION])
def test_torch_files(name, claimed):
    read = port.read(DATA / name, claimed)
    check(read.parameters)
    assert read.preprocessing == claimed
    assert read.source == name
    assert "not known" in read.licence


@pytest.mark.parametrize(
    ("kernel", "bias"),
    [
        ("{0}/{0}_W_1:0", "{0}/{0}_b_1:0"),
        ("{0}/kernel:0", "{0}/bias:0"),
        ("{0}/{0}/kernel:0", "{0}/{0}/bias:0"),
        ("model_weights/{0}/{0}/kernel:0", "model_weights/{0}/{0}/bias:0"),
        ("vgg19/{0}/{0}/kernel", "vgg19/{0}/{0}/bias"),
    ],
)
def test_keras_files(tmp_path, kernel, bias):
    read = port.read(keras(tmp_path / "a.h5", kernel, bias))
    check(read.parameters)
    assert read.preprocessing == weights.CAFFE


def test_the_format_is_told_by_content_not_by_name(tmp_path):
    check(port.read(keras(tmp_path / "a.pth")).parameters)
    shutil.copy(DATA / "vgg19.zip.pth", tmp_path / "b.npz")
    check(port.read(tmp_path / "b.npz", weights.CAFFE).parameters)


def test_npz_and_foreign_safetensors(tmp_path):
    names = entries(lambda layer, part: f"{layer}/{part}", "HWIO")
    arrays = {name: np.ascontiguousarray(entry.read()) for name, entry in names.items()}
    np.savez(tmp_path / "a.npz", **arrays)
    safetensors.numpy.save_file(arrays, tmp_path / "a.safetensors")
    for path in (tmp_path / "a.npz", tmp_path / "a.safetensors"):
        check(port.read(path, weights.TORCHVISION).parameters)
        with pytest.raises(InputError, match="does not say which preprocessing"):
            port.read(path)


@pytest.mark.parametrize(
    ("pattern", "layout"),
    [
        (torchvision, "OIHW"),
        (lambda layer, part: torchvision(layer, part).removeprefix("features."), "OIHW"),
        (lambda layer, part: "module." + torchvision(layer, part), "OIHW"),
        (lambda layer, part: f"{layer}.{'weight' if part == 'kernel' else part}", "OIHW"),
        (lambda layer, part: f"{layer}/{part}", "HWIO"),
    ],
)
def test_names_and_layouts(pattern, layout):
    recognized = naming.recognise(entries(pattern, layout))
    check(naming.parameters(*recognized))
    assert recognized.network == "vgg19"
    assert recognized.scheme.preprocessing is None


@pytest.mark.parametrize(
    ("pattern", "layout"),
    [
        (lambda layer, part: torchvision(layer, part, "vgg16"), "OIHW"),
        (lambda layer, part: f"{layer}.{'weight' if part == 'kernel' else part}", "OIHW"),
        (lambda layer, part: f"{layer}/{part}", "HWIO"),
    ],
)
def test_vgg16_is_recognized_by_what_the_file_holds(pattern, layout):
    recognized = naming.recognise(entries(pattern, layout, network.KERNELS["vgg16"]))
    assert recognized.network == "vgg16"
    check(naming.parameters(*recognized), "vgg16")


def test_a_keras_file_of_vgg16(tmp_path):
    read = port.read(keras(tmp_path / "a.h5", name="vgg16"))
    check(read.parameters, "vgg16")
    assert (read.network, read.preprocessing) == ("vgg16", weights.CAFFE)


def test_a_file_of_ours_names_its_network_unless_it_is_vgg19(tmp_path):
    for name in ("vgg16", "vgg19"):
        out = tmp_path / f"{name}.safetensors"
        port.port(keras(tmp_path / f"{name}.h5", name=name), out)
        text = safetensors_file.metadata(out)["nst"]
        assert ('"network": "vgg16"' in text) == ("network" in text) == (name == "vgg16")
        again = port.read(out)
        assert again.network == ported.origin(out).network == name
        check(again.parameters, name)


def test_vgg19s_file_has_the_bytes_that_it_always_had(tmp_path):
    """Caches and the hashes that runs have recorded stay valid."""
    out = tmp_path / "a.safetensors"
    port.port(DATA / "vgg19.zip.pth", out, weights.CAFFE)
    assert sha256(out) == "f4668c670335acdac279c40a67deff876a32cc878429d01c6cbeb3caaaa1f0a6"


def test_a_file_of_ours_of_another_network_is_refused(tmp_path):
    text = '{"source": "", "licence": "", "source_sha256": "", "network": "vgg11", "preprocessing": {}}'
    safetensors.numpy.save_file({"a": np.zeros(1)}, tmp_path / "a.safetensors", {"nst": text})
    with pytest.raises(
        InputError, match="weights of the unknown network 'vgg11': give weights of vgg19 or vgg16"
    ):
        weights.load(str(tmp_path / "a.safetensors"))


@pytest.mark.parametrize(("name", "other"), [("vgg16", "vgg19"), ("vgg19", "vgg16")])
def test_weights_of_another_network_than_asked_for_are_refused(tmp_path, monkeypatch, name, other):
    path = keras(tmp_path / "a.h5", name=name)
    assert weights.load(str(path), network=name).network == name
    remedy = (
        f"of the network {name}, not of {other}: take weights of {other}, such as {weights.DEFAULTS[other]}"
    )
    monkeypatch.setattr(loading, "_fetch", None)  # a source is refused before it is fetched
    for source in (str(path), weights.DEFAULTS[name]):
        with pytest.raises(InputError, match=remedy) as caught:
            weights.load(source, network=other)
        assert "\n" not in str(caught.value)


def test_a_kernel_is_transposed_and_not_turned_round():
    kernel = np.arange(64 * 3 * 9, dtype=np.float32).reshape(64, 3, 3, 3)
    changed = {"features.0.weight": Entry(kernel.shape, lambda: kernel)}
    read = naming.parameters(*naming.recognise(entries(torchvision, "OIHW", **changed)))["conv1_1"]["kernel"]
    for out, inside, y, x in [(0, 0, 0, 0), (5, 2, 0, 1), (63, 1, 2, 0)]:
        assert read[y, x, inside, out] == kernel[out, inside, y, x]


def test_coded_kernels_are_looked_up():
    table = np.linspace(-1, 1, 256, dtype=np.float32)
    codes = np.arange(64 * 3 * 9).astype(np.uint8).reshape(64, 3, 3, 3)
    parts = {
        "codes": Entry(codes.shape, lambda: codes), "table": Entry((256,), lambda: table),
        "bias": Entry((64,), lambda: table[:64]),
    }  # fmt: skip
    names = {"W_q": "codes", "W_table": "table", "b": "bias"}
    _, _, layers = naming.recognise({f"block1_conv1_{name}": parts[part] for name, part in names.items()})
    np.testing.assert_array_equal(layers["conv1_1"]["kernel"].read(), table[codes])
    parts["codes"] = Entry(codes.shape, lambda: codes.astype(np.int64) + 300)
    _, _, layers = naming.recognise({f"block1_conv1_{name}": parts[part] for name, part in names.items()})
    with pytest.raises(Unreadable, match="8-bit"):
        layers["conv1_1"]["kernel"].read()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: [arrays.pop(f"conv2_2/{part}") for part in ("kernel", "bias")],
         "not the weights of VGG-19: conv2_2's kernel is missing and 1 more"),
        (lambda arrays: arrays.pop("conv5_4/bias"), "not the weights of VGG-19: conv5_4's bias is missing"),
        (lambda arrays: [arrays.pop(f"{layer}_4/{part}") for layer in ("conv3", "conv4", "conv5")
                        for part in ("kernel", "bias") if f"{layer}{part}" != "conv5bias"],
         "not the weights of VGG-16: conv5_4 is unexpected: give the weights of VGG-19 or VGG-16"),
        (lambda arrays: arrays.update({"conv1_1/kernel": Entry((3, 3, 1, 64), None)}),
         r"conv1_1's kernel is \[3, 3, 1, 64\], expected \[3, 3, 3, 64\]"),
        (lambda arrays: arrays.update({"conv1_1/kernel": Entry((64, 3, 3, 3), None)}), "expected"),
        (lambda arrays: arrays.update({"conv6_1/bias": Entry((4096,), None)}), "conv6_1 is unexpected"),
        (lambda arrays: arrays.update({"conv3_1/bias": Entry((256,), lambda: np.full(256, np.nan, "f4"))}),
         "conv3_1 has a value that is not finite"),
        (lambda arrays: arrays.update({"conv3_1/bias": Entry((256,), lambda: np.full(256, 1e300))}),
         "not finite"),
        (lambda arrays: arrays.update({"conv3_1/bias": Entry((256,), lambda: np.zeros(256, "i8"))}),
         "type int64"),
        (lambda arrays: arrays.clear(), "none of its 0 arrays"),
    ],
)  # fmt: skip
def test_another_network_is_refused_and_told_apart(change, message):
    arrays = entries(lambda layer, part: f"{layer}/{part}", "HWIO")
    change(arrays)
    with pytest.raises(Unreadable, match=message):
        naming.parameters(*naming.recognise(arrays))


def test_vgg13_and_batch_normalization_in_torchvisions_names_are_refused():
    vgg13 = (0, 2, 5, 7, 10, 12, 15, 17, 20, 22)
    normalized = (0, 3, 7, 10, 14, 17, 20, 23, 27, 30, 33, 36, 40, 43, 46, 49)
    for places in (vgg13, normalized):
        pair = [Entry((64,), None)] * 2
        names = [f"features.{place}.{part}" for place in places for part in ("weight", "bias")]
        arrays = dict(zip(names, pair * len(places), strict=True))
        with pytest.raises(Unreadable, match=r"not the weights of VGG-1[69]"):
            naming.parameters(*naming.recognise(arrays))


def test_a_file_with_two_networks_is_refused():
    arrays = entries(torchvision, "OIHW")
    arrays |= {f"second.{name}": entry for name, entry in arrays.items()}
    with pytest.raises(Unreadable, match="conv1_1 twice"):
        naming.recognise(arrays)


def known(monkeypatch, path, preprocessing):
    source = SOURCES["vgg19-torchvision"]._replace(sha256=sha256(path), preprocessing=preprocessing)
    monkeypatch.setitem(SOURCES, "vgg19-torchvision", source)


def test_a_known_hash_decides_the_preprocessing(monkeypatch):
    path = DATA / "vgg19.zip.pth"
    known(monkeypatch, path, weights.TORCHVISION)
    read = port.read(path)
    assert (read.preprocessing, read.source) == (weights.TORCHVISION, "vgg19-torchvision")
    assert "BSD" in read.licence
    with pytest.raises(InputError, match="expect the preprocessing torchvision, not caffe"):
        port.read(path, weights.CAFFE)


def test_metadata_decides_the_preprocessing(tmp_path):
    path = tmp_path / "a.safetensors"
    port.port(DATA / "vgg19.zip.pth", path, weights.TORCHVISION)
    assert port.read(path).preprocessing == weights.TORCHVISION
    with pytest.raises(InputError, match="expect the preprocessing torchvision, not caffe"):
        port.read(path, weights.CAFFE)


@pytest.mark.parametrize(
    "fields", ['{"order": "GBR"}', "[]", '{"scale": 0}', '{"std": [1, 1, 0]}', '{"mean": [NaN, 1, 1]}']
)
def test_nonsense_in_the_metadata_is_refused(tmp_path, fields):
    good = '{"mean": [0, 0, 0], "order": "BGR", "scale": 1, "std": [1, 1, 1]}'
    bad = good[:-1] + ", " + fields[1:] if fields != "[]" else fields
    text = f'{{"source": "", "licence": "", "source_sha256": "", "preprocessing": {bad}}}'
    safetensors.numpy.save_file({"a": np.zeros(1)}, tmp_path / "a.safetensors", {"nst": text})
    with pytest.raises(InputError, match="damaged"):
        weights.load(str(tmp_path / "a.safetensors"))


def test_without_h5py_weights_of_keras_are_refused_before_they_are_fetched(tmp_path, cache, monkeypatch):
    path = keras(tmp_path / "mine.h5")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "h5py" else find(name))
    for name in (str(path), "vgg16-keras"):
        with pytest.raises(InputError, match=r"weights of Keras need h5py: pip install 'nst\[keras\]'"):
            weights.load(name)


def test_a_foreign_file_is_ported_once_and_left_alone(tmp_path, cache, monkeypatch):
    path = keras(tmp_path / "mine.h5")
    before = path.read_bytes()
    first = weights.load(str(path))
    monkeypatch.setattr(h5py, "File", None)
    second = weights.load(str(path))
    check(second.parameters)
    assert first.sha256 == second.sha256
    assert second.source == str(path)
    assert path.read_bytes() == before
    assert [file.name for file in (cache / "weights/files").glob("*.safetensors")] == [
        f"{sha256(path)}.safetensors"
    ]
    origin = ported.origin(cache / f"weights/files/{sha256(path)}.safetensors")
    assert origin is not None
    assert origin.source_sha256 == sha256(path)


def test_a_damaged_port_of_a_foreign_file_is_told_and_made_again(tmp_path, cache):
    path = keras(tmp_path / "mine.h5")
    first = weights.load(str(path))
    target = cache / f"weights/files/{sha256(path)}.safetensors"
    target.write_bytes(b"x")
    with pytest.raises(InputError, match=f"expected SHA-256 {first.sha256}, got .*delete it"):
        weights.load(str(path))
    target.unlink()
    assert weights.load(str(path)).sha256 == first.sha256


def test_a_refused_file_leaves_nothing_in_the_cache(cache):
    with pytest.raises(InputError, match="convert"):
        weights.load(str(DATA / "vgg19.zip.pth"))
    assert [file.name for file in cache.rglob("*") if file.is_file() and file.suffix != ".lock"] == []


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<!DOCTYPE html><html>", b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"\x80", b"\x80\x02",
        b"\x10" + b"\0" * 7 + b"{", b"\xff" * 100, b"version https://git-lfs", b"PK\x05\x06" + b"\0" * 18,
    ],
)  # fmt: skip
def test_what_is_not_a_weight_file_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "weights file.h5"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"weights file.h5: ") as caught:
        weights.load(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".safetensors"])
def test_damage_is_refused_in_one_line(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    array = np.linspace(0, 1, 50, dtype=np.float32)
    if suffix == ".npz":
        np.savez(path, a=array)
    elif suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["a"] = array
    else:
        safetensors.numpy.save_file({"a": array}, path)
    content = path.read_bytes()
    for size in range(1, len(content), 29):
        path.write_bytes(content[:size])
        with pytest.raises(InputError) as caught:
            weights.load(str(path))
        assert "\n" not in str(caught.value)


def test_an_npz_with_objects_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([print], dtype=object))
    with pytest.raises(InputError, match="Python objects"):
        weights.load(str(tmp_path / "a.npz"))


def test_an_hdf5_file_does_not_read_other_files(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(4 * 64))
    with h5py.File(tmp_path / "outside.h5", "w") as file:
        file.create_dataset("block1_conv1/bias:0", (64,), "f4", external=[(str(secret), 0, 4 * 64)])
    with pytest.raises(InputError, match="another file"):
        weights.load(str(tmp_path / "outside.h5"))
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["block1_conv1"] = h5py.ExternalLink(str(tmp_path / "outside.h5"), "block1_conv1")
    with pytest.raises(InputError, match="none of its 0 arrays"):
        weights.load(str(tmp_path / "link.h5"))


def test_a_shape_is_refused_before_anything_of_it_is_made(tmp_path):
    path = tmp_path / "a.h5"
    keras(path)
    with h5py.File(path, "a") as file:
        del file["block3_conv1"]
        file.create_dataset("block3_conv1/bias:0", (2**45,), "f4", chunks=(1024,))
    with refusing(path), contextlib.suppress(Unreadable):
        naming.parameters(*naming.recognise(formats.entries(path)))
    with pytest.raises(InputError, match="conv3_1's kernel is missing and 1 more"):
        weights.load(str(path))
