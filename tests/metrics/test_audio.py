"""All metrics of audio and their baselines: differences that they show or ignore, and inputs that are refused."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

from nst import metrics
from nst.errors import InputError
from nst.metrics import audio
from nst.metrics.audio import content, silence, style
from nst.metrics.audio.heard import RATE, SHORTEST, hear
from nst.metrics.audio.silence import NONE

MELODY = (60, 64, 67, 72, 71, 67, 62, 55)


@pytest.fixture(scope="module")
def evaluated(make):
    c, s = make.played(MELODY), make.rumbling(3)
    results = {"noise": make.noise(4), "same": c.copy()}
    return c, s, results, audio.evaluate(c, s, results, rate=RATE)


def test_every_metric_of_results_and_baselines(evaluated):
    *_, figures = evaluated
    assert list(figures) == ["noise", "same", "content", "style"]
    assert all(list(row) == audio.names() == [*metrics.AUDIO_METRICS] for row in figures.values())
    assert figures["same"] == figures["content"]
    assert not {*metrics.AUDIO_METRICS} & {*metrics.METRICS}  # a table looks a name up in both


def test_a_baseline_is_perfect_in_its_own_metrics(evaluated):
    *_, figures = evaluated
    for name, metric in metrics.AUDIO_METRICS.items():
        assert (metric.baseline == "content") == name.startswith("style_")
        if not metric.baseline:
            continue
        other = "style" if metric.baseline == "content" else "content"
        best = 1 if metric.better == "higher" else 0
        assert figures[other][name] == pytest.approx(best, abs=1e-9)
        assert abs(figures[metric.baseline][name] - best) > 0.05


@pytest.mark.parametrize("seconds", [1.3, 4, 9])
def test_a_style_of_any_length_is_repeated_or_cut_to_be_a_baseline(seconds, evaluated, make):
    c, *_ = evaluated
    s = make.rumbling(seconds)
    copy = np.concatenate([s] * 4)[: len(c)]
    figures = audio.evaluate(c, s, {"copy": copy}, rate=RATE)
    for name in ("content_lsd", "pitch_jaccard", "chroma_cosine", "envelope"):
        assert figures["copy"][name] == figures["style"][name]
    assert figures["style"]["style_mel"] == 0


def test_style_is_compared_by_statistics_over_time_and_content_frame_by_frame(evaluated, make):
    c, s, *_ = evaluated
    results = {
        "more of it": np.resize(make.rumbling(3), c.shape),
        "brighter": np.resize(make.rumbling(3, slope=-0.3), c.shape),
        "rising": np.resize(make.rumbling(3, slope=0.5), c.shape),
        "steady": np.resize(make.rumbling(3, swell=0), c.shape),
        "backwards": c[::-1],
    }
    figures = audio.evaluate(c, s, results, rate=RATE)
    for name, other in [("style_mel", "brighter"), ("style_mfcc", "rising"), ("style_texture", "steady")]:
        assert figures["more of it"][name] < 0.3 * figures[other][name]
        assert figures["more of it"][name] < 0.3 * figures["content"][name]
    backwards = figures["backwards"]
    assert backwards["style_mel"] == pytest.approx(figures["content"]["style_mel"], rel=0.02)
    assert backwards["content_lsd"] > 5
    assert backwards["envelope"] < 0.5
    assert backwards["pitch_jaccard"] < 0.5


def test_every_metric_worsens_with_noise(evaluated, make):
    c, s, *_ = evaluated
    s = s[: len(c) // 2]
    for reference, with_hiss in [(c, c), (make.noise(len(s) / RATE), s)]:
        hiss = make.noise(len(with_hiss) / RATE)
        mixed = {str(amount): with_hiss + amount * hiss for amount in (0, 0.01, 0.1, 1)}
        figures = audio.evaluate(reference, s, mixed, rate=RATE)
        for name in audio.names():
            if metrics.AUDIO_METRICS[name].baseline == ("content" if with_hiss is s else "style"):
                ordered = [figures[amount][name] for amount in mixed]
                assert ordered == sorted(ordered, reverse=metrics.AUDIO_METRICS[name].better == "higher")
                assert abs(ordered[0] - ordered[-1]) > 0.01


def test_neither_loudness_nor_offset_nor_channels_count(evaluated, make):
    c, s, results, figures = evaluated
    x = results["noise"]
    results = {
        "quiet": 1e-3 * x,
        "offset": x + 0.4,
        "stereo": x + make.noise(4) * [[1, -1]],
        "single": x.astype(np.float32),
    }
    others = audio.evaluate(0.2 * c, 3 * s * [[1, 1]], results, rate=RATE)
    for name in results:
        assert others[name] == pytest.approx(figures["noise"], rel=1e-4, abs=1e-4)


LENGTH = RATE
HISS = np.random.default_rng(0).standard_normal((LENGTH, 1))
ODD = {
    "silence": np.zeros((LENGTH, 1)),
    "constant": np.full((LENGTH, 2), 0.3),
    "click": np.eye(LENGTH, 1, -LENGTH // 2),
    "tone": 0.5 * np.sin(2 * np.pi * 440 * np.arange(LENGTH) / RATE)[:, None],
    "half silent": np.where(np.arange(LENGTH)[:, None] < LENGTH // 2, 0, HISS),
    "noise": HISS,
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("role", ["content", "style"])
def test_unusual_audio_has_finite_metrics_within_range(odd, role, make):
    inputs = {"content": ODD["half silent"], "style": make.noise(1)} | {role: ODD[odd]}
    figures = audio.evaluate(inputs["content"], inputs["style"], ODD, rate=RATE)
    ranges = {"[0, ∞)": (0, np.inf), "[0, 1]": (0, 1), "[0, 2]": (0, 2), "[−1, 1]": (-1, 1)}
    ranges["[−80, ∞)"] = (NONE, np.inf)
    for row in figures.values():
        for name, value in row.items():
            low, high = ranges[metrics.AUDIO_METRICS[name].range]
            assert np.isfinite(value)
            assert low - 1e-9 <= value <= high + 1e-9
    of_itself = figures[odd]
    for name in audio.names():
        if metrics.AUDIO_METRICS[name].baseline == ("content" if role == "style" else "style"):
            best = 1 if metrics.AUDIO_METRICS[name].better == "higher" else 0
            assert of_itself[name] == pytest.approx(best, abs=1e-9)


def test_rounding_to_16_bits_does_not_count(make):
    x = make.played(MELODY, "pure")
    sixteen = hear(np.round(x * 2**15) / 2**15)
    assert content.lsd(sixteen, hear(x)) < 0.01
    assert style.mel(sixteen, hear(x)) < 0.01


def test_silence_keeps_nothing_of_the_content(evaluated):
    c, s, *_ = evaluated
    row = audio.evaluate(c, s, {"silence": np.zeros_like(c)}, rate=RATE)["silence"]
    assert (row["pitch_jaccard"], row["chroma_cosine"], row["envelope"]) == (0, 0, 0)
    assert row["style_mfcc"] == 1
    assert row["style_texture"] == pytest.approx(1, abs=0.01)
    for constant in (0.1, 0.7):  # the mean that is subtracted is rounded
        assert not np.any(hear(np.full((RATE, 1), constant)).x)


def test_audio_that_cannot_be_compared_is_refused_by_name(make):
    x = make.noise(1)

    def evaluate(content=x, style=x, results=None, rate=RATE):
        return audio.evaluate(content, style, results or {}, rate=rate)

    broken = x.copy()
    broken[7] = np.nan
    for arguments, line in [
        ({"rate": 44100}, "audio at 44100 Hz .*: resample it to 22050 Hz"),
        ({"content": x[: SHORTEST - 1]}, rf"content has {SHORTEST - 1} samples: give at least {SHORTEST}"),
        ({"style": x[:, 0]}, r"style is float64 \[22050\]: give floats \[samples, channels\]"),
        ({"style": np.zeros((RATE, 3))}, "with 1 or 2 channels"),
        ({"results": {"a": np.zeros((RATE, 1), np.int16)}}, "a is int16 .*: give floats"),
        ({"results": {"a": x[:-1]}}, "a: give a result of 22050 samples"),
        (
            {"results": {"style": x}},
            "style: give a result of 22050 samples, with a name other than content and style",
        ),
        ({"results": {"a": broken}}, "a has samples that are not finite"),
    ]:
        with pytest.raises(InputError, match=line) as error:
            evaluate(**arguments)
        assert "\n" not in str(error.value)
    assert len(evaluate(content=x[:SHORTEST], results={"a": x[:SHORTEST]})) == 3


def banded(x, low, high):
    """Return the frequencies of x from `low` to `high`, Hz, at a root mean square of 1."""
    spectrum, f = np.fft.rfft(x[:, 0]), np.fft.rfftfreq(len(x), 1 / RATE)
    x = np.fft.irfft(np.where((f >= low) & (f < high), spectrum, 0), len(x))
    return x[:, None] / np.sqrt(np.mean(np.square(x)))


def test_floor_is_the_level_of_noise_where_both_are_silent(make):
    c, s = banded(make.noise(4), 400, 600), banded(make.noise(3), 500, 3000)
    hiss, within = banded(make.noise(4), 0, RATE), banded(make.noise(4), 700, 2500)
    results = {str(level): c + 10 ** (level / 20) * hiss for level in (-60, -40, -20)}
    results |= {"in the style's bands": c + within, "louder": 2 * results["-20"]}
    results |= {"half the time": c + 0.1 * hiss * (np.arange(len(c)) < len(c) // 2)[:, None]}
    floors = {name: row["floor"] for name, row in audio.evaluate(c, s, results, rate=RATE).items()}
    for level in (-60, -40, -20):
        assert floors[str(level)] == pytest.approx(level, abs=0.3)
    assert floors["louder"] == pytest.approx(floors["-20"], abs=1e-6)
    assert floors["half the time"] == pytest.approx(floors["-20"] - 3, abs=0.3)
    assert max(floors[name] for name in ("content", "style", "in the style's bands")) < -65


def test_floor_counts_noise_in_pauses_and_between_harmonics_of_the_content(make):
    c = make.noise(4)
    c[RATE : 2 * RATE] = 0
    s, hiss = banded(make.noise(3), 500, 3000), banded(make.noise(4), 5000, 10000)
    time = np.arange(len(c))[:, None]
    masks = {"pause": (time > 1.2 * RATE) & (time < 1.8 * RATE), "notes": time < 0.9 * RATE}
    results = {name: c + 0.1 * hiss * mask for name, mask in masks.items()}
    floors = {name: row["floor"] for name, row in audio.evaluate(c, s, results, rate=RATE).items()}
    assert floors["notes"] == NONE
    assert floors["pause"] > -30
    t = np.arange(4 * RATE)[:, None] / RATE
    c = sum(np.sin(2 * np.pi * 440 * n * t + n) / n for n in range(1, 24))
    figures = audio.evaluate(c, s, {"noisy": c + 1e-2 * hiss}, rate=RATE)
    assert figures["noisy"]["floor"] > -50
    assert figures["content"]["floor"] < -60


def test_silence_is_that_of_both_frame_by_frame_and_of_the_style_on_average(make):
    c, s = (
        banded(make.noise(1), 0, 5000) * np.linspace(0, 1, RATE)[:, None],
        banded(make.noise(2), 3000, 4000),
    )
    unit = np.sum(scipy.signal.get_window("hann", 2048) ** 2)
    powers = []
    for x in (hear(c).x, hear(s).x):
        frames = [x[i : i + 2048] for i in range(0, len(x) - 2047, 512)]
        powers.append(
            [abs(np.fft.rfft(f * scipy.signal.get_window("hann", 2048))) ** 2 / unit for f in frames]
        )
    loudest = scipy.ndimage.maximum_filter(np.array(powers[0]), 3)
    expected = (loudest < 1e-5) & (np.mean(powers[1], axis=0) < 1e-5)
    assert 0.1 < expected.mean() < 0.9
    np.testing.assert_array_equal(silence.silent(hear(c), hear(s)), expected)
