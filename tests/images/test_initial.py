import numpy as np
import pytest

from nst import images
from nst.errors import InputError

GENERATOR = np.random.default_rng(6)
CONTENT = GENERATOR.random((120, 90, 3), np.float32)
STYLE = GENERATOR.random((50, 200, 3), np.float32)


def test_content():
    np.testing.assert_array_equal(images.initial("content", CONTENT, STYLE, seed=0), CONTENT)


def test_style_fills_the_contents_size():
    image = images.initial("style", CONTENT, np.full((50, 200, 3), 0.25, np.float32), seed=0)
    assert image.shape == CONTENT.shape
    np.testing.assert_allclose(image, 0.25, atol=1e-6)


def test_style_of_the_same_size_is_itself():
    np.testing.assert_allclose(
        images.initial("style", CONTENT, CONTENT[::-1], seed=0), CONTENT[::-1], atol=1e-6
    )


def test_noise_has_the_stated_distribution():
    image = images.initial("noise", np.zeros((400, 300, 3), np.float32), STYLE, seed=4)
    assert image.dtype == np.float32
    assert abs(image.mean() - 0.5) < 1e-3
    assert abs(image.std() - 0.1) < 1e-3
    assert abs((np.abs(image - 0.5) < 0.1).mean() - 0.6827) < 5e-3  # one standard deviation of a normal law


def test_gray_is_the_mean_of_vgg_with_a_trace_of_noise():
    image = images.initial("gray", np.zeros((400, 300, 3), np.float32), STYLE, seed=4)
    assert image.dtype == np.float32
    image = 255 * image.astype(np.float64)
    np.testing.assert_allclose(image.mean((0, 1)), (123.68, 116.779, 103.939), atol=1e-3)
    np.testing.assert_allclose(image.std((0, 1)), 0.001, rtol=0.02)


def test_noise_is_given_by_its_seed():
    first, again, other = (images.initial("noise", CONTENT, STYLE, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_a_path_is_read_and_resized(tmp_path):
    images.write(tmp_path / "a.png", np.full((40, 30, 3), 0.6, np.float32))
    image = images.initial(str(tmp_path / "a.png"), CONTENT, STYLE, seed=0)
    assert image.shape == CONTENT.shape
    np.testing.assert_allclose(image, 0.6, atol=1e-6)


def test_a_sample_is_read():
    assert images.initial("astronaut", CONTENT, STYLE, seed=0).shape == CONTENT.shape


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="no such file"):
        images.initial("whitenoise", CONTENT, STYLE, seed=0)
