import wave
from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile

from nst import audio
from nst.audio import packages
from nst.errors import InputError

GENERATOR = np.random.default_rng(7)
STEREO = GENERATOR.uniform(-0.9, 0.9, (900, 2)).astype(np.float32)


def tone(rate=44_100, seconds=0.5, hertz=440.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def save(path, samples=STEREO, rate=44_100, **options):
    soundfile.write(path, samples, rate, **options)
    return path


@pytest.mark.parametrize(
    ("dtype", "middle", "full"),
    [(np.uint8, 128, 2**7), (np.int16, 0, 2**15), (np.int32, 0, 2**31)],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_integers_are_scaled_to_one(tmp_path, dtype, middle, full, channels):
    limits = np.iinfo(dtype)
    levels = GENERATOR.integers(limits.min, limits.max, (500, channels), dtype, endpoint=True)
    levels[0], levels[1], levels[2] = limits.min, limits.max, middle
    scipy.io.wavfile.write(tmp_path / "a.wav", 22_050, levels)
    samples, rate = audio.read(tmp_path / "a.wav")
    assert (samples.dtype, samples.shape, rate) == (np.float32, (500, channels), 22_050)
    np.testing.assert_allclose(samples, (levels.astype(np.float64) - middle) / full, rtol=1e-7)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff", ".caf", ".au"])
def test_24_bits_are_scaled_to_one(tmp_path, suffix):
    levels = GENERATOR.integers(-(2**23), 2**23, (500, 2), np.int32)
    levels[0], levels[1] = -(2**23), 2**23 - 1
    save(tmp_path / f"a{suffix}", levels << 8, subtype="PCM_24")
    np.testing.assert_array_equal(audio.read(tmp_path / f"a{suffix}").samples, levels / 2**23)


def test_24_bits_of_another_writer(tmp_path):
    levels = GENERATOR.integers(-(2**23), 2**23, 500, np.int32)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 3, 8_000, 0, "NONE", ""))
        file.writeframes(levels.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
    samples, rate = audio.read(tmp_path / "a.wav")
    assert rate == 8_000
    np.testing.assert_array_equal(samples[:, 0], levels / 2**23)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_beyond_full_scale_are_kept(tmp_path, dtype):
    values = np.array([[3.5, -1e-12], [-7.25, 1.0]], dtype)
    scipy.io.wavfile.write(tmp_path / "a.wav", 96_000, values)
    samples, rate = audio.read(tmp_path / "a.wav")
    assert rate == 96_000
    np.testing.assert_allclose(samples, values, rtol=1e-7)


@pytest.mark.parametrize(("suffix", "ratio"), [(".ogg", 10), (".mp3", 10)])
def test_lossy_formats_are_neither_shifted_nor_cut(tmp_path, suffix, ratio):
    steps = np.repeat(GENERATOR.uniform(0.1, 1, 20), 2205)
    original = (tone(seconds=1.0) * steps).astype(np.float32)
    samples, _ = audio.read(save(tmp_path / f"a{suffix}", original))
    assert samples.shape == (original.size, 1)
    assert np.square(samples[:, 0] - original).mean() < np.square(original).mean() / ratio**2


def test_opus(tmp_path):
    samples, rate = audio.read(save(tmp_path / "a.opus", tone(48_000), 48_000, format="OGG", subtype="OPUS"))
    assert (samples.shape, rate) == ((24_000, 1), 48_000)


def test_more_than_two_channels_are_read_as_their_mean_with_a_warning(tmp_path):
    eight = GENERATOR.uniform(-1, 1, (300, 8)).astype(np.float32)
    path = save(tmp_path / "a.wav", eight, subtype="FLOAT")
    with pytest.warns(audio.AudioWarning, match=r"a\.wav has 8 channels: their mean is read"):
        samples, _ = audio.read(path)
    np.testing.assert_allclose(samples[:, 0], eight.astype(np.float64).mean(1), rtol=1e-6, atol=1e-8)
    assert samples.shape == (300, 1)


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_silence_and_a_constant_are_read(tmp_path, value):
    path = save(tmp_path / "a.wav", np.full((100, 1), value), subtype="PCM_16")
    np.testing.assert_array_equal(audio.read(path).samples, np.full((100, 1), value))


def test_a_rate_to_resample_to(tmp_path):
    samples, rate = audio.read(save(tmp_path / "a.wav", tone(8_000), 8_000), rate=16_000)
    assert (samples.shape, rate) == ((8_000, 1), 16_000)


@pytest.mark.parametrize(
    "name",
    ["with space.wav", "Übung 日本 🎵.wav", "-leading.wav", "-", "--flag=1.wav", "a.b.c.wav", "%41$X.wav"],
)
def test_unusual_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / name, format="WAV", subtype="FLOAT")
    np.testing.assert_array_equal(audio.read(name).samples, STEREO)
    if name.endswith(".wav"):
        assert audio.list_audio(".") == [Path(name)]


def test_a_wrong_extension_does_not_matter(tmp_path):
    path = save(tmp_path / "a.mp3", format="FLAC", subtype="PCM_24")
    np.testing.assert_allclose(audio.read(path).samples, STEREO, atol=2**-23)


def test_a_sample_wins_over_a_file_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save("melody", format="WAV")
    with pytest.warns(UserWarning, match="melody is the sample; the file or folder of that name is ./melody"):
        assert audio.read("melody").samples.shape != STEREO.shape
    assert audio.read("./melody").samples.shape == STEREO.shape
    assert audio.list_audio("./melody") == [Path("melody")]


def test_a_path_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    audio.write("~/a.wav", audio.Audio(STEREO, 44_100))
    assert audio.read("~/a.wav").samples.shape == STEREO.shape
    assert audio.list_audio("~") == [tmp_path / "a.wav"]


@pytest.mark.parametrize("error", [ModuleNotFoundError, OSError])
def test_without_the_extra_the_remedy_is_to_install_it(tmp_path, monkeypatch, error):
    def absent(name):
        raise error("sndfile library not found")

    path = save(tmp_path / "a.wav")
    monkeypatch.setattr(packages.importlib, "import_module", absent)
    with pytest.raises(
        InputError, match=r"^audio needs soundfile, which is not installed: pip install 'nst\[audio\]'$"
    ):
        audio.read(path)
    with pytest.raises(InputError, match="audio needs soxr, which is not installed"):
        audio.resample(audio.Audio(STEREO, 44_100), 16_000)


def test_list_sounds_of_a_folder_sorts_and_selects(tmp_path):
    for name in ("b.wav", "a.FLAC", "c.mp3", "notes.txt", ".hidden.wav", "d.m4a"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.wav").mkdir()
    names = ["a.FLAC", "b.wav", "c.mp3"]
    with pytest.warns(UserWarning, match=r"not audio files by their extensions, left out: d.m4a, notes.txt$"):
        assert [path.name for path in audio.list_audio(tmp_path)] == names
    with pytest.warns(UserWarning, match="left out"):
        assert audio.each(str(tmp_path)) == [str(tmp_path / name) for name in names]


def test_list_sounds_of_a_file_is_itself(tmp_path):
    path = save(tmp_path / "a.wav")
    assert audio.list_audio(str(path)) == [path]
    assert audio.each(str(path)) == [str(path)]


@pytest.mark.parametrize(
    ("name", "cause"), [("empty", "has no audio files: supported are WAV"), ("missing", "no such file")]
)
def test_list_sounds_refuses(tmp_path, name, cause):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=cause):
        audio.list_audio(tmp_path / name)


def test_list_sounds_of_no_name():
    with pytest.raises(InputError, match="name of an audio file is empty"):
        audio.list_audio("")
