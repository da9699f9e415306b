"""Straight edges: the measure on edges of known shapes, and results with and without the matting Laplacian."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from benchmarks.lines import deviation, edges, positions, scene, stylized
from nst import features

TILE = 32


def waved(image, amplitude, period):
    """Displace rows by a sine wave along the columns, so that vertical edges become waves."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    points = y, x - amplitude * np.sin(2 * np.pi * (y + 0.5) / period)
    return np.stack([map_coordinates(image[..., c], points, order=3, mode="nearest") for c in range(3)], -1)


def test_straight_edges_are_straight_to_a_tenth_of_a_pixel():
    assert len(edges(TILE)) == 24
    assert deviation(scene(TILE), TILE) < 0.1
    for edge in edges(TILE):
        assert np.abs(positions(scene(TILE), edge)[1]).max() < 0.4


def test_the_position_of_an_edge_follows_its_wave():
    image = waved(scene(64), 1.5, 40)
    edge = min(edges(64), key=lambda edge: abs(edge.along[1]) + edge.middle.sum() / 1e3)
    t, position = positions(image, edge)
    assert abs(edge.along[0]) == pytest.approx(1)
    rows = edge.middle[0] + edge.along[0] * t
    expected = 1.5 * edge.along[0] * np.sin(2 * np.pi * rows / 40)
    np.testing.assert_allclose(position, expected, atol=0.4)


@pytest.mark.slow
def test_the_matting_laplacian_keeps_straight_edges_straight():
    network, content = features.load(weights="random"), scene(TILE)
    without, with_term = (
        deviation(stylized(content, "strokes", weight, steps=40, extractor=network), TILE)
        for weight in (0.0, 1e5)
    )
    assert without > 0.4
    assert with_term < 0.2 * without
