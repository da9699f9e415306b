import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from nst import audio
from nst.errors import InputError

RATES = [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000]


def sine(rate, hertz, seconds=0.4):
    t = np.arange(round(rate * seconds)) / rate
    return audio.Audio((0.5 * np.sin(2 * np.pi * hertz * t + 0.3)).astype(np.float32)[:, None], rate)


@pytest.mark.parametrize("source", RATES)
@pytest.mark.parametrize("target", RATES)
def test_a_sine_is_the_same_sine(source, target):
    """Frequency, amplitude and phase agree with the formula, away from the ends."""
    hertz = 0.4 * min(source, target)
    resampled, expected = audio.resample(sine(source, hertz), target), sine(target, hertz)
    assert resampled.rate == target
    assert resampled.samples.dtype == np.float32
    assert abs(len(resampled.samples) - len(expected.samples)) <= 1
    inner = slice(target // 20, target * 7 // 20)
    np.testing.assert_allclose(resampled.samples[inner], expected.samples[inner], atol=2e-4)  # 0.003 dB


@pytest.mark.parametrize(("source", "target"), [(44_100, 16_000), (96_000, 44_100)])
def test_frequencies_above_half_the_rate_are_filtered_out(source, target):
    samples = audio.resample(sine(source, 0.55 * target), target).samples
    assert np.abs(samples[target // 20 : -target // 20]).max() < 1e-4


def test_noise_is_resampled_as_by_scipy():
    generator = np.random.default_rng(3)
    low_pass = scipy.signal.firwin(301, 0.3)  # where the filters of soxr and SciPy agree
    noise = scipy.signal.lfilter(low_pass, 1, generator.normal(0, 0.1, 12_000))
    expected = scipy.signal.resample_poly(noise, 3, 2, window=("kaiser", 12.0))
    samples = audio.resample(audio.Audio(noise.astype(np.float32)[:, None], 32_000), 48_000).samples[:, 0]
    inner = slice(1000, -1000)
    np.testing.assert_allclose(samples[inner], expected[inner], atol=1e-4 * np.abs(expected).max())


def test_channels_are_resampled_independently():
    left, right = sine(44_100, 440).samples, sine(44_100, 1000).samples
    together = audio.resample(audio.Audio(np.hstack([left, right]), 44_100), 16_000).samples
    for channel, alone in enumerate((left, right)):
        np.testing.assert_allclose(
            together[:, channel : channel + 1],
            audio.resample(audio.Audio(alone, 44_100), 16_000).samples,
            atol=1e-7,
        )


def test_the_same_rate_is_the_same_sound():
    sound = sine(44_100, 440)
    assert audio.resample(sound, 44_100) is sound


@given(count=st.integers(1, 5000), source=st.sampled_from(RATES), target=st.sampled_from(RATES))
@settings(max_examples=50, deadline=None)
def test_the_duration_stays_the_same(count, source, target):
    sound = audio.Audio(np.full((count, 1), 0.1, np.float32), source)
    length = count * target / source
    if length < 0.5:
        with pytest.raises(InputError, match=r"are too few for one at .*: give longer audio"):
            audio.resample(sound, target)
    else:
        assert abs(len(audio.resample(sound, target).samples) - length) <= 0.5


def test_resampling_is_deterministic():
    sound = audio.Audio(np.random.default_rng(2).normal(0, 0.1, (9000, 2)).astype(np.float32), 44_100)
    first, second = (audio.resample(sound, 16_000).samples for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_impossible_rates_are_refused():
    with pytest.raises(
        InputError, match="resampling: a sampling rate of 10 Hz is out of range: give one from 1000 to 768000"
    ):
        audio.resample(sine(44_100, 440), 10)
