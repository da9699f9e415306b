"""Resumed and next stages of images: references, random keys, Laplacian coefficients, averages."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import features
from nst.stages import Resume
from nst.transfer.image import Scale, stylization

SMALL = {
    "content_layers": ("relu2_1",),
    "style_layers": ("relu1_1", "relu2_1"),
    "style_layer_weights": (),
    "style_weight": 30.0,
    "tv_weight": 1.0,
}
GENERATOR = np.random.default_rng(0)
CONTENT, STYLE = (GENERATOR.random(shape, np.float32) for shape in ((33, 51, 3), (40, 28, 3)))


@pytest.fixture(scope="module")
def extractor():
    return features.load(weights="random")


def _filled(like, leaves):
    return jax.tree.unflatten(jax.tree.structure(like), map(jnp.array, leaves))


@pytest.mark.filterwarnings("ignore:this .* has no bfloat16 products")
def test_bfloat16_is_resumed_near_the_same_reference():
    """Resumed between two references, from the arrays of a checkpoint, a run ends with the same bytes."""
    layers = {"content_layers": ("relu3_1",), "style_layers": ("relu1_1", "relu3_1")}
    network = features.load(weights="random", precision="bfloat16")
    run = functools.partial(
        stylization,
        *(CONTENT, STYLE, CONTENT),
        extractor=network,
        scales=[Scale(24, 40)],
        loss_settings=SMALL | layers,
        optimizer="lbfgs",
    )
    checkpoints, references = {}, []
    for snapshot in run(every=(7,)):
        references.append(np.array(snapshot.reference))
        checkpoints[snapshot.step] = [np.array(leaf) for leaf in jax.tree.leaves(snapshot.tree)]
    assert len(np.unique(references, axis=0)) == 2  # of steps 0 and 25
    for step in (21, 35):
        resume = Resume(0, functools.partial(_filled, leaves=checkpoints[step]))
        *_, last = run(resume=resume)
        for actual, expected in zip(jax.tree.leaves(last.tree), checkpoints[40], strict=True):
            np.testing.assert_array_equal(actual, expected)


@pytest.mark.slow
def test_a_random_loss_of_laplacian_coefficients_is_resumed_to_the_byte(extractor):
    settings = SMALL | {"style_loss": "remd", "content_loss": "self_similarity", "style_weight": 1.0}
    run = functools.partial(
        stylization,
        *(CONTENT, STYLE, CONTENT),
        extractor=extractor,
        scales=[Scale(16, 3), Scale(24, 6)],
        loss_settings=settings,
        optimizer="rmsprop",
        parameters="laplacian",
        every=(1,),
    )
    leaves = {
        snapshot.step: [np.array(leaf) for leaf in jax.tree.leaves(snapshot.tree)] for snapshot in run()
    }
    for step in (2, 5):
        resume = Resume(int(step > 3), functools.partial(_filled, leaves=leaves[step]))
        *_, last = run(resume=resume)
        assert last.image.shape == (16, 24, 3)
        for actual, expected in zip(jax.tree.leaves(last.tree), leaves[9], strict=True):
            np.testing.assert_array_equal(actual, expected)


def test_a_scale_begins_with_the_average_of_the_one_before(extractor):
    run = stylization(
        *(CONTENT, STYLE, CONTENT),
        extractor=extractor,
        scales=[Scale(24, 5), Scale(24, 2)],
        loss_settings=SMALL,
        optimizer="adam_average",
        every=(1,),
    )
    snapshots = [(s.stage, s.step, np.array(s.image), np.array(s.state.params)) for s in run]
    (_, _, average, iterate), (_, _, image, params) = (s for s in snapshots if s[1] == 5)
    assert np.abs(average - iterate).max() > 1e-3
    np.testing.assert_array_equal(params, average)
    np.testing.assert_array_equal(image, average)
