"""Images in memory: which are taken, and what to do about the others."""

import re

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from nst import features, images
from nst.errors import InputError

BYTES = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
FLOATS = BYTES / np.float32(255)


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random")


@pytest.mark.parametrize(
    "image", [BYTES, FLOATS, jnp.asarray(FLOATS), FLOATS.astype(np.float64), Image.fromarray(BYTES)]
)
def test_images_in_memory(image):
    result = images.as_image("content", image)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, FLOATS, atol=1e-7)


def test_an_image_of_pillow_is_as_its_file(tmp_path):
    image = Image.fromarray(np.dstack([BYTES, BYTES[..., 0]]))  # with transparency
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(images.as_image("content", image), images.read(tmp_path / "a.png"))
    image = Image.fromarray(BYTES).convert("P")
    image.save(tmp_path / "p.png")
    np.testing.assert_array_equal(images.as_image("content", image), images.read(tmp_path / "p.png"))


def test_an_image_of_pillow_with_more_than_8_bits_is_refused():
    with pytest.raises(InputError, match="style is of Pillow's mode F: scale it to 8 bits"):
        images.as_image("style", Image.fromarray(FLOATS[..., 0]))


WRONG = [
    (np.moveaxis(FLOATS, 2, 0), "channels come last"),
    (FLOATS[None], "give one image of the batch"),
    (FLOATS[..., 0], "repeat gray values"),
    (FLOATS[..., :1], "repeat gray values"),
    (BYTES.astype(np.int32), "give bytes (uint8) or floats from 0 to 1"),
    (FLOATS > 0.5, "give bytes (uint8) or floats from 0 to 1"),
    (FLOATS[..., :2], "give an image [h, w, 3]"),
]


@pytest.mark.parametrize(("array", "remedy"), WRONG)
def test_another_array_is_refused_with_what_to_do(network, array, remedy, tmp_path):
    message = re.escape(f"{array.dtype} {array.shape}: {remedy}")
    with pytest.raises(InputError, match=f"^content is {message}"):
        images.as_image("content", array)
    with pytest.raises(InputError, match=message):
        images.write(tmp_path / "a.png", array)
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=f"^the image is {message}"):
        network(jnp.asarray(array), ("relu1_1",))


def test_a_network_takes_no_transparency(network):
    with pytest.raises(InputError, match=re.escape("leave transparency out: [..., :3]")):
        network(jnp.zeros((20, 30, 4)), ("relu1_1",))


def test_the_remedies_work():
    for remedied in (
        np.moveaxis(np.moveaxis(FLOATS, 2, 0), 0, 2),
        FLOATS[None][0],
        np.stack([FLOATS[..., 0]] * 3, axis=-1),
        np.dstack([FLOATS, FLOATS[..., 0]])[..., :3],
    ):
        assert images.as_image("content", remedied).shape == FLOATS.shape


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (BYTES.astype(np.float32), "values from 0.0 to 255.0: divide by 255"),
        (FLOATS * 3 - 1, "give finite values from 0 to 1"),
        (np.full((4, 4, 3), np.nan), "give finite values from 0 to 1"),
        (np.zeros((0, 4, 3)), "it has no pixels"),
    ],
)
def test_values_are_checked(image, message):
    with pytest.raises(InputError, match=message):
        images.as_image("content", image)


def test_bytes_are_written_as_they_are(tmp_path):
    for image in (BYTES, Image.fromarray(BYTES), FLOATS):
        images.write(tmp_path / "a.png", image)
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), BYTES)


def test_a_network_takes_bytes(network):
    of_bytes, of_floats = (network(jnp.asarray(x), ("relu2_1",))["relu2_1"] for x in (BYTES, FLOATS))
    np.testing.assert_allclose(of_bytes, of_floats, rtol=1e-4, atol=1e-4)
