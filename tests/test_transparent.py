"""Objectives of images with transparent parts: which pixels they see, against float64 and by their gradients."""

import jax
import numpy as np
import pytest

from nst import batched, features, losses
from nst.errors import InputError
from nst.guided import Regions, guided, shares
from nst.objective import loss
from nst.transfer.image import Scale
from nst.types import Style

LAYERS = ("relu1_1", "relu2_1")
SETTINGS = {
    "content_layers": ("relu2_1",),
    "style_layers": LAYERS,
    "content_weight": 0.0,
    "style_weight": 0.0,
    "tv_weight": 0.0,
}
GENERATOR = np.random.default_rng(0)
HEIGHT, WIDTH = 24, 40
CONTENT, IMAGE = GENERATOR.random((2, HEIGHT, WIDTH, 3), np.float32)
STYLE = GENERATOR.random((18, 30, 3), np.float32)
HALF = np.zeros((HEIGHT, WIDTH), np.float32)
HALF[:, : WIDTH // 2] = 1
ALL = (Style(STYLE),)
SOFT = np.broadcast_to(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, WIDTH))


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random")


def objective(network, regions, styles=ALL, **weights):
    return guided(network, CONTENT, styles, SETTINGS | weights, "pixels", regions)


def gradient(network, regions, **weights):
    target = objective(network, regions, **weights)
    return np.abs(jax.jit(jax.grad(lambda image: loss(image, target)[0]))(IMAGE)).max((0, 2))


@pytest.mark.parametrize("guidance", ["simple", "inside"])
@pytest.mark.parametrize("family", ["gram", "moments", "wasserstein", "sliced", "patches"])
def test_a_style_does_not_see_what_is_transparent(network, family, guidance):
    weights = {"style_weight": 30.0, "style_loss": family}
    reach = 0 if guidance == "inside" else network.halo(LAYERS)
    if family == "patches":
        reach += 2 * network.stride("relu2_1")  # patches of 3×3 positions
    sizes = gradient(network, Regions(guidance=guidance, alpha=HALF), **weights)
    assert sizes[WIDTH // 2 + reach :].max() == 0
    assert sizes[: WIDTH // 2 - 4].min() > 0


@pytest.mark.parametrize(
    ("weights", "reach"),
    [({"content_weight": 1.0}, None), ({"tv_weight": 1.0}, 1), ({"matting_weight": 1.0}, 1)],
)
def test_no_other_term_sees_what_is_transparent(network, weights, reach):
    sizes = gradient(network, Regions(alpha=HALF), **weights)
    reach = network.halo(["relu2_1"]) if reach is None else reach
    assert sizes[WIDTH // 2 + reach :].max() == 0
    assert sizes[: WIDTH // 2].min() > 0


def test_soft_edges_weigh_positions_of_content_and_style(network):
    target = objective(network, Regions(alpha=SOFT), content_weight=0.5, style_weight=30.0)
    values = jax.jit(loss)(IMAGE, target)[1]
    F, P = (np.asarray(network(x, ("relu2_1",))["relu2_1"], np.float64) for x in (IMAGE, CONTENT))
    mask = SOFT.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean((1, 3))[..., None]
    expected = 0.5 * np.sum(mask * (F - P) ** 2) / np.sum(mask * np.ones_like(F))
    np.testing.assert_allclose(float(values["content"]), expected, rtol=1e-5)
    expected = 0.0
    for layer in LAYERS:
        F, S = (np.asarray(network(x, (layer,))[layer], np.float64) for x in (IMAGE, STYLE))
        stride, N = network.stride(layer), F.shape[-1]
        w = SOFT.reshape(HEIGHT // stride, stride, WIDTH // stride, stride).mean((1, 3)).reshape(-1, 1)
        f, s = F.reshape(-1, N), S.reshape(-1, N)
        expected += 0.5 * np.sum(((w * f).T @ f / w.sum() - s.T @ s / len(s)) ** 2) / (4 * N**2)
    np.testing.assert_allclose(float(values["style"]), 30.0 * expected, rtol=1e-5)


def test_an_opaque_image_has_the_objective_of_one_without_alpha(network):
    weights = {"content_weight": 1.0, "style_weight": 30.0, "tv_weight": 1.0}
    opaque, none = (objective(network, Regions(alpha=alpha), **weights) for alpha in (HALF * 0 + 1, None))
    assert jax.tree.structure(opaque) == jax.tree.structure(none)
    jax.tree.map(np.testing.assert_array_equal, opaque, none)


@pytest.mark.parametrize(
    ("styles", "keep", "expected"),
    [
        (ALL, None, [1.0]),
        ([Style(STYLE, content_mask=HALF)], None, [1.0]),
        ([Style(STYLE, content_mask=1 - HALF), Style(STYLE)], None, [0.0, 1.0]),
        (ALL, SOFT > 0.25, [0.5]),
    ],
)
def test_shares_are_of_the_visible_part(styles, keep, expected):
    keep = None if keep is None else keep.astype(np.float32)
    actual = shares(styles, Regions(keep=keep, alpha=HALF))
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_regions_and_alpha_are_multiplied(network):
    upper = np.zeros_like(HALF)
    upper[: HEIGHT // 2] = 1
    region = [Style(STYLE, content_mask=upper)]
    target = objective(network, Regions(alpha=HALF), region, style_weight=30.0)
    other = objective(network, Regions(), [Style(STYLE, content_mask=upper * HALF)], style_weight=30.0)
    a, b = (float(jax.jit(loss)(IMAGE, each)[1]["style"]) for each in (target, other))
    # The region is half of what is visible, but a quarter of the whole image.
    np.testing.assert_allclose(a / 0.5, b / 0.25, rtol=1e-5)


def test_trials_with_transparency_are_batched_among_themselves(network):
    settings = SETTINGS | {"style_weight": 30.0, "content_weight": 1.0}

    def trial(alpha):
        regions = Regions(alpha=alpha)
        return batched.Trial(CONTENT, [Style(STYLE)], CONTENT, 0.02, settings, regions=regions)

    alphas = (HALF, 1 - HALF)
    *_, last = batched.stylizations(
        [trial(alpha) for alpha in alphas], extractor=network, scales=[Scale(40, 2)], optimizer="adam"
    )
    halo = network.halo(LAYERS) + 4  # Winograd's tiles leave rounding errors beyond it, which Adam amplifies
    far = (np.s_[:, WIDTH // 2 + halo :], np.s_[:, : WIDTH // 2 - halo])
    changes = [np.abs(np.asarray(snapshot.image) - CONTENT).max(-1) for snapshot in last]
    for (mine, others), change in zip((far, far[::-1]), changes, strict=True):
        assert change[mine].max() == 0
        assert change[others].min() > 0
    with pytest.raises(InputError, match="run them apart"):
        list(batched.stylizations([trial(HALF), trial(None)], extractor=network, scales=[Scale(40, 2)]))


def test_losses_of_whole_images_name_the_remedy():
    for settings in ({"style_loss": "remd"}, {"content_loss": "self_similarity"}):
        checked = losses.checked(SETTINGS | {"style_weight": 1.0, "content_weight": 1.0} | settings)
        with pytest.raises(InputError, match=r"takes no transparency: set images\.alpha=flatten, or take"):
            losses.check_masks(checked, False, transparent=True)
