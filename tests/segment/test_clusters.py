import numpy as np
from scipy.spatial.distance import cdist

from nst.segment import clusters

GENERATOR = np.random.default_rng(0)


def blobs(*means, count=50):
    return np.concatenate([np.asarray(mean) + 0.1 * GENERATOR.normal(size=(count, 2)) for mean in means])


def test_centers_are_the_means_of_groups_far_apart():
    points = blobs((0, 0), (9, 0), (0, 9))
    result = clusters.centers(points, 3)
    means = points.reshape(3, 50, 2).mean(axis=1)
    np.testing.assert_allclose(
        result[np.lexsort(result.T[::-1])], means[np.lexsort(means.T[::-1])], atol=1e-6
    )


def test_the_same_points_have_the_same_centers():
    points = GENERATOR.normal(size=(300, 5))
    np.testing.assert_array_equal(clusters.centers(points, 6), clusters.centers(points, 6))


def test_there_are_no_more_centers_than_distinct_points():
    assert len(clusters.centers(np.repeat([[1.0, 0], [0, 1]], 9, axis=0), 5)) == 2
    assert len(clusters.centers(np.zeros((9, 2)), 3)) == 1


def test_the_best_try_is_taken(monkeypatch):
    points = blobs((0, 0), (40, 0), (40, 9))
    stuck, good = points[[0, 1, 50]], points[[0, 50, 100]]
    starts = iter([stuck, stuck, good, stuck])
    monkeypatch.setattr(clusters, "_first", lambda *_: next(starts))
    assert clusters.distances(points, clusters.centers(points, 3)).min(axis=1).max() < 1


def test_first_centers_are_in_different_groups():
    points = blobs(*[(9 * i, 9 * j) for i in range(4) for j in range(4)])
    for seed in range(5):
        result = clusters._first(points, 16, np.random.default_rng(seed))
        assert len(np.unique(np.rint(result / 9), axis=0)) >= 15


def test_distances_are_squares_of_euclidean_ones():
    points, centers = GENERATOR.normal(size=(3, 4, 5)), GENERATOR.normal(size=(6, 5))
    expected = cdist(points.reshape(-1, 5), centers, "sqeuclidean").reshape(3, 4, 6)
    np.testing.assert_allclose(clusters.distances(points, centers), expected)
