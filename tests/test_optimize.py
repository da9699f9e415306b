"""The optimization loop: oracles in NumPy, chunks that change no byte, values that are not finite."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from nst import optim, optimize
from nst.errors import InputError, RunError
from nst.optim.lbfgs import scale_by_lbfgs
from nst.process import compilations


def rosenbrock(x, scale, batch):
    terms = {
        "valley": scale * 100 * jnp.sum(jnp.square(x[1:] - jnp.square(x[:-1]))),
        "slope": jnp.sum(jnp.square(1 - x[:-1])),
    }
    return sum(terms.values(), jnp.zeros(())), terms


def cliff(x, args, batch):
    return jnp.sum(x), {"term": jnp.sum(jnp.log(x))}


def fit_mean(x, args, batch):
    return jnp.sum(jnp.square(x - batch)), {}


def begin(name, fn=rosenbrock, x=None, args=1.0, **settings):
    x = jnp.linspace(-1, 1.2, 8) if x is None else x
    return optimize.start(optimize.by_vjp(fn), x, optim.optimizer(name), jnp.float32(args), **settings)


def finish(name, stops, seconds=2.0):
    state = begin(name)
    *_, last = optimize.chunks(
        optimize.by_vjp(rosenbrock), state, optim.optimizer(name), jnp.float32(1), stops, seconds=seconds
    )
    return last


@pytest.mark.parametrize("name", sorted(optim.OPTIMIZERS))
def test_how_steps_are_cut_up_changes_no_byte(name):
    whole = finish(name, [40])
    pieces = finish(name, [1, 2, 7, 20, 40], seconds=0.0)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(pieces), strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_a_step_is_compiled_before_it_is_taken():
    optimizer = optim.optimizer("lbfgs_pyramid")
    state = begin("lbfgs_pyramid", x=jnp.linspace(-1, 1.2, 11))
    before = compilations()
    optimize.compile_step(state, optimizer)
    compiled = compilations()
    assert compiled == before + 2
    optimize.minimize(optimize.by_vjp(rosenbrock), state, optimizer, 2, jnp.float32(1))
    assert compilations() == compiled


def cliffs(x, args, batch):
    return jnp.sum(x, axis=1), {"term": jnp.sum(jnp.log(x), axis=1)}


def test_a_trial_off_the_cliff_leaves_the_others_going():
    """The parameters of each trial fall from 1 by its learning rate per step, and the logarithm is finite above 0."""
    optimizer = optim.batched(optim.optimizer("adam"))
    rates = [0.01, 0.3, 0.02]
    state = optimize.start(optimize.by_vjp(cliffs), jnp.ones((3, 4)), optimizer, None, learning_rate=rates)
    state = optimize.minimize(optimize.by_vjp(cliffs), state, optimizer, 10, None)
    assert state.step.tolist() == [10, 3, 10]
    assert optimize.finite(state).tolist() == [True, False, True]
    np.testing.assert_allclose(state.params[:, 0], [0.9, 0.1, 0.8], atol=1e-5)
    assert "term not finite; the state after step 3" in str(optimize.diverged(optimize.trial(state, 1)))
    assert optimize.reached(state) == 10


def test_lbfgs_reaches_the_minimum():
    state = finish("lbfgs", [200])
    np.testing.assert_allclose(state.params, np.ones(8), atol=1e-3)


def test_another_number_compiles_nothing():
    optimizer = optim.optimizer("adam")
    optimize.minimize(optimize.by_vjp(rosenbrock), begin("adam"), optimizer, 2, jnp.float32(1))
    compiled = _compiled()
    state = begin("adam", args=3.0, learning_rate=0.5)
    optimize.minimize(optimize.by_vjp(rosenbrock), state, optimizer, 3, jnp.float32(3))
    assert _compiled() == compiled


def _compiled():
    return [function._cache_size() for function in (optimize._propose, optimize._evaluate, optimize._commit)]


def test_adam_agrees_with_numpy():
    x, m, v = np.linspace(-1, 1.2, 8), 0.0, 0.0
    for t in range(1, 6):
        g = np.zeros(8)
        inner = x[1:] - x[:-1] ** 2
        g[1:] += 200 * inner
        g[:-1] += -400 * x[:-1] * inner - 2 * (1 - x[:-1])
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    adam = optim.optimizer("adam")
    state = optimize.minimize(
        optimize.by_vjp(rosenbrock), begin("adam", learning_rate=0.1), adam, 5, jnp.float32(1)
    )
    np.testing.assert_allclose(state.params, x, rtol=1e-5)


@pytest.mark.parametrize("preconditioned", [False, True])
# Some slots are used, all, or some twice; also with a number of slots that is not a power of two.
@pytest.mark.parametrize(("memory", "steps"), [(4, 2), (4, 4), (4, 7), (5, 5), (7, 6)])
def test_lbfgs_direction_is_the_bfgs_matrix_times_the_gradient(preconditioned, memory, steps):
    generator = np.random.default_rng(0)
    root, other = generator.standard_normal((2, 6, 6))
    A = root @ root.T + np.eye(6)
    initial = other @ other.T + np.eye(6) if preconditioned else np.eye(6)
    method = (
        scale_by_lbfgs(memory, initial=lambda v: jnp.asarray(initial, jnp.float32) @ v, stretch=3.0)
        if preconditioned
        else scale_by_lbfgs(memory)
    )
    x = jnp.asarray(generator.standard_normal(6), jnp.float32)
    state, pairs = method.init(x), []
    for _ in range(steps):
        g = jnp.asarray(A @ np.asarray(x), jnp.float32)
        direction, state = method.update(g, state, x)
        new = x - 0.01 * direction
        s = np.asarray(new - x, np.float64)
        pairs.append((s, A @ s))
        x = new
    g = A @ np.asarray(x, np.float64)
    direction, _ = method.update(jnp.asarray(g, jnp.float32), state, x)
    s, y = pairs[-1]
    H = initial * (s @ y) / (y @ initial @ y) * (3 if preconditioned else 1)
    for s, y in pairs[-memory:]:
        V = np.eye(6) - np.outer(y, s) / (s @ y)
        H = V.T @ H @ V + np.outer(s, s) / (s @ y)
    expected = H @ g
    expected *= min(1, 0.1 / np.sqrt(np.mean(expected**2)))
    np.testing.assert_allclose(direction, expected, rtol=3e-3)


def test_lbfgs_needs_no_lapack():
    """JAX takes LAPACK from SciPy, which takes time to import."""
    method, x = optim.optimizer("lbfgs"), jnp.zeros(8)
    assert "lapack" not in jax.jit(method.update).lower(x, method.init(x), x).as_text()


def test_lbfgs_skips_negative_curvature():
    method = scale_by_lbfgs(4)
    x = jnp.ones(3)
    state = method.init(x)
    _, state = method.update(-x, state, x)
    _, state = method.update(-2 * x, state, 2 * x)  # the gradient falls along the step: y·s < 0
    assert int(state.pairs) == 0


@pytest.mark.parametrize("rate", [1e6, 2.0])
def test_stops_at_the_last_finite_state(rate):
    adam = optim.optimizer("adam")
    state = begin("adam", fn=cliff, x=jnp.full(3, 5.0), learning_rate=rate)
    states = []

    def run():
        for reached in optimize.chunks(
            optimize.by_vjp(cliff), state, adam, jnp.float32(0), [50], seconds=100.0
        ):
            states.append((int(reached.step), np.asarray(reached.params)))

    with pytest.raises(RunError, match=r"step \d+: term not finite"):
        run()
    assert states[-1][0] == int(5 // rate)
    assert (states[-1][1] > 0).all()


def batch_at(step):
    return jnp.asarray([float(step)])


def test_each_step_is_evaluated_on_the_batch_of_its_number():
    plain = optax.sgd(0.5)  # a step goes exactly to the batch that its gradient comes from
    evaluate = optimize.by_vjp(fit_mean)
    state = optimize.start(evaluate, jnp.zeros(1), plain, None, batch=batch_at(0))
    state = optimize.minimize(evaluate, state, plain, 3, None, batch_at)
    np.testing.assert_allclose(state.params, [2.0])
    np.testing.assert_allclose(state.value, 1.0)  # (2 − 3)²
    state = optimize.minimize(evaluate, state, plain, 2, None, batch_at)
    np.testing.assert_allclose(state.params, [4.0])


def test_a_random_loss_needs_an_optimizer_that_tolerates_it():
    optim.optimizer("adam", ["toy"])
    for name in ("lbfgs", "lbfgs_pyramid"):
        with pytest.raises(InputError, match=rf"optimizer.name = {name} .* random \(terms: toy\): take adam"):
            optim.optimizer(name, ["toy"])


def test_unknown_optimizer_lists_the_choices():
    with pytest.raises(InputError, match="adam, adam_average, rmsprop, lbfgs, lbfgs_pyramid"):
        optim.optimizer("sgdd")
