"""Clusters of points by k-means; the same points give the same clusters."""

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "n c"]
Centers = Float[np.ndarray, "k c"]

_TRIES = 4
_TOLERANCE = 1e-4  # of the mean distance, where points are about 2 from their mean
_SEED = 0


def centers(points: Points, number: int) -> Centers:
    """Return the centers of clusters: the best of several runs of k-means.

    Args:
      points: `[n, c]`.
      number: The number of clusters.

    Returns:
      `[k, c]`, where k is less than `number` if there are fewer distinct points.
    """
    from scipy.cluster.vq import kmeans  # a tenth of a second to import

    generator = np.random.Generator(np.random.PCG64(_SEED))
    tries = [kmeans(points, _first(points, number, generator), thresh=_TOLERANCE) for _ in range(_TRIES)]
    return min(tries, key=lambda found: found[1])[0]


def distances(points: Float[np.ndarray, "*shape c"], centers: Centers) -> Float[np.ndarray, "*shape k"]:
    """Return the squared distance of each point to each center."""
    products = points @ centers.T
    squares = np.sum(np.square(points), axis=-1, keepdims=True)
    return squares - 2 * products + np.sum(np.square(centers), axis=-1)


def _first(points: Points, number: int, generator: np.random.Generator) -> Centers:
    """Return the first centers of k-means++ (Arthur and Vassilvitskii 2007): points far from those before."""
    chosen = [points[generator.integers(len(points))]]
    gaps = np.full(len(points), np.inf)
    while len(chosen) < number:
        gaps = np.minimum(gaps, np.sum(np.square(points - chosen[-1]), axis=1, dtype=np.float64))
        if not gaps.any():
            break
        chosen.append(points[generator.choice(len(points), p=gaps / gaps.sum())])
    return np.stack(chosen)
