"""Laplacian coefficients: reconstruction, levels, and their use as parameters."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from nst import features, laplacian
from nst.objective import PARAMETERS, Objective

GENERATOR = np.random.default_rng(0)
SHALLOW = features.load("shallow")


@pytest.mark.parametrize("size", [(64, 96), (37, 53), (5, 9), (1, 7)])
def test_coefficients_give_the_image_back(size):
    image = GENERATOR.random((*size, 3)).astype(np.float32)
    levels = laplacian.coefficients(image)
    np.testing.assert_allclose(laplacian.reconstruct(levels), image, atol=1e-5)
    assert levels[0].shape == image.shape
    for finer, coarser in itertools.pairwise(levels):
        assert coarser.shape[:2] == (finer.shape[0] // 2, finer.shape[1] // 2)
    assert len(levels) == 1 + min(laplacian.LEVELS, int(np.log2(min(size))))


def test_a_constant_image_has_no_detail():
    *details, rest = laplacian.coefficients(jnp.full((64, 64, 3), 0.25))
    for detail in details:
        np.testing.assert_allclose(detail, 0, atol=1e-6)
    np.testing.assert_allclose(rest, 0.25, rtol=1e-6)


def test_each_parameterization_reconstructs_the_image():
    image = GENERATOR.random((24, 32, 3)).astype(np.float32)
    for name, parameterization in PARAMETERS.items():
        reconstructed = Objective(SHALLOW, {}, name).image(parameterization.of(image))
        np.testing.assert_allclose(reconstructed, image, atol=1e-5)
