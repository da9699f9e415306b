import io
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import PIL.features
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from nst import images
from nst.errors import InputError

GENERATOR = np.random.default_rng(7)
PICTURE = GENERATOR.integers(0, 256, (5, 8, 3), np.uint8)
OPACITY = np.linspace(0, 255, 40).round().astype(np.uint8).reshape(5, 8)


def save(path, picture, **options):
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp", "A.PNG"])
def test_lossless_formats_give_the_values_over_255(tmp_path, name):
    path = save(tmp_path / name, PICTURE, **({"lossless": True} if name == "a.webp" else {}))
    image = images.read(path)
    assert image.dtype == np.float32
    assert image.flags.c_contiguous
    np.testing.assert_allclose(image, PICTURE / 255, atol=1e-7)


def test_jpeg_comes_close(tmp_path):
    smooth = np.broadcast_to(np.linspace(20, 230, 64, dtype=np.uint8)[:, None], (32, 64, 3))
    path = save(tmp_path / "a.jpg", np.ascontiguousarray(smooth), quality=95)
    np.testing.assert_allclose(images.read(path), smooth / 255, atol=0.02)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [(mode, suffix) for mode in ("1", "L", "LA", "P", "RGBA") for suffix in (".png", ".tif")]
    + [("PA", ".tif"), ("CMYK", ".tif"), ("CMYK", ".jpg"), ("1", ".bmp"), ("L", ".gif")],
)
def test_every_mode_gives_three_channels(tmp_path, mode, suffix):
    picture = Image.fromarray(PICTURE).convert(mode)
    image = images.read(save(tmp_path / f"a{suffix}", picture))
    assert image.shape == (5, 8, 3)
    if mode in ("1", "L", "LA"):
        expected = np.asarray(picture.convert("L"), np.float32)[..., None] / 255
        np.testing.assert_allclose(image, np.repeat(expected, 3, axis=2), atol=1e-7)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_alpha_is_composed_on_white(tmp_path, suffix):
    picture = np.dstack([PICTURE, OPACITY])
    options = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    image = images.read(save(tmp_path / f"a{suffix}", picture, **options))
    alpha = OPACITY[..., None] / 255
    np.testing.assert_allclose(image, PICTURE / 255 * alpha + (1 - alpha), atol=1e-6)


def test_gray_with_alpha_is_composed_on_white(tmp_path):
    image = images.read(save(tmp_path / "a.png", np.dstack([PICTURE[..., 0], OPACITY])))
    alpha = OPACITY / 255
    expected = PICTURE[..., 0] / 255 * alpha + (1 - alpha)
    np.testing.assert_allclose(image, np.repeat(expected[..., None], 3, axis=2), atol=1e-6)


def _palette_picture() -> Image.Image:
    picture = Image.frombytes("P", (2, 2), bytes(range(4)))
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30])
    return picture


@pytest.mark.parametrize(
    ("name", "transparency", "opacity"),
    [
        ("a.png", bytes([255, 128, 0, 64]), [255, 128, 0, 64]),
        ("a.png", 2, [255, 255, 0, 255]),
        ("a.gif", 2, [255, 255, 0, 255]),
    ],
)
def test_palette_transparency_is_composed_on_white(tmp_path, name, transparency, opacity):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = save(tmp_path / name, _palette_picture(), transparency=transparency)
    alpha = np.array(opacity).reshape(2, 2, 1) / 255
    palette = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [10, 20, 30]]]) / 255
    np.testing.assert_allclose(images.read(path), palette * alpha + (1 - alpha), atol=1e-6)


def test_a_color_key_is_transparent(tmp_path):
    picture = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    image = images.read(save(tmp_path / "a.png", picture, transparency=(1, 2, 3)))
    np.testing.assert_allclose(image, [[[1, 1, 1], np.array([4, 5, 6]) / 255]], atol=1e-7)


