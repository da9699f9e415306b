"""The driver on a toy objective: the same bytes when resumed at any step or cut into other calls, also if random."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import optim, optimize, stages
from nst.descent import COMPARE_EVERY
from nst.stages import Method, Resume, Stage

STEPS = (5, 1, 7)


def loss(params, target, key):
    noise = 0.0 if key is None else jax.random.normal(key, params.shape)
    return jnp.sum(jnp.square(params - target - noise)), {"toy": jnp.sum(params)}


def chain(log=None):
    """Three stages that double the number of parameters."""

    def stage(i, steps):
        size = 2 << i

        def begin(previous):
            if log is not None:
                log.append(i)
            return np.linspace(0, 1, size, dtype=np.float32) if previous is None else np.repeat(previous, 2)

        def target():
            return 5 + jnp.arange(size, dtype=jnp.float32)

        return Stage(steps, jax.ShapeDtypeStruct((size,), jnp.float32), target, begin)

    return [stage(i, steps) for i, steps in enumerate(STEPS)]


def method(random):
    batch_at = optimize.keys(3) if random else None
    return Method(optimize.by_vjp(loss), optim.optimizer("adam"), 0.1, batch_at=batch_at)


def copied(tree):
    return [np.array(leaf) for leaf in jax.tree.leaves(tree)]


def filled(like, leaves):
    return jax.tree.unflatten(jax.tree.structure(like), map(jnp.array, leaves))


def snapshots(random, **settings):
    """Return stage, step and a copy of the tree of each snapshot, in order."""
    return [(s.stage, s.step, copied(s.tree)) for s in stages.run(chain(), method(random), **settings)]


def same(a, b):
    return [x.tobytes() for x in a] == [x.tobytes() for x in b]


@pytest.mark.parametrize("random", [False, True])
def test_a_run_resumed_at_any_step_ends_in_the_same_bytes(random):
    whole = snapshots(random, every=(1,))
    assert {step for _, step, _ in whole} == set(range(sum(STEPS) + 1))
    for stage, step, leaves in whole:
        resume = Resume(stage, functools.partial(filled, leaves=leaves))
        rest = snapshots(random, resume=resume)
        assert rest[0][:2] == (stage, step)
        assert same(rest[0][2], leaves)
        assert same(rest[-1][2], whole[-1][2]), f"resumed at stage {stage}, step {step}"


@pytest.mark.parametrize("random", [False, True])
def test_how_steps_are_cut_changes_no_byte(random):
    by_one = snapshots(random, every=(1,))
    for every in ((), (3,), (2, 5)):
        assert same(snapshots(random, every=every)[-1][2], by_one[-1][2])


def test_a_random_loss_differs_at_each_step_of_the_whole_run():
    seen = []

    def batch_at(step):
        seen.append(step)
        return jax.random.key(step)

    *_, last = stages.run(chain(), method(False)._replace(batch_at=batch_at))
    # A stage first evaluates the step at which the previous one ended.
    assert seen == [*range(6), 5, 6, *range(6, 14)]
    assert last.step == 13
    assert last.evaluations == 16


def test_a_resumed_stage_does_not_begin():
    calls = []
    whole = list(snapshots(False, every=(1,)))
    stage, _, leaves = next(each for each in whole if each[1] == 7)
    resume = Resume(stage, functools.partial(filled, leaves=leaves))
    list(stages.run(chain(calls), method(False), resume=resume))
    assert calls == []
    list(stages.run(chain(calls), method(False)))
    assert calls == [0, 1, 2]


def test_memory_is_released_at_each_stage_by_the_hook_only():
    calls = []
    list(stages.run(chain(), method(False), release=lambda: calls.append(1)))
    assert len(calls) == 2 * len(STEPS)


def test_references_are_refreshed_by_the_step_and_resumed():
    def refresh(target, params):
        return target + 0 * params

    refreshing = method(False)._replace(refresh=refresh)
    (first, *_) = chain()
    long = [first._replace(steps=60)]
    whole = [
        (s.step, np.array(s.reference), copied(s.tree)) for s in stages.run(long, refreshing, every=(10,))
    ]
    references = {step: reference for step, reference, _ in whole}
    assert len(np.unique([reference for _, reference, _ in whole], axis=0)) == 3  # of steps 0, 25 and 50
    np.testing.assert_array_equal(references[30], references[50])
    for step, _, leaves in whole:
        resume = Resume(0, functools.partial(filled, leaves=leaves))
        *_, last = stages.run(long, refreshing, resume=resume)
        assert same(copied(last.tree), whole[-1][2]), f"resumed at step {step}"


def test_a_snapshot_has_the_image_of_its_parameters():
    imaging = method(False)._replace(image=lambda target, params: target + 2 * params)
    for snapshot in stages.run(chain()[:1], imaging, every=(1,)):
        expected = 5 + np.arange(2) + 2 * np.asarray(snapshot.state.params)
        np.testing.assert_allclose(snapshot.image, expected, rtol=1e-6)


def early(tolerance):
    return [stage._replace(steps=120, tolerance=tolerance) for stage in chain()]


def test_a_stage_ends_when_its_loss_falls_too_slowly():
    values = {}
    for s in stages.run(early(None), method(False), every=(1,)):
        values.setdefault(s.stage, []).append(float(s.state.value))
    points = [(s.stage, s.step, s.evaluations) for s in stages.run(early(0.1), method(False)) if s.last]
    for stage, step, _ in points[:1]:  # later stages start from another image
        each = values[stage][::COMPARE_EVERY]
        slow = [i for i in range(1, len(each)) if each[i - 1] - each[i] < 0.1 * each[i - 1]]
        assert step == COMPARE_EVERY * slow[0] < 120
    assert [step // 120 for _, step, _ in points] == [0, 1, 2]
    taken = [step % 120 for _, step, _ in points]
    assert [n for *_, n in points] == [sum(taken[: i + 1]) + i + 1 for i in range(3)]


def test_a_stage_that_ends_early_is_resumed_to_the_same_bytes():
    def points(**settings):
        each = stages.run(early(0.1), method(False), **settings)
        return [(s.step, s.evaluations, copied(s.tree), s.stage) for s in each]

    whole = points(every=(1,))
    for step, evaluations, leaves, stage in whole[::20] + whole[-1:]:
        resume = Resume(stage, functools.partial(filled, leaves=leaves), evaluations)
        rest = points(resume=resume)
        assert rest[0][:2] == (step, evaluations)
        assert rest[-1][:2] == whole[-1][:2]
        assert same(rest[-1][2], whole[-1][2]), f"resumed at stage {stage}, step {step}"


def test_only_the_last_snapshots_of_stages_and_run_say_so():
    taken = [(s.step, s.last, s.final) for s in stages.run(chain(), method(False), every=(1,))]
    assert [step for step, last, _ in taken if last] == [5, 6, 13]
    assert [step for step, _, final in taken if final] == [13]
