import warnings

import numpy as np
import PIL.Image
import pytest

from nst import images
from nst.errors import InputError
from nst.images import ImageWarning

GRAY = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
LABELS = np.zeros((60, 80, 3), np.float32)
LABELS[:, :30] = (1, 0, 0)
LABELS[:20, 30:] = (0, 0, 1)
AREAS = {"#000000": 2000, "#ff0000": 1800, "#0000ff": 1000}


def bytes_of(mask):
    return np.round(mask * 255).astype(np.uint8)


@pytest.mark.parametrize(
    "mask",
    [
        GRAY,
        np.stack([GRAY] * 3, -1),
        bytes_of(GRAY),
        PIL.Image.fromarray(bytes_of(GRAY)),
        PIL.Image.fromarray(bytes_of(GRAY)).convert("RGB"),
    ],
)
def test_a_gray_mask_in_any_form(mask):
    np.testing.assert_allclose(images.as_mask("mask", mask), GRAY, atol=0.6 / 255)


def test_a_mask_of_booleans_and_of_a_file(tmp_path):
    np.testing.assert_array_equal(images.as_mask("mask", GRAY > 0.5), (GRAY > 0.5).astype(np.float32))
    path = tmp_path / "mask.png"
    PIL.Image.fromarray(bytes_of(GRAY)).save(path)
    np.testing.assert_allclose(images.as_mask("mask", path), GRAY, atol=0.6 / 255)
    sixteen = tmp_path / "sixteen.png"
    PIL.Image.fromarray(np.round(GRAY * 65535).astype(np.uint16)).save(sixteen)
    np.testing.assert_allclose(images.as_mask("mask", sixteen), GRAY, atol=1e-4)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((3, 4)), "black everywhere"),
        (LABELS, "has colors"),
        (GRAY * 200, "divide by 255"),
        (np.full((3, 4), np.nan), "finite"),
        ("absent.png", "no such file"),
    ],
)
def test_masks_that_are_refused(mask, message):
    with pytest.raises(InputError, match=message):
        images.as_mask("mask", mask)


def test_labels_are_regions_by_color_from_the_largest():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regions = images.labels("labels", LABELS)
    assert {color: int(mask.sum()) for color, mask in regions.items()} == AREAS
    assert [*regions] == [*AREAS]
    np.testing.assert_array_equal(sum(regions.values()), np.ones((60, 80)))


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_colors_that_compression_changed_belong_to_the_nearest(tmp_path, suffix):
    path = tmp_path / f"labels{suffix}"
    images.write(path, LABELS, quality=70)
    with pytest.warns(ImageWarning, match="off the 3 colors"):
        regions = images.labels("labels", images.read(path))
    assert len(regions) == 3
    for mask, area in zip(regions.values(), AREAS.values(), strict=True):
        assert abs(mask.sum() - area) < 60


def test_a_photograph_is_no_label_image():
    with pytest.raises(InputError, match="flat colors"):
        images.labels("astronaut", images.read("astronaut"))


def test_names_of_colors():
    assert [images.color_name(text) for text in ("red", "#0f0", "#0000FF", "rgb(1, 2, 3)")] == [
        "#ff0000",
        "#00ff00",
        "#0000ff",
        "#010203",
    ]
    with pytest.raises(InputError, match="give a name such as red"):
        images.color_name("rde")


def test_aspects():
    images.check_aspect("mask", (100, 150), (400, 600))
    images.check_aspect("mask", (67, 100), (400, 600))
    with pytest.raises(InputError, match="mask has 100×150 pixels and its image 600×400"):
        images.check_aspect("mask", (150, 100), (400, 600))
