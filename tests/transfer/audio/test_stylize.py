"""`nst.stylize_audio` and `stylization`: the loss falls, resumption is exact, any audio works."""

import jax
import numpy as np
import pytest

from nst.stages import Resume
from nst.transfer import audio
from nst.transfer.audio.rows import columns, cut, lengthened, noise, rows

RATE = 8000
SMALL = {"n_fft": 256, "filters": 16, "phase_steps": 4}


def plucks(samples=6000, channels=1, seed=0):
    """Decaying tones one after the other."""
    generator = np.random.default_rng(seed)
    t = np.arange(samples) / RATE
    x = np.zeros((samples, channels))
    for start in range(0, samples, 1500):
        pitch = generator.choice([262, 330, 392, 523])
        note = np.exp(-8 * (t - t[start])) * np.sin(2 * np.pi * pitch * (t - t[start]))
        x += np.where(np.arange(samples) >= start, note, 0)[:, None] * generator.uniform(0.2, 0.4, channels)
    return x.astype(np.float32)


def hiss(samples=6000, channels=1):
    return 0.1 * np.random.default_rng(5).standard_normal((samples, channels)).astype(np.float32)


@pytest.mark.parametrize("method", audio.METHODS)
@pytest.mark.parametrize("init", ["content", "noise"])
def test_the_loss_falls(method, init):
    extractor = audio.audio_features(method, n_fft=256, rate=RATE, filters=16, seed=0)
    content, style = rows(plucks()).samples, rows(hiss(9000)).samples
    begin = audio.starting(init, content, style, 0)
    first, *_, last = audio.stylization(content, style, begin, extractor=extractor, steps=15, every=(5,))
    assert last.step == 15
    assert last.evaluations == 16
    assert float(last.state.value) < 0.95 * float(first.state.value)


def tones(*frequencies):
    """Return a second of tones that swell and fade, without any other frequency."""
    t = np.arange(RATE) / RATE
    return (0.2 * np.hanning(RATE) * sum(np.sin(2 * np.pi * f * t) for f in frequencies))[:, None].astype(
        np.float32
    )


def test_frequencies_that_are_silent_in_both_stay_silent():
    content, style = tones(262, 392), tones(330, 523)
    noise_above = {}
    for scaled in (True, False):
        x = audio.stylize_audio(content, style, RATE, steps=20, scaled=scaled, **SMALL)
        power = np.square(np.abs(np.fft.rfft(x[:, 0])))
        noise_above[scaled] = power[2000:].sum() / power.sum()  # a bin is 1 Hz
    assert noise_above[True] < 0.02 * noise_above[False]


def test_units_change_parameters_and_no_feature():
    extractor = audio.audio_features("spectrogram", n_fft=256, rate=RATE, filters=16, seed=0)
    content, style = rows(plucks()).samples, rows(hiss()).samples
    scaled = extractor.scaled(content, style)
    plain, units = extractor.parameters(content), scaled.parameters(content)
    np.testing.assert_allclose(units * scaled.level, plain, rtol=1e-5)
    for layer in ("conv mid", "energy"):
        features = extractor(plain, [layer])[layer]
        np.testing.assert_allclose(scaled(units, [layer])[layer], features, rtol=1e-4, atol=1e-5)
    silence = np.zeros_like(content)
    assert np.isfinite(extractor.scaled(silence, silence).parameters(silence)).all()


@pytest.mark.parametrize("method", audio.METHODS)
def test_a_resumed_run_has_the_same_bits(method):
    extractor = audio.audio_features(method, n_fft=256, rate=RATE, filters=16, seed=0)
    content, style = rows(plucks()).samples, rows(hiss()).samples

    def run(resume=None):
        snapshots = {}
        for snapshot in audio.stylization(
            content, style, content, extractor=extractor, steps=8, every=(4,), resume=resume
        ):
            snapshots[snapshot.step] = jax.tree.map(np.array, snapshot.tree)
        return snapshots

    whole = run()

    def restore(like):
        assert str(jax.tree.map(lambda x: (x.shape, x.dtype), like)) == str(
            jax.tree.map(lambda x: (x.shape, x.dtype), whole[4])
        )
        return jax.tree.map(jax.numpy.array, whole[4])

    rest = run(Resume(0, restore))
    assert np.array_equal(rest[8][0].params, whole[8][0].params)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:(content|style) is silent")
@pytest.mark.parametrize("method", audio.METHODS)
@pytest.mark.parametrize(
    ("content", "style"),
    [
        (plucks(1), hiss(6000)),
        (plucks(777), hiss(3)),
        (plucks(5000, 2), hiss(6000, 1)),
        (plucks(5000, 1), hiss(6000, 2)),
        (plucks(5001, 2), hiss(20_000, 2)),
        (np.zeros((5000, 1), np.float32), hiss()),
        (plucks(5000), np.zeros((5000, 1), np.float32)),
        (np.ones((5000, 1), np.float32), np.ones((5000, 2), np.float32)),
    ],
    ids=["one sample", "short", "stereo content", "stereo style", "stereo", "silence", "silent style", "DC"],
)
def test_any_audio(method, content, style):
    result = audio.stylize_audio(content, style, RATE, method=method, steps=2, **SMALL)
    assert result.shape == content.shape
    assert np.isfinite(result).all()


def test_a_stereo_content_stays_stereo():
    content = np.stack([plucks()[:, 0], plucks(seed=3)[:, 0]], axis=1)
    result = audio.stylize_audio(content, hiss(), RATE, steps=3, **SMALL)
    side = [np.std(x[:, 0] - x[:, 1]) for x in (result, content)]
    assert side[0] > 0.5 * side[1]


def test_the_result_is_as_loud_as_the_content():
    loud = audio.stylize_audio(plucks(), hiss(), RATE, steps=3, **SMALL)
    faint = audio.stylize_audio(0.01 * plucks(), hiss(), RATE, steps=3, **SMALL)
    np.testing.assert_allclose(np.std(faint), 0.01 * np.std(loud), rtol=0.02)


def test_mid_and_side_and_back():
    x = hiss(100, 2)
    mid_side = rows(x)
    assert mid_side.samples.shape == (2, 100)
    np.testing.assert_allclose(columns(mid_side.samples, mid_side.gain), x, atol=1e-6)


def test_repeating_and_cutting():
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert lengthened(x, 7)[0].tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert lengthened(x, 2).shape == (2, 3)
    assert cut(x, 1, 2).tolist() == [[0, 1]]
    assert cut(x[:1], 2, 4).tolist() == [[0, 1, 2, 0], [0, 0, 0, 0]]
    assert np.array_equal(noise(1, 2, 50), noise(1, 2, 50))
