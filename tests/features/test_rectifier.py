"""The rectifier is JAX's own, and so is its gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst.features.rectifier import relu


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit, jax.vmap])
def test_it_is_jaxs(transform):
    x = jnp.array([[-2.0, -0.0, 0.0, 1e-38], [3.0, jnp.inf, -jnp.inf, jnp.nan]])
    ours, theirs = (jax.vjp(transform(function), x) for function in (relu, jax.nn.relu))
    np.testing.assert_array_equal(transform(relu)(x), theirs[0])
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(ours[1](x + 1)[0], theirs[1](x + 1)[0])
