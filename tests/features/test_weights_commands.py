"""The command `nst weights`."""

from pathlib import Path

import numpy as np
import pytest

from nst.commands.weights import parser
from nst.errors import InputError
from nst.features import weights
from nst.features.weights import loading, ported
from nst.files import sha256

GOLDEN = Path(__file__).parent / "data" / "vgg19.zip.pth"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def filled():
    parameters = {
        layer: {"kernel": np.zeros(shape, np.float32), "bias": np.ones(shape[3], np.float32)}
        for layer, shape in weights.KERNELS["vgg19"].items()
    }
    path = loading.cached("vgg19")
    ported.write(path, weights.Weights(parameters, weights.CAFFE, "vgg19", "free", ""), "0" * 64)
    return path


def test_list_names_every_source_and_what_is_there(filled, capsys):
    parser.run(["list"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in weights.SOURCES)
    rows = {tuple(line.split()[:2]) for line in printed.splitlines()}
    assert {("vgg19", "vgg19"), ("vgg16-keras", "vgg16"), ("vgg16-torchvision", "vgg16")} <= rows
    assert printed.count("yes") == 1


def test_fetch_says_where_the_file_is(filled, capsys):
    parser.run(["fetch", "vgg19"])
    assert capsys.readouterr().out == f"{sha256(filled)}  {filled}\n"


def test_fetch_again_does_not_take_what_is_there(filled, monkeypatch):
    made = []
    monkeypatch.setattr(
        loading, "_fetch", lambda name, path: made.append(name) or ported.beside(path).touch()
    )
    with pytest.raises(InputError, match="cannot be read"):
        parser.run(["fetch", "vgg19", "--again"])
    assert made == ["vgg19"]


def test_verify_finds_the_damaged_file(filled, capsys):
    parser.run(["verify"])
    parser.run(["verify", "vgg19"])
    assert capsys.readouterr().out == f"ok  {filled}\n" * 2
    with open(filled, "ab") as file:
        file.write(b"x")
    for arguments in (["verify"], ["verify", "vgg19"]):
        with pytest.raises(InputError, match=r"expected SHA-256.*fetch vgg19 --again"):
            parser.run(arguments)


def test_verify_tells_what_is_absent(capsys):
    parser.run(["verify"])
    assert "no weights" in capsys.readouterr().out
    with pytest.raises(InputError, match="does not exist"):
        parser.run(["verify", "vgg19-keras"])


def test_convert_makes_a_file_that_knows_its_preprocessing(tmp_path, capsys):
    out = tmp_path / "mine.safetensors"
    parser.run(["convert", str(GOLDEN), str(out), "--preprocessing", "torchvision"])
    assert weights.load(str(out)).preprocessing == weights.TORCHVISION
    assert str(out) in capsys.readouterr().out
    assert ported.beside(out).read_text() == f"{sha256(out)}  mine.safetensors\n"
    before = out.read_bytes()
    with pytest.raises(InputError, match="give a file that does not exist"):
        parser.run(["convert", str(out), str(out)])
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no command: choose from list, fetch"),
        (["lst"], "unknown command 'lst': did you mean list"),
        (["fetch"], "required: name"),
        (["fetch", "vgg9"], "unknown source 'vgg9': did you mean vgg19"),
        (["verify", "vgg9"], "unknown source"),
        (["show", "vgg9"], "unknown weights"),
        (["list", "stray"], "unrecognized arguments: stray"),
        (["convert", "FILE", "out.safetensors"], "FILE: not a file"),
        (["convert", str(GOLDEN), "out.h5"], "ends in .safetensors"),
        (["convert", str(GOLDEN), "out.safetensors"], "does not say which preprocessing"),
        (["convert", str(GOLDEN), "out.safetensors", "--preprocessing", "coffee"], "did you mean caffe"),
        (["convert", str(GOLDEN), "file/out.safetensors", "--preprocessing", "caffe"], "cannot be written"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(InputError, match=message) as caught:
        parser.run(arguments)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_show_prints_each_array(filled, capsys):
    parser.run(["show", "vgg19"])
    printed = capsys.readouterr().out
    assert printed.count("kernel") == printed.count("bias") == 16
    assert "3×3×512×512" in printed
    assert "vgg19: 20024384 parameters in 16 layers" in printed
    assert sha256(filled) in printed
    assert max(map(len, printed.splitlines()[:33])) <= 80
