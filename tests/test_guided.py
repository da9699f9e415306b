"""Objectives with several styles and with regions, against float64 and by their gradients."""

import jax
import numpy as np
import pytest

from nst import batched, features, losses
from nst.errors import InputError
from nst.guided import Regions, check_layers, guided, shares
from nst.objective import loss, objective
from nst.transfer.image import Scale, stylization
from nst.types import Style

LAYERS = ("relu1_1", "relu2_1")
SETTINGS = {
    "content_layers": ("relu2_1",),
    "style_layers": LAYERS,
    "content_weight": 0.5,
    "style_weight": 30.0,
    "tv_weight": 4.0,
}
GENERATOR = np.random.default_rng(0)
HEIGHT, WIDTH = 24, 40
LEFT = np.zeros((HEIGHT, WIDTH), np.float32)
LEFT[:, : WIDTH // 2] = 1


def random_image(height=HEIGHT, width=WIDTH):
    return GENERATOR.random((height, width, 3), np.float32)


value_and_gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))
CONTENT, IMAGE, A, B = random_image(), random_image(), random_image(18, 30), random_image(30, 20)


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random")


def terms(network, styles, image=IMAGE, regions=Regions(), **changed):  # noqa: B008
    target = guided(network, CONTENT, styles, SETTINGS | changed, "pixels", regions)
    key = jax.random.key(0)
    return {name: float(value) for name, value in jax.jit(loss)(image, target, key)[1].items()}


def test_one_style_is_the_objective_of_two_images(network):
    one = guided(network, CONTENT, [Style(A, weight=3.0)], SETTINGS)
    two = objective(network, {"content": CONTENT, "style": A}, SETTINGS)
    assert jax.tree.structure(one) == jax.tree.structure(two)
    jax.tree.map(np.testing.assert_array_equal, one, two)


def test_several_styles_are_weighed_by_their_weights(network):
    alone = [terms(network, [Style(style)])["style"] for style in (A, B)]
    both = terms(network, [Style(A, 2.0), Style(B, 1.0)])
    np.testing.assert_allclose(both["style_1"], alone[0] * 2 / 3, rtol=1e-5)
    np.testing.assert_allclose(both["style_2"], alone[1] / 3, rtol=1e-5)


@pytest.mark.parametrize(
    ("styles", "regions", "expected"),
    [
        ([Style(A, 2.0), Style(B, 1.0)], Regions(), [2 / 3, 1 / 3]),
        ([Style(A, content_mask=LEFT), Style(B, content_mask=1 - LEFT)], Regions(), [0.5, 0.5]),
        ([Style(A, 3.0, content_mask=LEFT), Style(B, content_mask=1 - LEFT)], Regions(), [0.75, 0.25]),
        ([Style(A, content_mask=LEFT)], Regions(), [0.5]),
        ([Style(A)], Regions(keep=LEFT), [0.5]),
        ([Style(A, content_mask=LEFT)], Regions(keep=LEFT), [0.0]),
    ],
)
def test_shares(styles, regions, expected):
    np.testing.assert_allclose(shares(styles, regions), expected, rtol=1e-6)


def test_styles_share_a_layer_with_those_that_have_it():
    styles = [Style(A, 2.0), Style(B, layers=("relu1_1",)), Style(A, content_mask=LEFT, layers=("relu2_1",))]
    np.testing.assert_allclose(shares(styles, layer="relu1_1"), [2 / 3, 1 / 3, 0], rtol=1e-6)
    np.testing.assert_allclose(shares(styles, layer="relu2_1"), [2 / 2.5, 0, 0.5 / 2.5], rtol=1e-6)


@pytest.mark.parametrize(
    ("family", "others", "weights"),
    [
        ("gram", [], None),
        ("gram", [Style(B, 2.0, content_mask=1 - LEFT)], (0.7, 0.3)),
        ("moments", [Style(B, 2.0, content_mask=1 - LEFT)], (0.7, 0.3)),
    ],
)
def test_fine_and_coarse_layers_of_one_style_are_that_style(network, family, others, weights):
    settings = SETTINGS | {"style_loss": family, "style_layer_weights": weights}
    whole = Style(A, mask=A[..., 0], content_mask=LEFT if others else None)
    halves = [whole._replace(layers=(layer,)) for layer in LAYERS]
    results = []
    for styles in ([whole, *others], [*halves, *others]):
        target = guided(network, CONTENT, styles, settings)
        results.append(value_and_gradient(IMAGE, target))
    np.testing.assert_allclose(*(value for (value, _), _ in results), rtol=1e-6)
    one, both = (gradient for _, gradient in results)
    np.testing.assert_allclose(both, one, atol=1e-6 * float(np.abs(one).max()))


def test_a_layer_that_a_style_does_not_have_is_not_computed(network):
    assert (
        guided(network, CONTENT, [Style(A, layers=LAYERS[:1])], SETTINGS).terms["style"].layers == LAYERS[:1]
    )


@pytest.mark.parametrize(
    ("layers", "family", "message"),
    [
        (("relu3_1",), "gram", "'relu3_1', which is none of"),
        ((), "gram", "at least one"),
        (("relu1_1", "relu1_1"), "gram", "name each once"),
        (("relu1_1",), "remd", "compares all layers together"),
    ],
)
def test_layers_of_a_style_that_cannot_be_used_are_refused(layers, family, message):
    with pytest.raises(InputError, match=message):
        check_layers([Style(A, layers=layers)], losses.checked(SETTINGS | {"style_loss": family}))


