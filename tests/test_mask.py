"""`nst mask`: the files that it writes, what it prints, and errors in one line before anything is computed."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst import features, images, segment
from nst.commands.mask import parser
from nst.errors import InputError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random", padding="replicate")


@pytest.fixture
def folder(tmp_path, monkeypatch, network):
    """A working directory with two small images; the weights of the network are random."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(features, "load", lambda **_: network)
    for name, size in (("coffee", 100), ("chelsea", 120)):
        images.write(f"my {name}.png", images.fit(images.read(name), size))
    return tmp_path


@pytest.fixture
def untouched(folder, monkeypatch):
    """Fails where a network is loaded."""
    monkeypatch.setattr(features, "load", None)
    return folder


def colors(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image)
    return {"#" + bytes(color).hex() for color in np.unique(pixels.reshape(-1, 3), axis=0)}, pixels.shape


def test_a_mask_and_a_preview_are_written_and_the_colors_listed(folder, capsys):
    parser.run(["my coffee.png", "--regions", "3", "--size", "96"])
    used, shape = colors("my coffee-mask.png")
    assert used == {*segment.COLORS[:3]}
    assert shape == images.read("my coffee.png").shape
    out, err = capsys.readouterr()
    assert err == ""
    rows = re.findall(r"(#\w{6}) *│ *([\d.]+)%", out)
    assert [color for color, _ in rows] == [*segment.COLORS[:3]]
    assert sum(float(share) for _, share in rows) == pytest.approx(100, abs=0.2)
    assert out.splitlines()[-2:] == ["my coffee-mask.png", "my coffee-mask-preview.png"]
    assert images.read("my coffee-mask-preview.png").shape == (515, 768 + 190, 3)
    assert len([*folder.iterdir()]) == 4


def test_with_a_style_each_color_of_the_image_is_in_the_style_too(folder, capsys):
    parser.run(["my coffee.png", "--with", "my chelsea.png", "--regions", "6", "--size", "96"])
    (content, _), (style, shape) = colors("my coffee-mask.png"), colors("my chelsea-mask.png")
    assert shape == images.read("my chelsea.png").shape
    assert len(content) > 1
    assert content <= style
    assert Path("my chelsea-mask-preview.png").exists()
    assert {*re.findall(r"#\w{6}", capsys.readouterr().out)} == content | style


def test_regions_that_the_style_lacks_are_told(folder, capsys, monkeypatch):
    labels = np.zeros((4, 4), int)
    monkeypatch.setattr(segment, "propose", lambda *_, **__: segment.Regions((labels, labels + 1), 2))
    parser.run(["my coffee.png", "--with", "my chelsea.png"])
    out = capsys.readouterr().out
    assert "my chelsea.png lacks 2 of 4 regions: they have the color of its most similar one" in out
    assert re.search(r"#e6194b *│ *100.0% *│ *none", out)


def test_regions_that_are_too_small_are_told(folder, capsys, monkeypatch):
    monkeypatch.setattr(segment, "propose", lambda *_, **__: segment.Regions((np.zeros((4, 4), int),), 0))
    parser.run(["my coffee.png", "--regions", "5"])
    assert "1 of 5 regions are large enough in my coffee.png" in capsys.readouterr().out


def test_output_names_the_mask_and_the_folder_of_the_others(folder):
    arguments = ["my coffee.png", "--with", "my chelsea.png", "--regions", "2", "--size", "64"]
    parser.run([*arguments, "--output", "new/first.png"])
    written = sorted(path.name for path in Path("new").iterdir())
    assert written == [
        "first-preview.png", "first.png", "my chelsea-mask-preview.png", "my chelsea-mask.png"
    ]  # fmt: skip


def test_the_same_image_gives_the_same_bytes(folder):
    for name in ("a.png", "b.png"):
        parser.run(["my coffee.png", "--regions", "4", "--size", "96", "--output", name])
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert Path("a-preview.png").read_bytes() == Path("b-preview.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--regions", "1"], "--regions 1: choose a number from 2 to 20"),
        (["--regions", "21"], "--regions 21: choose a number from 2 to 20"),
        (["--regions", "x"], "argument --regions: invalid int value: 'x': see nst mask --help"),
        (["--size", "63"], "--size 63: choose a number from 64 to 1024"),
        (["--size", "9999"], "--size 9999: choose a number from 64 to 1024"),
        (["--output", "a.jpg"], "a.jpg: a mask is a PNG, which keeps its colors exactly: end the name in .png"),
        (["--output", "old.png"], "old.png exists: give an --output in another folder, or remove it"),
        (["--output", "x.png"], "x-preview.png exists: give an --output in another folder, or remove it"),
        (["--with", "./my chelsea.png"], "my chelsea-mask.png exists: give an --output in another folder"),
        (["--with", "sub/my coffee.png"], "my coffee-mask.png would be the mask of both images: give another --output"),
        (["--with", "absent.png"], "absent.png: no such file, nor a sample of that name (samples: "),
        (["--with", "flat.png"], "flat.png has one color everywhere and no regions: give another image"),
        (["--with", "text.png"], "text.png is empty: "),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_before_anything_is_computed(untouched, arguments, message):
    for name in ("old.png", "x-preview.png", "my chelsea-mask.png", "text.png"):
        Path(name).write_text("")
    images.write("flat.png", np.full((64, 64, 3), 0.5, np.float32))
    before = {path: path.read_bytes() for path in untouched.iterdir()}
    with pytest.raises(InputError) as caught:
        parser.run(["my coffee.png", *arguments])
    assert str(caught.value).startswith(message)
    assert before == {path: path.read_bytes() for path in untouched.iterdir()}


def test_an_image_too_narrow_for_the_network_is_refused(folder):
    images.write("narrow.png", np.random.default_rng(0).uniform(size=(4, 200, 3)).astype(np.float32))
    with pytest.raises(InputError, match="relu5_1"):
        parser.run(["narrow.png"])
    assert not Path("narrow-mask.png").exists()


@pytest.mark.slow
@pytest.mark.skipif(
    not features.weights.loading.cached(features.weights.DEFAULT).exists(), reason="fetches no weights"
)
def test_the_command_divides_a_sample(tmp_path):
    call = [sys.executable, str(ROOT / "scripts" / "mask.py"), "chelsea", "--regions", "3", "--size", "128"]
    for status in (0, 2):
        result = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=300)
        assert result.returncode == status, result.stderr
    assert result.stderr == (
        "error: chelsea-mask.png exists: give an --output in another folder, or remove it\n"
    )
    assert colors(tmp_path / "chelsea-mask.png") == ({*segment.COLORS[:3]}, (300, 451, 3))
