"""Features and distances of audio against librosa, SciPy and loops."""

import librosa
import numpy as np
import pytest
import scipy.signal
import scipy.spatial
import scipy.stats

from nst.metrics import audio
from nst.metrics.audio import content, heard, pitch, style
from nst.metrics.audio.heard import BANDS, CONTEXT, FLOOR, RATE, hear

GENERATOR = np.random.default_rng(0)
FRAMES = {"sr": RATE, "n_fft": 2048, "hop_length": 512, "center": False}
TONAL = {"sr": RATE, "n_fft": 4096, "hop_length": 1024, "center": False}
MELODY = (60, 64, 67, 72, 71, 67, 62, 55)


def test_levels_are_those_of_librosa(make):
    x = make.rumbling(1)
    power = librosa.feature.melspectrogram(y=hear(x).x, n_mels=BANDS, **FRAMES)
    unit = RATE / 2048 / np.sum(np.square(scipy.signal.get_window("hann", 2048)))
    expected = np.maximum(10 * np.log10(unit * power.T), FLOOR)
    np.testing.assert_allclose(hear(x).mel, expected, atol=1e-4)
    assert np.mean(expected == FLOOR) < 0.5


def test_white_noise_has_a_level_of_0_in_every_band(make):
    power = 10 ** (hear(make.noise(20)).mel / 10)
    np.testing.assert_allclose(10 * np.log10(power.mean(axis=0)), 0, atol=1)


def test_the_cepstrum_is_that_of_librosa(make):
    x = hear(make.rumbling(1))
    expected = librosa.feature.mfcc(S=x.mel.T, sr=RATE, n_mfcc=13)[1:].mean(axis=1)
    np.testing.assert_allclose(x.cepstrum, expected, rtol=1e-9, atol=1e-9)


def test_chroma_is_that_of_librosa(make):
    x = hear(make.played(MELODY))
    expected = librosa.feature.chroma_stft(y=x.x, tuning=0, norm=None, **TONAL)
    np.testing.assert_allclose(x.chroma, expected.T, rtol=1e-4, atol=1e-6 * expected.max())
    assert np.argmax(x.chroma[2]) == 60 % 12


def test_frames_come_in_blocks_of_any_length(monkeypatch, make):
    x = make.played(MELODY[:3])
    whole = hear(x)
    expected = whole.mel, whole.chroma, pitch.pitches(whole.x, 0.0), pitch.tuning(whole.x)
    for block in (1, 5):
        monkeypatch.setattr(heard, "_BLOCK", block)
        again = hear(x)
        for a, b in zip(
            expected,
            (again.mel, again.chroma, pitch.pitches(again.x, 0.0), pitch.tuning(again.x)),
            strict=True,
        ):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def texture_oracle(x, target):
    def covariance(levels):
        windows = [levels[i : i + CONTEXT].T.ravel() for i in range(len(levels) - CONTEXT + 1)]
        return np.cov(np.array(windows).T, bias=True)

    S, T = covariance(x.mel), covariance(target.mel)
    return ((S - T) ** 2).sum() / ((S**2).sum() + (T**2).sum() + BANDS * CONTEXT)


def mel_oracle(x, target):
    squares = [
        (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2
        for a, b in zip(x.mel.T, target.mel.T, strict=True)
    ]
    return (sum(squares) / BANDS) ** 0.5


def mfcc_oracle(x, target):
    a, b = (librosa.feature.mfcc(S=each.mel.T, n_mfcc=13)[1:].mean(axis=1) for each in (x, target))
    return scipy.spatial.distance.cosine(a, b)


def lsd_oracle(x, target):
    return np.mean([(sum((a - b) ** 2) / BANDS) ** 0.5 for a, b in zip(x.mel, target.mel, strict=True)])


def envelope_oracle(x, target):
    window = scipy.signal.get_window("hann", 2048)

    def envelope(y):
        starts = range(0, len(y) - 2047, 512)
        return [np.sqrt(np.sum((window * y[i : i + 2048]) ** 2) / np.sum(window**2)) for i in starts]

    return scipy.stats.pearsonr(envelope(x.x), envelope(target.x)).statistic


def chroma_oracle(x, target):
    pairs = [*zip(x.chroma, target.chroma, strict=True)]
    weights = [np.linalg.norm(b) ** 0.5 for _, b in pairs]
    cosines = [1 - scipy.spatial.distance.cosine(a, b) for a, b in pairs]
    return sum(w * c for w, c in zip(weights, cosines, strict=True)) / sum(weights)


@pytest.mark.parametrize(
    ("distance", "oracle"),
    [
        (style.texture, texture_oracle),
        (style.mel, mel_oracle),
        (style.mfcc, mfcc_oracle),
        (content.lsd, lsd_oracle),
        (content.envelope, envelope_oracle),
        (content.chroma_cosine, chroma_oracle),
    ],
)
def test_a_distance_against_its_oracle(distance, oracle, make):
    x, target = hear(make.rumbling(1)), hear(make.played((60, 64)) + 0.1 * make.rumbling(1, slope=0))
    np.testing.assert_allclose(distance(x, target), oracle(x, target), rtol=1e-6)


def test_jaccard_against_sets():
    a, b = (GENERATOR.uniform(size=(20, 69)) < 0.1 for _ in range(2))
    sets = [[set(np.nonzero(frame)[0]) for frame in each] for each in (a, b)]
    shared = sum(len(x & y) for x, y in zip(*sets, strict=True))
    total = sum(len(x | y) for x, y in zip(*sets, strict=True))
    assert content.pitch_jaccard(a, b) == pytest.approx(shared / total)
    nothing = np.zeros_like(a)
    assert content.pitch_jaccard(nothing, nothing) == 1
    assert content.pitch_jaccard(a, nothing) == 0


def test_spectral_convergence_is_the_relative_error_of_magnitudes(make):
    x, y = make.rumbling(1)[:, 0], make.played(MELODY[:2])[:, 0]
    target, reached = (np.abs(librosa.stft(each, n_fft=512)) for each in (x, y))
    expected = np.sqrt(np.sum((reached - target) ** 2) / np.sum(target**2))
    assert audio.spectral_convergence(reached, target) == pytest.approx(expected, rel=1e-9)
    assert audio.spectral_convergence(target, target) == 0
    assert audio.spectral_convergence(0.75 * target, target) == pytest.approx(0.25)
    assert audio.spectral_convergence(np.zeros_like(target), target) == pytest.approx(1)
    nothing = np.zeros_like(target)
    assert (audio.spectral_convergence(nothing, nothing), audio.spectral_convergence(target, nothing)) == (
        0,
        np.inf,
    )