def test_the_gram_matrices_of_regions_are_those_of_numpy(network):
    style_mask = np.zeros(A.shape[:2], np.float32)
    style_mask[:10] = 1
    value = terms(network, [Style(A, mask=style_mask, content_mask=LEFT)])["style"]
    expected = 0.0
    for layer in LAYERS:
        grams = []
        for image, mask in ((IMAGE, LEFT), (A, style_mask)):
            F = np.asarray(network(image, (layer,))[layer], np.float64)
            rows, columns, N = F.shape
            stride = network.stride(layer)
            w = mask[: rows * stride, : columns * stride].reshape(rows, stride, columns, stride).mean((1, 3))
            f = F.reshape(-1, N)
            grams.append((w.reshape(-1, 1) * f).T @ f / w.sum())
        expected += 0.5 * np.sum((grams[0] - grams[1]) ** 2) / (4 * N**2)
    np.testing.assert_allclose(value, 30.0 * 0.5 * expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("family", "guidance"),
    [("gram", "inside"), ("gram", "simple"), ("wasserstein", "inside"), ("sliced", "inside")],
)
def test_a_style_does_not_reach_beyond_its_region_or_beyond_its_halo(network, family, guidance):
    settings = SETTINGS | {"content_weight": 0, "tv_weight": 0, "style_loss": family}
    styles, regions = [Style(A, content_mask=LEFT)], Regions(guidance=guidance)
    target = guided(network, CONTENT, styles, settings, "pixels", regions)
    gradient = np.abs(jax.jit(jax.grad(lambda image: loss(image, target)[0]))(IMAGE)).max((0, 2))
    halo = network.halo(LAYERS) if guidance == "simple" else 0
    assert gradient[WIDTH // 2 + halo :].max() == 0
    assert gradient[: WIDTH // 2 + halo].min() > 0


@pytest.mark.parametrize("family", ["gram", "moments", "wasserstein", "sliced", "patches"])
def test_a_region_that_vanishes_counts_as_nothing(network, family):
    tiny = np.zeros_like(LEFT)
    tiny[3:5, 3:5] = 1  # no position of relu1_1 sees only this
    layers = ("relu2_1",) if family == "patches" else LAYERS
    value = terms(
        network,
        [Style(A, content_mask=tiny), Style(B, content_mask=1 - tiny)],
        regions=Regions(guidance="inside"),
        style_loss=family,
        style_layers=layers,
    )
    assert value["style_1"] == 0
    assert 0 < value["style_2"] < np.inf


def test_what_is_kept_is_the_content_for_terms_and_results(network):
    target = guided(network, CONTENT, [Style(A)], SETTINGS, "pixels", Regions(keep=LEFT))
    image = np.asarray(target.image(IMAGE))
    np.testing.assert_array_equal(image[:, : WIDTH // 2], CONTENT[:, : WIDTH // 2])
    np.testing.assert_array_equal(image[:, WIDTH // 2 :], IMAGE[:, WIDTH // 2 :])
    gradient = jax.jit(jax.grad(lambda image: loss(image, target)[0]))(IMAGE)
    assert np.abs(gradient[:, : WIDTH // 2]).max() == 0


@pytest.mark.parametrize("optimizer", ["lbfgs_pyramid", "adam_average"])
def test_each_optimizer_leaves_what_is_kept(network, optimizer):
    *_, last = stylization(
        CONTENT,
        [Style(A), Style(B)],
        random_image(),
        extractor=network,
        scales=[Scale(40, 3)],
        regions=Regions(keep=LEFT),
        loss_settings=SETTINGS,
        optimizer=optimizer,
    )
    np.testing.assert_array_equal(np.asarray(last.image)[:, : WIDTH // 2], CONTENT[:, : WIDTH // 2])


def test_trials_with_regions_are_batched(network):
    def trial(keep):
        return batched.Trial(
            CONTENT, [Style(A), Style(B)], CONTENT, 1.0, SETTINGS, regions=Regions(keep=keep)
        )

    masks = (LEFT, 1 - LEFT)
    *_, last = batched.stylizations([trial(mask) for mask in masks], extractor=network, scales=[Scale(40, 2)])
    for mask, snapshot in zip(masks, last, strict=True):
        same = (np.asarray(snapshot.image) == CONTENT).all(-1)
        assert same[mask == 1].all()
        assert not same[mask == 0].any()
    with pytest.raises(InputError, match="run them apart"):
        list(batched.stylizations([trial(LEFT), trial(None)], extractor=network, scales=[Scale(40, 2)]))


def test_losses_of_whole_images_are_refused():
    for settings in ({"style_loss": "remd"}, {"content_loss": "self_similarity"}):
        checked = losses.checked(SETTINGS | settings)
        losses.check_masks(checked, False)
        with pytest.raises(InputError, match="take"):
            losses.check_masks(checked, True)


def test_a_mask_smaller_than_a_field_of_view_is_refused_for_inside(network):
    from nst.errors import InputError
    from nst.guided import check_inside

    settings = {"style_layers": ("relu1_1", "relu2_1")}
    mask = np.zeros((24, 24), np.float32)
    mask[10:13, 10:13] = 1
    style = Style(np.zeros((24, 24, 3), np.float32), mask=mask)
    check_inside(network, [style], settings, "simple")
    check_inside(network, [style._replace(layers=("relu1_1",))], settings, "inside")
    with pytest.raises(InputError, match="style 2: its mask is smaller than what a position of relu2_1 sees"):
        check_inside(network, [style._replace(mask=None), style], settings, "inside")
