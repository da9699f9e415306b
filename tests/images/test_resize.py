import jax.image
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst import images
from nst.images.resize import cover

GENERATOR = np.random.default_rng(1)
SIDES = st.integers(1, 40)


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES)
def test_the_size_is_exact_and_a_constant_stays(height, width, new_height, new_width):
    resized = images.resize(np.full((height, width, 3), 0.3, np.float32), new_height, new_width)
    assert resized.shape == (new_height, new_width, 3)
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized, 0.3, atol=1e-6)


@pytest.mark.parametrize("size", [(333, 517), (64, 48), (1, 7), (200, 11)])
def test_it_agrees_with_jax(size):
    image = GENERATOR.random((97, 121, 3), np.float32)
    expected = jax.image.resize(image, (*size, 3), "cubic", antialias=True)
    np.testing.assert_allclose(images.resize(image, *size), expected, atol=2e-5)


def test_the_same_size_is_the_same_image():
    image = GENERATOR.random((9, 7, 3), np.float32)
    np.testing.assert_array_equal(images.resize(image, 9, 7), image)


def test_channels_do_not_mix():
    image = np.zeros((20, 30, 3), np.float32)
    image[..., 1] = GENERATOR.random((20, 30))
    resized = images.resize(image, 13, 41)
    assert (resized[..., [0, 2]] == 0).all()
    assert resized[..., 1].std() > 0.1


def test_a_fine_checkerboard_becomes_gray():
    board = (np.indices((240, 240)).sum(axis=0) % 2).astype(np.float32)
    resized = images.resize(np.repeat(board[..., None], 3, axis=2), 71, 71)
    np.testing.assert_allclose(resized[3:-3, 3:-3], 0.5, atol=0.02)


def test_reduction_keeps_the_mean():
    image = GENERATOR.random((240, 360, 3), np.float32)
    np.testing.assert_allclose(images.resize(image, 30, 45).mean((0, 1)), image.mean((0, 1)), atol=2e-3)


@pytest.mark.parametrize(("have", "want"), [(50, 173), (200, 61)])
def test_a_gradient_stays_a_gradient(have, want):
    """Pixel centers lie at (i + ½)/n of the side, before and after."""
    ramp = (np.arange(have) + 0.5) / have
    image = np.broadcast_to(ramp[None, :, None], (8, have, 3)).astype(np.float32)
    resized = images.resize(image, 8, want)
    inside = slice(want // 10, -(want // 10))
    expected = ((np.arange(want) + 0.5) / want)[inside, None]
    np.testing.assert_allclose(resized[4, inside], np.repeat(expected, 3, axis=1), atol=1e-5)


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        ((300, 400), 200, (150, 200)),
        ((400, 300), 512, (512, 384)),
        ((333, 517), 333, (214, 333)),
        ((3, 10_000), 512, (1, 512)),
        ((1, 1), 64, (64, 64)),
        ((517, 333), 1, (1, 1)),
    ],
)
def test_fit_size(size, longest, expected):
    assert images.fit_size(*size, longest) == expected


def test_fit():
    assert images.fit(GENERATOR.random((33, 51, 3), np.float32), 24).shape == (16, 24, 3)


def test_cover_cuts_both_ends_and_keeps_the_aspect():
    """A wide image of three parts: the middle one remains unchanged."""
    image = np.zeros((40, 120, 3), np.float32)
    image[:, 40:80] = GENERATOR.random((40, 40, 3))
    np.testing.assert_allclose(cover(image, 40, 40), image[:, 40:80], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES)
def test_cover_is_exact_in_size_and_centered(height, width, new_height, new_width):
    half = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    image = np.broadcast_to(half if width > 1 else half + 0.5, (height, width, 3))
    covered = cover(image, new_height, new_width)
    assert covered.shape == (new_height, new_width, 3)
    np.testing.assert_allclose(covered.mean(), 0.5, atol=1e-4)


def test_a_sliver_covers_a_large_image_cheaply():
    assert cover(np.full((3, 10_000, 3), 0.5, np.float32), 400, 300).shape == (400, 300, 3)
