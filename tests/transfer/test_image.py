"""`nst.stylize` with arrays, names and paths; the pyramid: sizes, step numbers, evaluations."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import nst
from nst import features, images
from nst.errors import InputError, RunError
from nst.objective import loss, objective
from nst.transfer import image as transfer
from nst.transfer.image import Scale, plan, stylization
from nst.transfer.settings import completed
from nst.types import Style

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


@pytest.fixture(scope="module")
def stylize(extractor):
    """`nst.stylize` with a small loss, for two steps."""

    def stylize(content=CONTENT, style=STYLE, **settings):
        return nst.stylize(
            content, style, **({"size": 24, "steps": 2, "extractor": extractor} | SMALL | settings)
        )

    return stylize


@pytest.fixture(scope="module")
def snapshots(extractor):
    """Stage, step, evaluations and a copy of the parameters of each snapshot of `stylization`."""

    def snapshots(scales, **settings):
        settings |= {"extractor": extractor, "loss_settings": SMALL, "optimizer": "adam"}
        run = stylization(CONTENT, STYLE, CONTENT, scales=scales, **settings)
        return [(s.stage, s.step, s.evaluations, np.array(s.state.params)) for s in run]

    return snapshots


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((333, 517), 517, (333, 517)),
        ((51, 33), 17, (17, 11)),
        ((13, 13), 27, (27, 27)),
    ],
)
def test_the_result_has_exactly_the_requested_size(stylize, shape, size, expected):
    content = GENERATOR.random((*shape, 3), np.float32)
    layers = {"content_layers": ("relu1_1",), "style_layers": ("relu1_1",)}
    result = stylize(content, size=size, steps=1, optimizer="adam", **layers)
    assert result.shape == (*expected, 3)
    assert result.dtype == np.float32


def test_the_result_is_clipped_and_not_the_content(stylize):
    clipped = stylize(optimizer="adam", learning_rate=0.9)
    assert (clipped.min(), clipped.max()) == (0, 1)  # without clipping, values would exceed this
    result = stylize()
    assert 0 <= result.min() < result.max() <= 1
    assert not np.array_equal(result, images.fit(CONTENT, 24))


def test_paths_names_and_arrays_are_the_same(stylize, tmp_path):
    path = tmp_path / "Übung 1.png"
    Image.fromarray(np.uint8(CONTENT * 255)).save(path)
    by_path = stylize(path, "strokes", steps=1)
    by_text = stylize(str(path), images.read("strokes"), steps=1)
    assert by_path.tobytes() == by_text.tobytes()


def test_noise_depends_on_the_seed(stylize):
    first, again, other = (stylize(init="noise", seed=seed, steps=1).tobytes() for seed in (3, 3, 4))
    assert first == again != other


def test_the_initial_image(stylize, tmp_path):
    images.write(tmp_path / "init.png", STYLE)
    for init, expected in (
        ("content", CONTENT),
        ("style", images.initial("style", CONTENT, STYLE, seed=0)),
        (str(tmp_path / "init.png"), images.resize(images.read(tmp_path / "init.png"), 33, 51)),
    ):
        initial = stylize(init=init, steps=0)
        np.testing.assert_array_equal(initial, np.clip(images.fit(expected, 24), 0, 1))


def test_empty_layer_weights_are_equal_weights(stylize):
    equal = dict.fromkeys(SMALL["style_layers"], 0.5)
    assert stylize().tobytes() == stylize(style_layer_weights=equal).tobytes()


def test_the_style_has_its_own_size(stylize, monkeypatch):
    shapes = []

    original = transfer.guided

    def guided(extractor, content, styles, *rest):
        shapes.append((content.shape, styles[0].image.shape))
        return original(extractor, content, styles, *rest)

    monkeypatch.setattr(transfer, "guided", guided)
    stylize(style_scale=0.5, scales=(16, 24), scale_steps=0, steps=0)
    assert shapes == [((10, 16, 3), (8, 6, 3)), ((16, 24, 3), (12, 8, 3))]


def test_each_scale_starts_from_the_one_before(snapshots):
    run = snapshots([Scale(12, 3), Scale(16, 2), Scale(12, 2)], every=(2,))
    borders = [i for i in range(1, len(run)) if run[i][0] != run[i - 1][0]]
    assert [run[i][1] for i in borders] == [run[i - 1][1] for i in borders] == [3, 5]
    for i in borders:
        start, end = run[i][3], run[i - 1][3]
        np.testing.assert_array_equal(start, images.resize(end, *start.shape[:2]))
    assert {0, 2, 3, 4, 5, 6, 7} <= {step for _, step, _, _ in run}
    assert run[-1][1] == 7
    assert [step for _, step, _, _ in run] == sorted(step for _, step, _, _ in run)


def test_the_number_of_evaluations_is_exact(snapshots, monkeypatch):
    calls = []

    def counted(image, objective, batch, original=transfer.loss):
        jax.debug.callback(lambda: calls.append(1))
        return original(image, objective, batch)

    monkeypatch.setattr(transfer, "loss", counted)
    evaluations = snapshots([Scale(12, 3), Scale(12, 2)])[-1][2]
    jax.effects_barrier()
    assert evaluations == len(calls) == 7


def test_snapshots_are_taken_at_the_multiples_of_the_whole_run(snapshots):
    steps = [step for _, step, _, _ in snapshots([Scale(12, 5), Scale(16, 9)], every=(3, 7))]
    assert {3, 5, 6, 7, 9, 12, 14} <= set(steps)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((64, 9, (), 5), [Scale(64, 9)]),
        ((64, 9, (64,), 5), [Scale(64, 9)]),
        ((64, 9, [16, 32, 64], 5), [Scale(16, 5), Scale(32, 5), Scale(64, 9)]),
        ((64, 9, [16, 32, 64], 5, 7), [Scale(16, 7), Scale(32, 5), Scale(64, 9)]),
        ((64, 9, [64], 5, 7), [Scale(64, 9)]),
    ],
)
def test_plan(arguments, expected):
    assert plan(*arguments) == expected


def test_the_weight_of_the_content_is_multiplied_from_scale_to_scale(extractor):
    scales = transfer.image_stages(
        CONTENT,
        STYLE,
        CONTENT,
        extractor=extractor,
        scales=[Scale(16, 1), Scale(24, 1), Scale(32, 1)],
        style_scale=1.0,
        content_factor=0.5,
        settings=completed(extractor, SMALL | {"content_weight": 16.0}),
    )
    weights = [
        {name: float(term.weight) for name, term in stage.objective().terms.items()} for stage in scales
    ]
    assert weights == [{"content": alpha, "style": 30.0, "tv": 1.0} for alpha in (16.0, 8.0, 4.0)]


@pytest.mark.parametrize("scales", [(32,), (32, 48), (64, 32), (32, 32, 64), (128, 64), (16, 64, 32)])
def test_a_plan_ascends_to_the_size(scales):
    with pytest.raises(InputError, match=r"pyramid.scales .* ascend to images.size, 64"):
        plan(64, 9, scales, 5)


@pytest.fixture(scope="module")
def descent():
    """Return a function from a precision to the loss, in float32, after forty steps; real images and weights.

    With Adam: rounding has a larger effect on the result of L-BFGS at this small size.
    """
    exact = features.load(convolution="winograd")
    content, style = (images.fit(images.read(name), 64) for name in ("coffee", "strokes"))
    inputs = {"content": content, "style": style}
    target = objective(exact, inputs, completed(exact, {}))

    @functools.cache
    def descent(precision):
        network = features.load(convolution="winograd", precision=precision)
        settings = {"extractor": network, "scales": [Scale(64, 40)], "optimizer": "adam"}
        *_, last = stylization(content, style, content, **settings)
        return float(jax.jit(loss)(last.state.params, target)[0])

    return descent


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:this .* has no bfloat16 products")
def test_bfloat16_ends_at_the_same_loss(descent):
    assert descent("bfloat16") == pytest.approx(descent("float32"), rel=0.02)


@pytest.mark.filterwarnings("ignore:.* has one color everywhere")
@pytest.mark.parametrize("init", ["content", "noise"])
def test_a_style_that_is_the_content_stays_finite(stylize, init):
    gray = np.full((16, 24, 3), 0.5, np.float32)
    for content in (gray, CONTENT):
        assert np.isfinite(stylize(content, content, init=init, tv_weight=0.0)).all()


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "lbfgs_pyramid"])
def test_a_zero_gradient_leaves_the_image(stylize, optimizer):
    # Only the content term, from the content: loss and gradient are exactly zero.
    result = stylize(style_weight=0.0, tv_weight=0.0, optimizer=optimizer)
    np.testing.assert_array_equal(result, np.clip(images.fit(CONTENT, 24), 0, 1))


def test_a_value_that_is_not_finite_is_an_error(stylize):
    with pytest.raises(RunError, match=r"step 1: .*loss.* not finite; the state after step 0 is kept"):
        stylize(optimizer="adam", learning_rate=1e30)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"content": "no_such_picture"}, "no_such_picture: no such file, nor a sample"),
        ({"init": "no_such_picture"}, "no_such_picture"),
        ({"optimizer": "adma"}, "unknown optimizer 'adma': did you mean adam"),
        ({"scales": (12, 16)}, "ascend to images.size, 24"),
        ({"style_loss": "grma"}, "did you mean gram"),
        ({"style_layers": ("relu9_1",)}, "unknown layer 'relu9_1'"),
        ({"style_layer_weights": {"relu1_1": 1.0}}, "name the style layers"),
        ({"content": np.zeros((10_000, 3, 3), np.float32)}, "1×24 pixels is too small for relu2_1"),
        ({"style": np.zeros((3, 10_000, 3), np.float32)}, "24×1 pixels is too small for relu2_1"),
    ],
)
def test_unusable_arguments_are_refused_in_one_line(stylize, settings, message):
    with pytest.raises(InputError, match=message) as caught:
        stylize(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"style": np.zeros((16, 24, 4), np.float32)}, "style is transparent everywhere"),
        ({"content": np.full((16, 24, 3), 200.0, np.float32)}, "divide by 255"),
        ({"content": np.full((16, 24, 3), np.nan, np.float32)}, "finite values from 0 to 1"),
        ({"size": 0}, "^size = 0"),
        ({"steps": -1}, "^steps = -1"),
        ({"style_weight": -1.0}, "^style_weight = -1"),
        ({"learning_rate": float("nan")}, "^learning_rate = nan"),
        ({"content_layers": ("relu1_1", "relu1_1")}, "name each layer once"),
        (
            {"content": np.zeros((3, 16, 24), np.float32)},
            r"content is float32 \(3, 16, 24\): channels come last",
        ),
        ({"style": np.zeros((1, 16, 24, 3), np.float32)}, "give one image of the batch"),
        ({"style": np.zeros((16, 24), np.uint8)}, "repeat gray values"),
        ({"style": np.zeros((16, 24, 3), np.int64)}, r"give bytes \(uint8\) or floats"),
        ({"init": np.zeros((16, 24, 4), np.uint8)}, "init is transparent everywhere"),
        ({"style": []}, "style is empty"),
        ({"style": [Style("coffee", 0.0), Style("strokes", 0.0)]}, "weights of all styles are 0"),
        ({"style": Style("coffee", -1.0)}, "^the weight of style = -1"),
        ({"style": Style("coffee", scale=0.0)}, "^the scale of style = 0"),
        ({"guidance": "insied"}, "unknown guidance 'insied': did you mean inside"),
        ({"keep": np.zeros((16, 24))}, "keep is black everywhere"),
        ({"keep": np.ones((24, 16))}, "keep has 16×24 pixels and its image"),
        ({"init": "random"}, "random: no such file, nor one of content, style, noise, gray, nor a sample"),
        ({"extractor": "vgg18"}, "unknown network 'vgg18': did you mean vgg19 or vgg16"),
        ({"stepz": 3}, "unknown argument of stylize 'stepz': did you mean steps"),
        ({"style_wieght": 3}, "unknown argument of stylize 'style_wieght': did you mean style_weight"),
        ({"style_layers": "relu1_1"}, "^style_layers = 'relu1_1': give a tuple"),
        (
            {"content": np.zeros((5, 8, 3), np.float32), "size": 8},
            "^content: an image of 8×5 pixels is too small",
        ),
    ],
)
def test_arrays_and_numbers_are_checked(settings, message):
    with pytest.raises(InputError, match=message):
        nst.stylize(**({"content": CONTENT, "style": STYLE} | settings))


def test_one_color_everywhere_is_warned_of(stylize):
    gray = np.full((16, 24, 3), 0.5, np.float32)
    with pytest.warns(images.ImageWarning, match="^style has one color everywhere: is it the right image"):
        stylize(style=gray)


def test_images_are_taken_as_people_have_them(stylize):
    bytes_ = np.round(np.clip(CONTENT, 0, 1) * 255).astype(np.uint8)
    as_floats = stylize(content=bytes_ / np.float32(255), init=bytes_ / np.float32(255))
    for image in (bytes_, Image.fromarray(bytes_), jnp.asarray(bytes_)):
        np.testing.assert_array_equal(stylize(content=image, init=image), as_floats)


def test_a_callback_sees_the_progress_and_may_stop(stylize):
    seen = []
    whole = stylize(steps=6, callback=seen.append)
    assert (seen[0].step, seen[-1].step, seen[-1].steps) == (0, 6, 6)
    assert seen[-1].loss < seen[0].loss
    assert sum(seen[0].terms.values()) == pytest.approx(seen[0].loss, rel=1e-5)
    np.testing.assert_array_equal(seen[-1].result(), whole)
    first = stylize(steps=6, callback=lambda progress: True)
    np.testing.assert_array_equal(first, seen[0].result())
