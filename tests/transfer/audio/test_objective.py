"""The loss against NumPy in float64, the ratio of the gradients, audio of several lengths and channels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst.errors import InputError
from nst.objective import Objective, loss
from nst.transfer.audio import audio_features
from nst.transfer.audio.objective import objective
from nst.transfer.audio.rows import cut, noise, rows

RATE, WIDTH = 8000, 11


def tone(hertz, samples=6000, channels=1):
    t = np.arange(samples) / RATE
    return rows(np.stack([np.sin(2 * np.pi * hertz * t + i) for i in range(channels)], 1)).samples


def small_extractor(method, filters=16):
    return audio_features(method, n_fft=256, rate=RATE, filters=filters, seed=3)


def small_objective(method, content=None, style=None, **weights):
    content = tone(440) if content is None else content
    style = tone(300, 7000) if style is None else style
    settings = {"content_weight": 1.0, "style_weight": 1.0} | weights
    return objective(small_extractor(method), content, style, settings)


def features(params, kernel):
    """Each filter at each frame, by a loop over frames."""
    S, kernel = np.asarray(params, np.float64), np.asarray(kernel, np.float64)
    frames = [S[t : t + WIDTH].reshape(-1) @ kernel for t in range(len(S) - WIDTH + 1)]
    return np.maximum(np.stack(frames), 0)


def test_the_terms_are_those_of_the_paper():
    content, style = tone(440), tone(300, 7000)
    target = small_objective("spectrogram", content, style, envelope_weight=0.5)
    extractor = target.extractor
    x = extractor.parameters(noise(7, 1, 6000))
    kernel = extractor.views["conv"].kernel
    F, P = (features(p[0], kernel) for p in (x, extractor.parameters(content)))
    A = features(extractor.parameters(style)[0], kernel)
    G, style_G = F.T @ F / len(F), A.T @ A / len(A)
    e, content_e = (
        np.sqrt(np.sum((np.maximum(np.expm1(np.asarray(p, np.float64)), 0) / 10) ** 2, -1) + 1e-6) / 256
        for p in (x, extractor.parameters(content))
    )
    raw = {
        "content": np.mean((F - P) ** 2),
        "style": np.sum((G - style_G) ** 2) / (4 * 16**2),
        "envelope": np.sum((e - content_e) ** 2),
    }
    total, terms = loss(x, target)
    for name, value in raw.items():
        weight = float(target.terms[name].weight)
        assert float(terms[name]) == pytest.approx(weight * value, rel=1e-4), name
    assert float(total) == pytest.approx(sum(map(float, terms.values())))


@pytest.mark.parametrize("method", ["spectrogram", "waveform"])
def test_gradients_have_the_ratio_that_was_asked_for(method):
    content, style = tone(440), tone(300, 7000)
    target = small_objective(
        method, content, style, content_weight=1.0, style_weight=4.0, envelope_weight=0.5
    )
    jacobian = jax.jit(jax.jacrev(lambda params: loss(params, target)[1]))

    def norms(x):
        gradients = jacobian(target.extractor.parameters(x))
        return {name: float(jnp.linalg.norm(gradient)) for name, gradient in gradients.items()}

    at_style, at_content = norms(cut(style, 1, 6000)), norms(content)
    assert at_style["content"] == pytest.approx(1.0, rel=1e-3)
    assert at_style["envelope"] == pytest.approx(0.5, rel=1e-3)
    assert at_content["style"] == pytest.approx(4.0, rel=1e-3)


def test_a_faint_sound_counts_as_much_as_a_loud_one():
    loud, faint = np.sin(np.arange(6000)[:, None]), 1e-3 * np.sin(np.arange(6000)[:, None])
    np.testing.assert_allclose(rows(loud).samples, rows(faint).samples, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", ["spectrogram", "waveform"])
def test_a_style_repeated_has_nearly_the_same_statistics(method):
    style = noise(1, 1, 16384)
    once, twice = (
        small_objective(method, style=x).terms["style"].target[0] for x in (style, np.tile(style, (1, 2)))
    )
    for layer in once:
        a, b = (statistics.G / statistics.M for statistics in (once[layer], twice[layer]))
        assert float(twice[layer].M) > 1.9 * float(once[layer].M)  # it is not cut
        assert np.linalg.norm(a - b) < 0.05 * np.linalg.norm(a)


@pytest.mark.parametrize(
    ("content", "style", "named"),
    [(1, 1, ["mid"]), (2, 1, ["mid"]), (1, 2, ["mid"]), (2, 2, ["mid", "side"])],
)
def test_channels_in_common_have_a_style(content, style, named):
    target = small_objective("spectrogram", tone(440, channels=content), tone(300, channels=style))
    assert list(target.terms["style"].layers) == [f"conv {name}" for name in named]
    assert len(target.terms["content"].local) == content


@pytest.mark.parametrize(("samples", "kind"), [(3392, "Gram"), (3328, "DualGram")])
def test_many_filters_take_the_dual_form(samples, kind):
    """84 positions and 44 are as many as 128 filters, 84 and 43 fewer."""
    weights = {"content_weight": 1.0, "style_weight": 1.0}
    target = objective(small_extractor("spectrogram", 128), tone(440), tone(300, samples), weights)
    assert type(target.terms["style"].target[0]["conv mid"]).__name__ == kind
    assert target.terms["style"].additive == (kind == "Gram")


def test_the_dual_form_has_the_loss_of_gram_matrices(monkeypatch):
    evaluate, evaluations = jax.jit(jax.value_and_grad(loss, has_aux=True)), []
    for _ in range(2):
        target = objective(small_extractor("spectrogram", 256), tone(440), tone(300), {"style_weight": 1.0})
        evaluations.append(evaluate(target.extractor.parameters(tone(200)), target))
        monkeypatch.setattr("nst.transfer.audio.objective._dual_layers", lambda *_: frozenset())
    ((value, _), gradient), ((expected, _), expected_gradient) = evaluations
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    assert np.linalg.norm(gradient - expected_gradient) < 1e-5 * np.linalg.norm(expected_gradient)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spectrogram", "waveform"])
@pytest.mark.parametrize("silent", ["content", "style", "both"])
def test_silence_is_finite(method, silent):
    nothing = np.zeros((1, 6000), np.float32)
    target = small_objective(
        method,
        nothing if silent != "style" else None,
        nothing if silent != "content" else None,
        envelope_weight=1.0,
    )
    params = target.extractor.parameters(nothing)
    value, gradient = jax.value_and_grad(lambda p: loss(p, target)[0])(params)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_other_weights_and_sounds_do_not_compile_again():
    calls = []

    @jax.jit
    def traced(params, target: Objective):
        calls.append(1)
        return loss(params, target)[0]

    for pitch, weight in ((440, 1.0), (200, 3.0)):
        target = small_objective("spectrogram", tone(pitch), style_weight=weight)
        traced(target.extractor.parameters(tone(pitch)), target)
    assert len(calls) == 1


def test_the_same_seed_draws_the_same_filters():
    assert np.array_equal(
        small_extractor("waveform").views["conv512"].kernel,
        small_extractor("waveform").views["conv512"].kernel,
    )
    other = audio_features("waveform", n_fft=256, rate=RATE, filters=16, seed=4)
    assert not np.array_equal(
        small_extractor("waveform").views["conv512"].kernel, other.views["conv512"].kernel
    )


def test_names_and_windows_that_can_not_be_used():
    with pytest.raises(InputError, match=r"unknown audio.method 'waveforms': did you mean waveform"):
        audio_features("waveforms", n_fft=256, rate=RATE, filters=4, seed=0)
    with pytest.raises(InputError, match=r"audio.n_fft = 250: give a multiple of 4"):
        audio_features("spectrogram", n_fft=250, rate=RATE, filters=4, seed=0)
    with pytest.raises(InputError, match=r"unknown style loss 'gran'"):
        small_objective("spectrogram", style_loss="gran")
