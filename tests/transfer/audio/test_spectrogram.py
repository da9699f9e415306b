"""Transforms against NumPy and librosa, gradients, phase reconstruction."""

import jax
import jax.numpy as jnp
import librosa
import numpy as np
import pytest

from nst.audio import mel
from nst.transfer.audio.phase import griffin_lim
from nst.transfer.audio.spectrogram import inverse, magnitudes, stft, transform

STFT = stft(256, 64)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def numpy_stft(x, stft):
    """The transform of one channel by NumPy, in float64."""
    padded = np.pad(np.asarray(x, np.float64), (stft.n_fft // 2, stft.n_fft))
    window = np.hanning(stft.n_fft + 1)[:-1]
    frames = [padded[t * stft.hop :][: stft.n_fft] * window for t in range(1 + len(x) // stft.hop)]
    return np.fft.rfft(frames)


def numpy_inverse(X, stft, samples):
    window, half = np.hanning(stft.n_fft + 1)[:-1], stft.n_fft // 2
    x, weight = np.zeros((2, samples + 2 * stft.n_fft))
    for t, frame in enumerate(np.fft.irfft(X)):
        x[t * stft.hop :][: stft.n_fft] += window * frame
        weight[t * stft.hop :][: stft.n_fft] += window**2
    return (x / np.maximum(weight, 1e-8))[half : half + samples]


@pytest.mark.parametrize(
    ("samples", "stft"),
    [(1, STFT), (63, STFT), (64, STFT), (1000, stft(256, 128)), (1024, stft(512, 64))],
)
def test_the_transform_equals_numpys(samples, stft):
    x = noise(2, samples)
    real, imaginary = transform(x, stft)
    expected = np.stack([numpy_stft(row, stft) for row in x])
    assert real.shape == (2, 1 + samples // stft.hop, stft.bins)
    np.testing.assert_allclose(real, expected.real, atol=2e-4)
    np.testing.assert_allclose(imaginary, expected.imag, atol=2e-4)


@pytest.mark.parametrize("samples", [200, 831, 1024])
def test_the_inverse_gives_the_sound_back(samples):
    x = noise(1, samples)
    back = inverse(*transform(x, STFT), STFT, samples)
    whole = samples // STFT.hop * STFT.hop  # beyond the last frame's middle the window runs out
    np.testing.assert_allclose(back[:, :whole], x[:, :whole], atol=2e-5)


def test_the_inverse_of_inconsistent_coefficients_is_the_least_squares_solution():
    real, imaginary = noise(1, 17, 129), noise(1, 17, 129, seed=1)
    imaginary[..., [0, -1]] = 0
    expected = numpy_inverse(real[0] + 1j * imaginary[0].astype(np.float64), STFT, 1024)
    np.testing.assert_allclose(inverse(real, imaginary, STFT, 1024)[0], expected, atol=1e-5)


def test_the_gradient_is_finite_in_silence_and_right_elsewhere():
    assert np.isfinite(jax.grad(lambda x: magnitudes(x, STFT).sum())(jnp.zeros((1, 500)))).all()
    x, d = noise(1, 500), noise(1, 500, seed=1)

    def f(x):
        return jnp.sum(jnp.log1p(magnitudes(x, STFT)) ** 2)

    def exact(x):
        return np.sum(np.log1p(np.abs(numpy_stft(x[0], STFT))) ** 2)

    assert float(f(x)) == pytest.approx(exact(x), rel=1e-4)
    numeric = (exact(x + 1e-6 * d.astype(np.float64)) - exact(x - 1e-6 * d.astype(np.float64))) / 2e-6
    assert float(jnp.sum(jax.grad(f)(x) * d)) == pytest.approx(numeric, rel=1e-3)


def test_mel_filters_are_librosas():
    expected = librosa.filters.mel(sr=22050, n_fft=2048, n_mels=64, norm=None).T
    np.testing.assert_allclose(mel.filters(22050, 1025, 64), expected, atol=1e-5)


def convergence(S, x):
    return np.linalg.norm(magnitudes(x, STFT) - S) / np.linalg.norm(S)


def chirps(samples):
    t = np.arange(samples) / 8000
    return (np.sin(2 * np.pi * (300 + 900 * t) * t) + np.sin(2 * np.pi * 440 * t))[None].astype(np.float32)


def fast_griffin_lim(S, x, steps):
    """Algorithm 2 of Perraudin et al. in NumPy: t = P(c), c = t + α (t − t before)."""
    c = t = numpy_stft(x, STFT)
    for _ in range(steps):
        before, t = t, numpy_stft(numpy_inverse(S * np.exp(1j * np.angle(c)), STFT, len(x)), STFT)
        c = t + 0.99 * (t - before)
    return numpy_inverse(S * np.exp(1j * np.angle(c)), STFT, len(x))


def test_fast_griffin_lim_is_that_of_its_paper():
    S, start = np.asarray(magnitudes(chirps(2048), STFT)), noise(1, 2048)
    x = griffin_lim(S, start, STFT, 4)
    np.testing.assert_allclose(x[0], fast_griffin_lim(S[0], start[0], 4), atol=2e-3)


def test_griffin_lim_converges():
    S, start = np.asarray(magnitudes(chirps(4096), STFT)), noise(1, 4096)
    errors = [convergence(S, griffin_lim(S, start, STFT, steps)) for steps in (0, 32)]
    slow = fast_griffin_lim(S[0], start[0], 32)
    assert errors[1] < 0.3 * errors[0]
    assert errors[1] < 1.2 * convergence(S, slow[None].astype(np.float32))


def test_correct_phases_are_kept():
    x = chirps(4096)
    back = griffin_lim(np.asarray(magnitudes(x, STFT)), x, STFT, 8)
    np.testing.assert_allclose(back[:, 256:-256], x[:, 256:-256], atol=1e-2)


def test_channels_are_independent():
    both = np.concatenate([chirps(2048), noise(1, 2048)])
    S = np.asarray(magnitudes(both, STFT))
    together = griffin_lim(S, noise(2, 2048), STFT, 8)
    alone = griffin_lim(S[1:], noise(2, 2048)[1:], STFT, 8)
    np.testing.assert_allclose(together[1:], alone, atol=1e-4)


def test_silence_stays_silent():
    x = griffin_lim(np.zeros((1, 17, 129), np.float32), np.zeros((1, 1024), np.float32), STFT, 4)
    assert np.array_equal(x, np.zeros((1, 1024)))
