import errno
import os
import time

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.io.wavfile
import scipy.signal
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nst import audio
from nst.audio.write import CEILING
from nst.errors import InputError

GENERATOR = np.random.default_rng(11)
QUIET = audio.Audio(GENERATOR.uniform(-0.2, 0.2, (5000, 2)).astype(np.float32), 44_100)
SUFFIXES = [".wav", ".flac", ".ogg", ".mp3"]
LEVEL = 2.0**-23


def sine(amplitude, hertz=997.0, phase=0.0, rate=48_000):
    t = np.arange(rate // 4) / rate
    samples = amplitude * np.sin(2 * np.pi * hertz * t + phase) * scipy.signal.windows.tukey(t.size, 0.1)
    return audio.Audio(samples.astype(np.float32)[:, None], rate)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossless_formats_keep_24_bits(tmp_path, suffix, channels):
    levels = GENERATOR.integers(-(2**22), 2**22, (5000, channels))
    path = tmp_path / f"a{suffix}"
    assert audio.write(path, audio.Audio((levels * LEVEL).astype(np.float32), 44_100)) == 0
    written = audio.read(path)
    assert written.rate == 44_100
    np.testing.assert_array_equal(written.samples / LEVEL, levels)
    assert soundfile.info(path).subtype == "PCM_24"


def test_scipy_reads_what_is_written(tmp_path):
    audio.write(tmp_path / "a.wav", QUIET)
    rate, stored = scipy.io.wavfile.read(tmp_path / "a.wav")
    assert rate == 44_100
    np.testing.assert_allclose(stored / 2**31, QUIET.samples, atol=0.51 * LEVEL)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_is_what_its_extension_says(tmp_path, suffix, channels):
    sound = sine(0.5, rate=44_100)
    sound = sound._replace(samples=np.repeat(sound.samples, channels, axis=1))
    path = tmp_path / f"a{suffix.upper()}"
    assert audio.write(path, sound) == 0
    written = audio.read(path)
    assert (written.samples.shape, written.rate) == (sound.samples.shape, 44_100)
    np.testing.assert_allclose(written.samples[3000:-3000], sound.samples[3000:-3000], atol=0.01)
    assert soundfile.info(path).format == suffix[1:].upper()


def test_millions_of_samples_of_ogg(tmp_path):
    """libsndfile overflows the stack if all samples are written in one call."""
    sound = audio.Audio(np.zeros((3_000_000, 2), np.float32), 44_100)
    audio.write(tmp_path / "a.ogg", sound)
    assert soundfile.info(tmp_path / "a.ogg").frames == 3_000_000


def test_device_arrays_are_written(tmp_path):
    audio.write(tmp_path / "a.wav", audio.Audio(jnp.asarray(QUIET.samples), 44_100))  # type: ignore[arg-type]
    np.testing.assert_allclose(audio.read(tmp_path / "a.wav").samples, QUIET.samples, atol=0.51 * LEVEL)


def test_same_sound_same_bytes(tmp_path):
    def written(folder):
        for suffix in SUFFIXES:
            audio.write(tmp_path / folder / f"a{suffix}", QUIET)
        return {suffix: (tmp_path / folder / f"a{suffix}").read_bytes() for suffix in SUFFIXES}

    first = written("first")
    time.sleep(1.1)  # formats with a time stamp have it in seconds
    second = written("second")
    for suffix in (".wav", ".flac", ".mp3"):
        assert first[suffix] == second[suffix]
    ogg = [audio.read(tmp_path / folder / "a.ogg").samples for folder in ("first", "second")]
    np.testing.assert_array_equal(*ogg)


def _peak(samples):
    return np.abs(scipy.signal.resample_poly(samples, 8, 1, axis=0)).max()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_loud_audio_is_scaled_and_not_clipped(tmp_path, suffix):
    gain = audio.write(tmp_path / f"a{suffix}", sine(4.0))
    np.testing.assert_allclose(gain, 20 * np.log10(CEILING / 4), atol=0.01)
    samples = audio.read(tmp_path / f"a{suffix}").samples[3000:-3000]
    np.testing.assert_allclose(samples, sine(CEILING).samples[3000:-3000], atol=0.02)


def test_a_peak_between_the_samples_counts(tmp_path):
    """At a quarter of the rate and 45°, every sample is at 0.71 of the wave's peak."""
    sound = sine(1.2, hertz=12_000, phase=np.pi / 4)
    assert np.abs(sound.samples).max() < CEILING
    gain = audio.write(tmp_path / "a.wav", sound)
    assert gain == pytest.approx(20 * np.log10(CEILING / 1.2), abs=0.2)
    assert _peak(audio.read(tmp_path / "a.wav").samples) <= CEILING * 1.005


@given(
    arrays(
        np.float32, st.tuples(st.integers(1, 300), st.integers(1, 2)), elements=st.floats(-1, 1, width=32)
    ),
    st.sampled_from([1e-4, 0.5, 1.0, 3.0, 1e4]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_limiting_is_one_gain_and_happens_once(tmp_path, shape, loudness):
    path, samples = tmp_path / "a.wav", shape * np.float32(loudness)
    gain = audio.write(path, audio.Audio(samples, 48_000))
    written, content = audio.read(path), path.read_bytes()
    factor = 10 ** (gain / 20)
    assert factor <= 1
    np.testing.assert_allclose(written.samples, samples * factor, atol=LEVEL, rtol=1e-6)
    assert np.abs(written.samples).max() <= CEILING * 1.0002
    peak = max(np.abs(samples).max(), _peak(np.pad(samples, [(64, 64), (0, 0)])))
    if peak < 0.98 * CEILING:
        assert gain == 0
    if np.abs(samples).max() > CEILING * 1.001:
        assert gain < 0
    assert audio.write(path, written) == 0
    assert path.read_bytes() == content


def test_blocks_are_measured_as_one(tmp_path):
    """Audio of more than three blocks, with a peak between samples at the end of the last block or across two."""
    burst = sine(2.0, hertz=12_000, phase=np.pi / 4).samples[4000:4400] * np.hanning(400)[:, None]
    alone = audio.write(tmp_path / "a.flac", audio.Audio(burst.astype(np.float32), 48_000))
    assert alone == pytest.approx(20 * np.log10(CEILING / 2), abs=0.2)
    for place in (200_001 - 400, 2**16 - 200):
        samples = np.zeros((200_001, 1), np.float32)
        samples[place : place + 400] = burst
        gain = audio.write(tmp_path / "b.flac", audio.Audio(samples, 48_000))
        assert gain == pytest.approx(alone, abs=0.01)
        written = audio.read(tmp_path / "b.flac").samples
        np.testing.assert_allclose(written, samples * 10 ** (gain / 20), atol=LEVEL)


def test_silence_is_written(tmp_path):
    assert audio.write(tmp_path / "a.mp3", audio.Audio(np.zeros((999, 1), np.float32), 44_100)) == 0
    assert not audio.read(tmp_path / "a.mp3").samples.any()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_sample_is_written(tmp_path, suffix):
    audio.write(tmp_path / f"a{suffix}", audio.Audio(np.full((1, 1), 0.3, np.float32), 44_100))
    assert audio.read(tmp_path / f"a{suffix}").samples.shape == (1, 1)


@pytest.mark.parametrize(
    ("name", "rate", "cause"),
    [
        ("a.aac", None, "unknown extension of an output: choose from .wav, .flac, .ogg, .mp3"),
        ("a", None, "unknown extension"),
        ("a.mp3", 96_000, "96000 Hz cannot be written .*48000.: resample it, or choose .wav"),
        ("a.mp3", 10_000, "10000 Hz cannot be written"),
        ("a.ogg", 200_001, "only 1000 to 200000"),
        ("a.flac", 705_600, "only 1000 to 655350"),
        ("a.flac", 96_001, "in tens"),
        ("a.wav", 999, "999 Hz cannot be written"),
    ],
)
def test_an_impossible_output_is_refused_before(tmp_path, name, rate, cause):
    with pytest.raises(InputError, match=cause) as caught:
        audio.check_output(tmp_path / name, rate=rate)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=cause):
        audio.write(tmp_path / name, QUIET._replace(rate=rate or 44_100))
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("a.wav", [1_000, 44_101, 768_000]),
        ("a.flac", [1_000, 65_535, 65_540, 655_350]),
        ("a.ogg", [1_000, 8_000, 44_101, 200_000]),
        ("a.mp3", [8_000, 11_025, 44_100, 48_000]),
    ],
)
def test_the_outermost_rates_can_be_written(tmp_path, name, rates):
    for rate in rates:
        audio.check_output(tmp_path / name, rate=rate)
        audio.write(tmp_path / name, QUIET._replace(rate=rate))
        written = audio.read(tmp_path / name)
        assert (written.rate, written.samples.shape) == (rate, QUIET.samples.shape)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path, value):
    samples = QUIET.samples.copy()
    samples[3, 1] = value
    with pytest.raises(InputError, match="not finite"):
        audio.write(tmp_path / "a.wav", audio.Audio(samples, 44_100))
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("shape", [(0, 1), (10,), (10, 3), (10, 0)])
def test_other_shapes_are_refused(tmp_path, shape):
    with pytest.raises(InputError, match=r"give \[samples, channels\] with 1 or 2 channels"):
        audio.write(tmp_path / "a.wav", audio.Audio(np.zeros(shape, np.float32), 44_100))


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    path.write_bytes(b"before")

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        audio.write(path, QUIET)
    assert path.read_bytes() == b"before"
    assert [*tmp_path.iterdir()] == [path]
