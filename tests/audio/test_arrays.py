"""Audio in memory: which is taken, and what to do about other arrays."""

import numpy as np
import pytest

import nst
from nst import audio
from nst.errors import InputError

STEREO = np.random.default_rng(0).uniform(-0.9, 0.9, (900, 2)).astype(np.float32)


def test_one_axis_is_mono():
    np.testing.assert_array_equal(audio.as_audio("content", STEREO[:, 0], 8000), STEREO[:, :1])
    np.testing.assert_array_equal(audio.as_audio("content", STEREO.astype(np.float64), 8000), STEREO)


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [(np.int16, -(2**15), 2**15 - 1), (np.int32, -(2**31), 2**31 - 1)]
)
def test_integers_are_scaled_to_full_scale(dtype, low, high):
    samples = audio.as_audio("content", np.array([low, 0, high], dtype), 8000)
    np.testing.assert_allclose(samples[:, 0], [-1, 0, 1], atol=1e-4)
    bytes_ = audio.as_audio("content", np.array([0, 128, 255], np.uint8), 8000)
    np.testing.assert_allclose(bytes_[:, 0], [-1, 0, 127 / 128], atol=1e-7)


def test_files_and_audio_are_resampled(tmp_path):
    tone = np.sin(np.arange(16_000) / 5)[:, None].astype(np.float32) / 2
    audio.write(tmp_path / "a.wav", audio.Audio(tone, 16_000))
    for same in (tmp_path / "a.wav", str(tmp_path / "a.wav"), audio.Audio(tone[:, 0], 16_000)):
        assert audio.as_audio("content", same, 8000).shape == (8000, 1)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (STEREO.T, r"content is float32 \(2, 900\): channels come last: transpose it"),
        (STEREO[None], r"\(1, 900, 2\): give samples"),
        (np.zeros((900, 3), np.float32), r"\(900, 3\): give samples"),
        (np.zeros(0, np.float32), r"\(0,\): give samples"),
        (STEREO * np.nan, "content has samples that are not finite"),
        (STEREO > 0, "content is bool .*: give floats or integers"),
        ("no_such_sound", "no_such_sound: no such file, nor a sample"),
    ],
)
def test_other_arrays_are_refused_with_what_to_do(array, message):
    with pytest.raises(InputError, match=message):
        audio.as_audio("content", array, 8000)
    with pytest.raises(InputError, match=message):
        nst.stylize_audio(array, STEREO, 8000)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stepz": 3}, "unknown argument of stylize_audio 'stepz': did you mean steps"),
        ({"steps": -1}, "^steps = -1: give a finite number"),
        ({"filters": 0}, "^filters = 0: give a number above 0"),
        ({"style_weight": -1.0}, "^style_weight = -1.0"),
        ({"init": "random"}, "unknown init 'random': choose from content, style, noise"),
    ],
)
def test_arguments_are_checked(settings, message):
    with pytest.raises(InputError, match=message):
        nst.stylize_audio(STEREO, STEREO, 8000, **settings)


def test_a_callback_sees_the_progress_and_may_stop():
    small = {"filters": 16, "phase_steps": 2, "steps": 4}
    seen = []
    whole = nst.stylize_audio(STEREO, STEREO[::-1], 8000, callback=seen.append, **small)
    assert (seen[0].step, seen[-1].step, seen[-1].steps) == (0, 4, 4)
    np.testing.assert_array_equal(seen[-1].result(), whole)
    stopped = nst.stylize_audio(STEREO, STEREO[::-1], 8000, callback=lambda progress: True, **small)
    np.testing.assert_array_equal(stopped, seen[0].result())


def test_silence_is_warned_of():
    small = {"filters": 16, "phase_steps": 2, "steps": 1}
    with pytest.warns(audio.AudioWarning, match="^content is silent: is it the right audio"):
        nst.stylize_audio(np.zeros_like(STEREO), STEREO, 8000, **small)
