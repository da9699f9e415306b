"""Several styles of audio: their shares of the gradient, equal styles and styles of weight 0, what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nst
from nst.audio import Audio
from nst.errors import InputError
from nst.objective import loss
from nst.transfer.audio import audio_features, in_units
from nst.transfer.audio.objective import objective
from nst.transfer.audio.rows import cut, noise, rows
from nst.types import Style

RATE, SAMPLES = 8000, 6000
SETTINGS = {"content_weight": 1.0, "style_weight": 3.0, "envelope_weight": 0.5}
SMALL = {"n_fft": 256, "filters": 16, "phase_steps": 2, "steps": 2}


def tone(hertz, samples=SAMPLES, channels=1):
    t = np.arange(samples) / RATE
    return rows(np.stack([np.sin(2 * np.pi * hertz * t + i) for i in range(channels)], 1)).samples


CONTENT, A, B = tone(440), tone(300, 7000), noise(1, 1, 8000)


def scaled_objective(method, *styles, content=CONTENT):
    extractor = audio_features(method, n_fft=256, rate=RATE, filters=16, seed=3)
    return objective(in_units(extractor, content, styles, content), content, styles, SETTINGS)


_evaluate = jax.jit(jax.value_and_grad(loss, has_aux=True))
_jacobian = jax.jit(jax.jacrev(lambda params, target: loss(params, target)[1]))


def norms(target, x):
    gradients = _jacobian(target.extractor.parameters(x), target)
    return {name: float(jnp.linalg.norm(gradient)) for name, gradient in gradients.items()}


def evaluated(target, x):
    (value, terms), gradient = _evaluate(target.extractor.parameters(x), target)
    return value, terms, gradient


def test_a_single_style_is_what_its_samples_are():
    extractor = audio_features("spectrogram", n_fft=256, rate=RATE, filters=16, seed=3)
    plain, tree = (objective(extractor, CONTENT, style, SETTINGS) for style in (A, [Style(A, 3.0)]))
    assert jax.tree.structure(plain) == jax.tree.structure(tree)
    for one, other in zip(jax.tree.leaves(plain), jax.tree.leaves(tree), strict=True):
        np.testing.assert_array_equal(one, other)


def test_gradients_are_the_shares_of_the_styles():
    target = scaled_objective("spectrogram", Style(A, 2.0), Style(B))
    at_content, at_a, at_b = (norms(target, x) for x in (CONTENT, cut(A, 1, SAMPLES), cut(B, 1, SAMPLES)))
    assert at_content["style_1"] == pytest.approx(3.0 * 2 / 3, rel=1e-3)
    assert at_content["style_2"] == pytest.approx(3.0 / 3, rel=1e-3)
    for name, weight in (("content", 1.0), ("envelope", 0.5)):
        assert (2 * at_a[name] + at_b[name]) / 3 == pytest.approx(weight, rel=1e-3)
        assert at_a[name] != pytest.approx(weight, rel=0.05)  # the styles differ


@pytest.mark.parametrize("method", ["spectrogram", pytest.param("waveform", marks=pytest.mark.slow)])
@pytest.mark.parametrize("other", [Style(A, 2.0), Style(B, 0.0)], ids=["equal", "weight 0"])
def test_an_equal_style_or_one_of_weight_0_changes_nothing(method, other):
    x = noise(7, 1, SAMPLES)
    value, terms, gradient = evaluated(scaled_objective(method, Style(A)), x)
    target = scaled_objective(method, Style(A), other)
    values, several, gradients = evaluated(target, x)
    np.testing.assert_allclose(values, value, rtol=1e-5)
    np.testing.assert_allclose(several["style_1"] + several["style_2"], terms["style"], rtol=1e-5)
    assert np.linalg.norm(gradients - gradient) < 1e-5 * np.linalg.norm(gradient)


def test_each_style_has_the_channels_that_it_shares_with_the_content():
    target = scaled_objective(
        "spectrogram", Style(A), Style(tone(300, channels=2)), content=tone(440, channels=2)
    )
    assert target.terms["style_1"].layers == ("conv mid",)
    assert target.terms["style_2"].layers == ("conv mid", "conv side")


def test_styles_are_audio_in_any_form_with_weights():
    integers = (2**14 * np.sin(np.arange(4000))).astype(np.int16)
    styles = [Audio(B.T, RATE), nst.Style(integers, 2)]
    mixed = nst.stylize_audio(CONTENT[0], styles, RATE, **SMALL)
    first = nst.stylize_audio(CONTENT[0], [styles[0], nst.Style(integers, 0)], RATE, **SMALL)
    assert mixed.shape == (SAMPLES, 1)
    assert np.std(mixed - first) > 0.01 * np.std(first)


@pytest.mark.parametrize(
    ("style", "line"),
    [
        ([], "style is empty"),
        ([nst.Style("bells", 0), nst.Style("rain", 0.0)], "the weights of all styles are 0"),
        (["bells", nst.Style("rain", -1.0)], "the weight of style 2 = -1.0: give a finite number"),
        (["bells", "gone.wav"], r"gone\.wav: no such file"),
        (nst.Style("bells", scale=2.0), "style has a scale, which is for images: leave it out"),
        (["bells", nst.Style("rain", mask=np.ones((2, 2)))], "style 2 has a mask, which is for images"),
        (nst.Style("bells", content_mask=np.ones((2, 2))), "style has a content mask, which is for images"),
    ],
)
def test_styles_that_cannot_be_used_are_refused_in_a_line(style, line):
    with pytest.raises(InputError, match=line) as error:
        nst.stylize_audio(np.zeros(3000), style, RATE, **SMALL)
    assert "\n" not in str(error.value)
