import numpy as np
import pytest
from scipy import ndimage

from nst.segment import regions

GENERATOR = np.random.default_rng(0)


def halves(height=64, width=96):
    labels = np.zeros((height, width), int)
    labels[:, width // 2 :] = 1
    return labels


def parts(labels):
    """The areas of the connected parts of all regions."""
    return [
        area
        for k in np.unique(labels)
        for area in np.bincount(ndimage.label(labels == k)[0].ravel())[1:].tolist()
    ]


def test_small_islands_go_and_large_ones_stay():
    labels = halves()
    labels[10:14, 10:14] = 2
    labels[30:50, 10:30] = 2
    labels[40:44, 70:74] = 0
    clean = regions.cleaned(labels)
    assert sorted(np.unique(clean)) == [0, 1, 2]
    assert (clean[8:16, 8:16] == 0).all()
    assert (clean[32:48, 12:28] == 2).all()
    assert (clean[38:46, 68:76] == 1).all()


def test_an_island_between_two_regions_goes_to_both():
    labels = halves()
    labels[20:26, 45:51] = 2
    np.testing.assert_array_equal(regions.cleaned(labels), halves())


def test_noise_leaves_no_small_part():
    labels = np.where(GENERATOR.uniform(size=(64, 96)) < 0.3, GENERATOR.integers(0, 4, (64, 96)), halves())
    assert min(parts(labels)) == 1
    clean = regions.cleaned(labels)
    assert min(parts(clean)) >= regions.LEAST_SHARE * labels.size
    assert np.mean(clean == halves()) > 0.97


def test_borders_are_smooth():
    labels = halves()
    labels[1::3, 48:50] = 0  # teeth
    assert len(np.unique(regions.cleaned(labels)[4:-4], axis=0)) == 1


def test_regions_without_any_large_part_stay(monkeypatch):
    monkeypatch.setattr(regions, "LEAST_SHARE", 0.6)
    np.testing.assert_array_equal(regions.cleaned(halves()), halves())


@pytest.mark.parametrize("size", [(64, 96), (200, 301), (31, 47)])
def test_resized_labels_have_the_same_shares_and_parts(size):
    labels = halves()
    labels[30:50, 10:30] = 3
    result = regions.enlarged(labels, *size)
    assert result.shape == size
    shares = [[np.mean(each == k) for k in range(4)] for each in (result, labels)]
    np.testing.assert_allclose(*shares, atol=0.02)
    assert len(parts(result)) == 3


def test_labels_of_the_same_size_are_kept():
    labels = GENERATOR.integers(0, 5, (9, 13))
    np.testing.assert_array_equal(regions.enlarged(labels, 9, 13), labels)


def test_borders_move_to_the_edge_of_the_image():
    image = np.zeros((64, 96, 3), np.float32)
    image[:, 52:] = 1
    D = np.stack([halves(8, 12), 1 - halves(8, 12)], axis=2).astype(np.float32)
    result = regions.nearest(D, image)
    assert np.mean(result == (image[..., 0] == 1)) > 0.99
    assert np.mean(regions.nearest(D, np.zeros_like(image)) == halves()) > 0.99