def test_cmyk_without_a_profile_is_ideal_inks(tmp_path):
    inks = np.array([[[0, 0, 0, 0], [255, 0, 0, 0], [0, 0, 0, 255], [51, 102, 0, 128]]], np.uint8)
    image = images.read(save(tmp_path / "a.tif", Image.frombytes("CMYK", (4, 1), inks.tobytes())))
    c, m, y, k = np.moveaxis(inks / 255, 2, 0)
    expected = np.stack([(1 - c) * (1 - k), (1 - m) * (1 - k), (1 - y) * (1 - k)], -1)
    np.testing.assert_allclose(image, expected, atol=1e-6)


# The operation that turns stored pixels upright, by the EXIF standard's table 7.
UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.transpose(a, (1, 0, 2)),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.transpose(a, (1, 0, 2)), 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_orientation(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == ".webp" else {}
    path = save(tmp_path / f"a{suffix}", PICTURE, exif=exif, **options)
    np.testing.assert_allclose(images.read(path), UPRIGHT[orientation](PICTURE) / 255, atol=1e-7)


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_orientation_of_jpeg(tmp_path, orientation):
    quadrants = np.kron(np.array([[0, 80, 160], [240, 200, 40]], np.uint8), np.ones((16, 16), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.jpg", np.dstack([quadrants] * 3), exif=exif, quality=95)
    expected = UPRIGHT[orientation](np.dstack([quadrants] * 3)) / 255
    np.testing.assert_allclose(images.read(path), expected, atol=0.02)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_unknown_orientation_is_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", PICTURE, exif=exif)
    np.testing.assert_allclose(images.read(path), PICTURE / 255, atol=1e-7)


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0garbage",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\xff\xff\xff\x7f\0\0\0\0",
        b"Exif\0\0",
    ],
)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_broken_exif_is_passed_over(tmp_path, exif, suffix):
    path = save(tmp_path / f"a{suffix}", np.full((6, 9, 3), 120, np.uint8), exif=exif)
    np.testing.assert_allclose(images.read(path), np.full((6, 9, 3), 120 / 255), atol=0.01)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tif"])
def test_of_several_frames_the_first_with_a_warning(tmp_path, suffix):
    frames = [Image.new("RGB", (6, 4), color) for color in ("red", "blue")]
    path = tmp_path / f"a{suffix}"
    options = {"lossless": True} if suffix == ".webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    with pytest.warns(images.ImageWarning, match="the first is read"):
        image = images.read(path)
    np.testing.assert_allclose(image, np.broadcast_to([1, 0, 0], (4, 6, 3)), atol=0.01)


def test_one_frame_does_not_warn(tmp_path):
    images.read(save(tmp_path / "a.gif", Image.new("RGB", (6, 4), "red")))  # warnings are errors


def test_a_cameras_second_image_does_not_warn(tmp_path):
    path = tmp_path / "a.jpg"
    views = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    views[0].save(path, "MPO", save_all=True, append_images=views[1:])
    np.testing.assert_allclose(images.read(path)[0, 0], [1, 0, 0], atol=0.02)


@pytest.mark.parametrize(
    "name", ["with space.png", "Übung 日本 🎨.png", "-leading.png", "--flag=1.png", "a.b.c.png", "%41$X.png"]
)
def test_unusual_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / name, PICTURE)
    np.testing.assert_allclose(images.read(name), PICTURE / 255, atol=1e-7)
    assert images.list_images(".") == [Path(name)]


def test_a_wrong_extension_does_not_matter(tmp_path):
    path = tmp_path / "a.jpg"
    stream = io.BytesIO()
    Image.fromarray(PICTURE).save(stream, "PNG")
    path.write_bytes(stream.getvalue())
    np.testing.assert_allclose(images.read(path), PICTURE / 255, atol=1e-7)


