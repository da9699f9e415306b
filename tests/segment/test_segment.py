import numpy as np
import pytest

from nst import features, images, segment
from nst.features import weights
from nst.segment import _replaced, _sorted

PRETRAINED = pytest.mark.skipif(
    not weights.loading.cached(weights.DEFAULT).exists(), reason="fetches no weights"
)
SIZE = 192


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random", padding="replicate")


def textures(height, width, edge):
    """An image of stripes left of `edge` and checks right of it, and the truth."""
    y, x = np.mgrid[:height, :width]
    truth = (x >= edge).astype(int)
    stripes, checks = 0.5 + 0.4 * np.sin(1.2 * y), 0.1 + 0.8 * ((x // 4 + y // 4) % 2)
    noise = np.random.default_rng(0).normal(0, 0.02, (height, width, 3))
    image = np.where(truth, checks, stripes)[..., None] + noise
    return np.clip(image, 0, 1).astype(np.float32), truth


def agreement(labels, truth):
    return max(np.mean(labels == truth), np.mean(labels == 1 - truth))


def test_two_textures_are_two_regions(network):
    image, truth = textures(128, 192, 64)
    (labels,), absent = segment.propose(network, [image], 2, size=SIZE)
    assert agreement(labels, truth) > 0.97
    assert absent == 0
    assert np.mean(labels == 0) > 0.5  # the largest one is first


def test_one_label_is_the_same_texture_in_both_images(network):
    first, truth = textures(128, 192, 64)
    second, other = textures(128, 192, 128)
    labels = segment.propose(network, [first, second], 2, size=SIZE).labels
    assert np.mean(labels[0] == 1 - truth) > 0.95
    assert np.mean(labels[1] == 1 - other) > 0.95


def test_an_image_has_the_same_regions_as_itself_each_time(network):
    image = images.read("chelsea")[::2, ::2]
    first, second = segment.propose(network, [image, image], 4, size=SIZE).labels
    np.testing.assert_array_equal(first, second)
    again = segment.propose(network, [image, image], 4, size=SIZE).labels
    np.testing.assert_array_equal(first, again[0])


@pytest.mark.parametrize("number", [2, 5, 9])
def test_there_are_as_many_regions_as_asked_for(network, number):
    image = images.fit(images.read("coffee"), SIZE)
    (labels,), _ = segment.propose(network, [image], number, size=SIZE)
    assert labels.shape == image.shape[:2]
    counts = np.bincount(labels.ravel())
    assert len(counts) == number
    assert (np.diff(counts) <= 0).all()
    assert counts.min() >= segment.LEAST_SHARE * labels.size


def test_regions_that_the_other_image_lacks_become_the_nearest_that_it_has():
    first, second = np.array([[0, 1], [2, 3]]), np.array([[0, 3]])
    centers = np.array([[0.0], [1.0], [9.0], [10.0]])
    labels, absent = _replaced([first, second], centers)
    np.testing.assert_array_equal(labels, [[0, 0], [3, 3]])
    assert absent == 2


def test_no_region_of_the_first_image_alone_is_left():
    first, second = np.array([[0, 1]]), np.array([[2, 2]])
    labels, absent = _replaced([first, second], np.zeros((3, 1)))
    np.testing.assert_array_equal(labels, [[2, 2]])
    assert absent == 2


def test_a_single_image_lacks_nothing():
    labels, absent = _replaced([np.array([[2, 0]])], np.zeros((3, 1)))
    np.testing.assert_array_equal(labels, [[2, 0]])
    assert absent == 0


def test_three_images_share_what_all_others_have():
    images = [np.array([[0, 1, 2]]), np.array([[0, 1]]), np.array([[1, 2]])]
    labels, absent = _replaced(images, np.array([[0.0], [1.0], [9.0]]))
    np.testing.assert_array_equal(labels, [[1, 1, 1]])
    assert absent == 2


def test_every_region_of_the_first_image_is_in_the_second(network, monkeypatch):
    image, truth = textures(64, 96, 32)
    clusters = iter([truth, np.ones_like(truth)])
    monkeypatch.setattr(segment, "nearest", lambda *_: next(clusters))
    (first, second), absent = segment.propose(network, [image, image], 2, size=96)
    np.testing.assert_array_equal(first, second)
    assert absent == 1


def test_regions_are_numbered_by_their_share_in_the_first_image():
    first, second = np.array([[5, 5, 2]]), np.array([[2, 7, 7, 7, 1]])
    np.testing.assert_array_equal(
        np.concatenate(_sorted([first, second]), axis=1), [[0, 0, 1, 1, 2, 2, 2, 3]]
    )


@PRETRAINED
def test_the_pretrained_network_tells_textures_apart():
    image, truth = textures(128, 192, 64)
    (labels,), _ = segment.propose(features.load(padding="replicate"), [image], 2, size=SIZE)
    assert agreement(labels, truth) > 0.97


@PRETRAINED
def test_the_pretrained_network_tells_a_wall_from_a_person():
    (labels,), _ = segment.propose(
        features.load(padding="replicate"), [images.read("astronaut")], 4, size=256
    )
    wall, suit = labels[20:120, 260:350], labels[330:420, 90:200]
    background, clothes = (np.bincount(each.ravel()).argmax() for each in (wall, suit))
    assert background != clothes
    assert np.mean(wall == background) > 0.95
    assert np.mean(suit == clothes) > 0.9
