import itertools
import time

import numpy as np
import pytest

from nst import audio
from nst.audio import samples
from nst.audio.pieces import bells, melody, mix
from nst.audio.write import CEILING, _true_peak
from nst.errors import InputError


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "samples"


@pytest.fixture(scope="module")
def pieces():
    return {name: sample.make() for name, sample in samples.SAMPLES.items()}


def decibels(value):
    return 20 * np.log10(value)


@pytest.mark.parametrize("name", samples.NAMES)
def test_a_sample_is_made_once_and_is_a_path_like_any_other(name, cache, monkeypatch):
    path = samples.locate(name)
    assert path == samples.place(name)
    assert path.parent.parent == cache
    assert audio.list_audio(name) == [path]
    assert audio.each(name) == [name]
    monkeypatch.setitem(samples.SAMPLES, name, samples.SAMPLES[name]._replace(make=None))
    np.testing.assert_array_equal(audio.read(name).samples, audio.read(path).samples)


@pytest.mark.parametrize("name", samples.NAMES)
def test_making_a_sample_again_gives_the_same_bytes(name, pieces):
    again = samples.SAMPLES[name].make()
    assert again.samples.tobytes() == pieces[name].samples.tobytes()


def test_the_name_of_a_file_is_no_sample():
    assert samples.locate("a_sound.wav") is None


def test_other_code_has_another_path(monkeypatch, tmp_path):
    before = samples.place("melody")
    (tmp_path / "other.py").write_text("make = None")
    monkeypatch.setattr(samples, "_PIECES", tmp_path)
    assert samples.place("melody") != before


def test_a_cache_folder_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "file"))  # a file where the folder should be
    with pytest.raises(InputError, match="name another with NST_CACHE_DIR"):
        audio.read("melody")


@pytest.mark.parametrize("name", samples.NAMES)
def test_level_length_and_ends(name, pieces):
    sound = pieces[name]
    values = sound.samples
    assert sound.rate == 44_100
    assert values.dtype == np.float32
    assert values.shape[1] == (2 if name in ("bells", "rain") else 1)
    assert 6 <= len(values) / sound.rate <= 10
    assert decibels(np.sqrt(np.mean(np.square(values)))) == pytest.approx(-18, abs=0.01)
    assert _true_peak(values, sound.rate) < CEILING  # so that it is written unscaled
    assert np.abs(values[-100:]).max() < 1e-4
    assert np.abs(values.mean(axis=0)).max() < 2e-3


@pytest.mark.parametrize("name", samples.NAMES)
def test_making_a_sample_takes_less_than_a_second(name):
    start = time.process_time()
    samples.SAMPLES[name].make()
    assert time.process_time() - start < 3  # a sixth of that on an idle machine


def _strongest(values, low, high):
    """Return the frequency of the highest peak between two, by a parabola through three logarithms."""
    size = 2**19
    spectrum = np.abs(np.fft.rfft(values * np.blackman(len(values)), size))
    scale = mix.RATE / size
    first = int(low / scale)
    i = first + int(np.argmax(spectrum[first : int(high / scale)]))
    before, here, after = np.log(spectrum[i - 1 : i + 2])
    return (i + (before - after) / (2 * (before - 2 * here + after))) * scale


def cents(frequency, reference):
    return 1200 * np.log2(frequency / reference)


@pytest.mark.parametrize("key", [40, 57, 62, 69, 76, 81, 88])
def test_a_plucked_string_is_in_tune(key):
    """The fundamental and its octave are within 1.5 cents of equal temperament at A = 440 Hz."""
    expected = 440 * (2 ** (1 / 12)) ** (key - 69)
    string = melody.pluck(mix.hertz(key), 1.5, 1.0, np.random.default_rng(key))
    for harmonic in (1, 2):
        frequency = _strongest(string, 0.8 * harmonic * expected, 1.2 * harmonic * expected)
        assert abs(cents(frequency, harmonic * expected)) < 1.5


def test_a_plucked_string_decays(pieces):
    string = melody.pluck(220.0, 2.0, 1.0, np.random.default_rng(0))
    parts = np.sqrt(np.mean(np.square(string[:80_000].reshape(10, -1)), axis=1))
    assert (np.diff(parts) < 0).all()


def test_every_note_of_the_melody_is_that_of_the_score(pieces):
    values = pieces["melody"].samples[:, 0]
    for note, start in zip(melody.SCORE, melody.starts(), strict=True):
        first = start + melody._RING + 0.01  # the note before has ended
        last = start + note.eighths * melody._EIGHTH
        part = values[round(first * mix.RATE) : round(last * mix.RATE)]
        expected = 440 * 2 ** ((note.key - 69) / 12)
        assert abs(cents(_strongest(part, 60, 1.5 * expected), expected)) < 12


def test_the_melody_has_many_pitches():
    assert len({note.key for note in melody.SCORE}) >= 8


def test_a_bell_has_its_partials():
    bell = bells._bell(500.0, 2.0)
    for ratio in (1.19, 1.7, 2.0, 2.74, 3.0, 4.07):
        assert abs(_strongest(bell[:20_000], 485 * ratio, 515 * ratio) - 500 * ratio) < 2


def test_the_bells_are_stereo(pieces):
    left, right = pieces["bells"].samples.T
    assert 0.05 < abs(np.corrcoef(left, right)[0, 1]) < 0.9
    assert abs(decibels(left.std() / right.std())) < 3


def test_no_clicks(pieces):
    """Sustained notes don't jump between two samples; plucks, bells and drops begin abruptly."""
    values = pieces["bowed"].samples[:, 0]
    assert np.abs(np.diff(values)).max() < 0.5 * np.abs(values).max()


def test_the_samples_sound_different(pieces):
    """Each pair of samples differs by more than 10 dB in the mean spectrum of an octave."""
    edges = 2.0 ** np.arange(6, 15)

    def octaves(sound):
        power = np.abs(np.fft.rfft(sound.samples[:, 0])) ** 2
        places = np.searchsorted(np.fft.rfftfreq(len(sound.samples), 1 / mix.RATE), edges)
        bands = np.array([power[a:b].sum() for a, b in itertools.pairwise(places)])
        return 10 * np.log10(bands / bands.sum())

    spectra = [octaves(sound) for sound in pieces.values()]
    for i, first in enumerate(spectra):
        for second in spectra[:i]:
            assert np.abs(first - second).max() > 10