@pytest.mark.parametrize(("format", "orientation"), [("AVIF", 1), ("AVIF", 6), ("HEIF", 1), ("HEIF", 6)])
@pytest.mark.parametrize("extension", ["avif", "heic", "jpg"])
def test_photographs_of_phones(tmp_path, format, orientation, extension):
    pytest.importorskip("pillow_heif").register_heif_opener()
    if format == "AVIF" and not PIL.features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    smooth = np.linspace(0, 255, 48 * 64 * 3).reshape(48, 64, 3).astype(np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / f"a.{extension}"
    stream = io.BytesIO()
    Image.fromarray(smooth).save(stream, format, quality=95, exif=exif.tobytes())
    path.write_bytes(stream.getvalue())
    assert images.list_images(tmp_path) == [path]
    expected = smooth if orientation == 1 else np.rot90(smooth, -1)
    np.testing.assert_allclose(images.read(path), expected / 255, atol=0.03)


def test_a_photograph_of_a_phone_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(
        InputError, match=r"IMG_0001.HEIC is a HEIC image: pip install 'nst\[heif\]', or convert"
    ):
        images.read(path)
    path.write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0mp42avc1")
    with pytest.raises(InputError, match="is not an image that can be read"):
        images.read(path)


def test_a_sample_by_name():
    image = images.read("astronaut")
    assert image.shape == (512, 512, 3)
    assert images.list_images("astronaut")[0].is_file()


def test_a_sample_wins_over_a_file_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "astronaut", PICTURE, format="PNG")
    with pytest.warns(
        UserWarning, match="astronaut is the sample; the file or folder of that name is ./astronaut"
    ):
        assert images.read("astronaut").shape == (512, 512, 3)
    for path in ("./astronaut", Path("astronaut")):
        assert images.read(path).shape == PICTURE.shape
    (tmp_path / "coffee").mkdir()
    with pytest.warns(UserWarning, match="coffee is the sample"):
        assert images.list_images("coffee")[0].is_file()
    with pytest.warns(UserWarning, match="coffee is the sample"):
        images.read("coffee")
    assert images.each("coffee") == ["coffee"]
    with pytest.raises(InputError, match="coffee has no images"):
        images.list_images("./coffee")


def test_a_path_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    images.write("~/a.png", PICTURE / np.float32(255))
    assert (tmp_path / "a.png").is_file()
    assert images.read("~/a.png").shape == PICTURE.shape
    assert images.list_images("~") == [tmp_path / "a.png"]
    assert images.each("~") == [str(tmp_path / "a.png")]
    with pytest.raises(InputError, match="no such file"):
        images.read("~nobody-of-that-name/a.png")


def _fifo(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda path: None, "no such file, nor a sample"),
        (lambda path: path.mkdir(), "is a folder"),
        (_fifo, "not a regular file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.symlink_to(path), "cannot be read"),
    ],
    ids=["missing", "folder", "pipe", "empty", "loop"],
)
def test_what_is_no_file_is_refused_in_one_line(tmp_path, make, cause):
    path = tmp_path / "input.png"
    make(path)
    with pytest.raises(InputError, match=cause) as caught:
        images.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["x" * 300, "nul\0byte"])
def test_impossible_names_are_refused(name):
    with pytest.raises(InputError):
        images.read(name)


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png", PICTURE)

    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(
        InputError, match=r"a\.png cannot be read \(Permission denied\): check its permissions"
    ):
        images.read(path)


def test_list_pictures_of_a_folder_sorts_and_selects(tmp_path):
    for name in ("b.png", "a.JPG", "c.webp", "notes.txt", ".hidden.png", "d.eps"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    with pytest.warns(UserWarning, match=r"not images by their extensions, left out: d.eps, notes.txt$"):
        paths = images.list_images(tmp_path)
    assert [path.name for path in paths] == ["a.JPG", "b.png", "c.webp"]
    for i in range(5):
        (tmp_path / f"e{i}.psd").write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"left out: d.eps, e0.psd, e1.psd, e2.psd, e3.psd and 2 more$"):
        images.list_images(tmp_path)


def test_list_pictures_of_a_file_is_that_file(tmp_path):
    path = save(tmp_path / "a.png", PICTURE)
    assert images.list_images(str(path)) == [path]


@pytest.mark.parametrize(("name", "cause"), [("empty", "has no images"), ("missing", "no such file")])
def test_list_pictures_refuses(tmp_path, name, cause):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=cause):
        images.list_images(tmp_path / name)


def test_texts_do_not_matter(tmp_path):
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("Comment", "naïve", zip=True)
    path = save(tmp_path / "a.png", PICTURE, pnginfo=texts)
    np.testing.assert_allclose(images.read(path), PICTURE / 255, atol=1e-7)
