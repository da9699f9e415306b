"""Box constraints and the average of iterates against NumPy, and their use in a run."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from nst import optim
from nst.optim import averaging
from nst.optimize import by_vjp, minimize, start

GENERATOR = np.random.default_rng(0)


def test_updates_are_clipped_to_a_box():
    x, update = GENERATOR.random((4, 5)), GENERATOR.standard_normal((4, 5))
    box = averaging.keep_in_box(0.0, 1.0)
    clipped, _ = box.update(jnp.asarray(update, jnp.float32), box.init(x), jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(x + clipped, np.clip(x + update, 0, 1), atol=1e-6)


def test_the_average_weights_each_iterate_less_than_the_next():
    decay, average = 0.9, averaging.average_iterates(0.9)
    params = {"x": jnp.zeros(3)}
    state, iterates = average.init(params), []
    np.testing.assert_array_equal(averaging.averaged(state, None)["x"], 0)
    for _ in range(12):
        update = {"x": jnp.asarray(GENERATOR.standard_normal(3), jnp.float32)}
        passed, state = average.update(update, state, params)
        assert passed is update
        params = optax.apply_updates(params, passed)
        iterates.append(np.asarray(params["x"], np.float64))
    weights = decay ** np.arange(11, -1, -1)
    expected = np.average(iterates, axis=0, weights=weights)
    np.testing.assert_allclose(averaging.averaged(state, params)["x"], expected, rtol=1e-5, atol=1e-6)


def test_without_an_average_the_parameters_are_the_result():
    x = jnp.ones(3)
    assert averaging.averaged(optim.adam().init(x), x) is x


def test_adam_stays_in_the_box_and_its_average_is_steadier():
    """Noise at each step moves the iterates far more than their average."""

    def loss(x, args, key):
        noise = jax.random.normal(key, x.shape)
        value = jnp.sum(jnp.square(x - 0.9)) + 0.3 * jnp.vdot(noise, x)
        return value, {"loss": value}

    def keys(step):
        return jax.random.fold_in(jax.random.key(0), step)

    method = optim.optimizer("adam_average", ["loss"])
    state = start(by_vjp(loss), jnp.zeros(50), method, None, batch=keys(0))
    state = minimize(by_vjp(loss), state, method, 400, None, keys)
    average = averaging.averaged(state.optimizer, state.params)
    assert 0 <= float(state.params.min()) <= float(state.params.max()) <= 1
    deviations = [float(jnp.std(x)) for x in (state.params, average)]
    assert deviations[1] < 0.7 * deviations[0]
