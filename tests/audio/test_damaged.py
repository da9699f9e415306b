"""Files that are no audio, truncated or damaged: each is refused in one line, with the cause and the remedy."""

import io
import os

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile

from nst import audio
from nst.errors import InputError

GENERATOR = np.random.default_rng(7)
STEREO = GENERATOR.uniform(-0.9, 0.9, (900, 2)).astype(np.float32)


def tone(rate=44_100, seconds=0.5, hertz=440.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def save(path, samples=STEREO, rate=44_100, **options):
    soundfile.write(path, samples, rate, **options)
    return path


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda path: None, r"no such file, nor a sample of that name \(samples: melody, bells"),
        (lambda path: path.mkdir(), "is a folder: name one of its audio files"),
        (os.mkfifo, "not a regular file: copy the audio file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.symlink_to(path), "cannot be read"),
    ],
    ids=["missing", "folder", "pipe", "empty", "loop"],
)
def test_a_path_that_is_no_file_is_refused_in_one_line(tmp_path, make, cause):
    path = tmp_path / "input.wav"
    make(path)
    _refused(path, cause)


@pytest.mark.parametrize("name", ["x" * 300, "nul\0byte"])
def test_impossible_names_are_refused(name):
    with pytest.raises(InputError):
        audio.read(name)


def _refused(path, cause, **options):
    with pytest.raises(InputError, match=cause) as caught:
        audio.read(path, **options)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"this is not a sound",
        b"\xff",
        b"RIFF\x10\0\0\0WEBPVP8 ",
        b"\0\0\0\x20ftypM4A \0\0\0\0",
        b"\xff\xf1\x50\x80",
        b"\x1aE\xdf\xa3",
    ],
    ids=["text", "a byte", "image", "m4a", "aac", "webm"],
)
def test_a_file_that_is_no_audio_is_refused(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    _refused(tmp_path / "a.wav", "is not an audio file that can be read: convert it to WAV, FLAC")


def encoded(format, subtype=None, comment=None):
    stream = io.BytesIO()
    with soundfile.SoundFile(stream, "w", 48_000, 2, format=format, subtype=subtype) as file:
        if comment:
            file.comment = comment
        file.write(GENERATOR.uniform(-0.5, 0.5, (30_000, 2)))
    return stream.getvalue()


KINDS = {
    "wav": encoded("WAV", "PCM_16"),
    "wav of floats": encoded("WAV", "FLOAT"),
    "extensible wav": encoded("WAVEX", "PCM_24"),
    "aiff": encoded("AIFF", "PCM_16"),
    "caf": encoded("CAF", "PCM_16"),
    "au": encoded("AU", "PCM_16"),
    "flac": encoded("FLAC", "PCM_24"),
    "ogg": encoded("OGG", "VORBIS"),
    "opus": encoded("OGG", "OPUS"),
    "mp3": encoded("MP3"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [40, 0.02, 0.5, 0.97, -7])
def test_truncated_audio_is_refused(tmp_path, kind, length, capfd):
    whole, path = KINDS[kind], tmp_path / "a.bin"
    path.write_bytes(whole)
    assert len(audio.read(path).samples) == 30_000
    path.write_bytes(whole[: length if isinstance(length, int) else int(length * len(whole))])
    _refused(path, r"a\.bin (is truncated|has no samples|is not an audio file)")
    assert capfd.readouterr().err == ""


def test_a_truncated_mp3_with_a_tag_is_refused(tmp_path):
    whole, path = encoded("MP3", comment="x" * 3000), tmp_path / "a.mp3"
    assert whole[:3] == b"ID3"
    path.write_bytes(whole)
    assert len(audio.read(path).samples) == 30_000
    path.write_bytes(whole[: len(whole) * 9 // 10])
    _refused(path, "is truncated")


@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_ogg_without_its_last_page_is_refused(tmp_path, kind):
    whole, path = KINDS[kind], tmp_path / "a.ogg"
    path.write_bytes(whole[: whole.rindex(b"OggS")])
    _refused(path, "is truncated")


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_refused_or_read(tmp_path, kind, capfd):
    whole, generator = np.frombuffer(KINDS[kind], np.uint8), np.random.default_rng(13)
    path = tmp_path / "a.bin"
    for trial in range(40):
        content = whole.copy()
        last = 100 if trial % 2 else content.size  # in the header, or anywhere
        content[generator.integers(4, last, 3)] = generator.choice([0, 1, 127, 128, 255], 3)
        path.write_bytes(content.tobytes())
        try:
            samples, rate = audio.read(path, max_seconds=10.0)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017  (either outcome is right)
        except audio.AudioWarning:  # more channels now
            pass
        else:
            assert np.isfinite(samples).all()
            assert len(samples) > 0
            assert 1_000 <= rate <= 768_000
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("kind", "name", "order"), [("wav", b"data", "little"), ("aiff", b"SSND", "big"), ("au", b".snd", "big")]
)
@pytest.mark.parametrize("length", [0x7FFF_F000, 0xFFFF_FFFF])
def test_a_file_written_to_a_pipe_is_read(tmp_path, kind, name, order, length):
    content, path = bytearray(KINDS[kind]), tmp_path / "a.bin"
    place = content.index(name) + (8 if kind == "au" else 4)
    content[place : place + 4] = length.to_bytes(4, order)
    path.write_bytes(content)
    np.testing.assert_allclose(audio.read(path).samples, soundfile.read(io.BytesIO(KINDS[kind]))[0])


def test_chunks_before_the_samples_are_skipped(tmp_path):
    whole, path = KINDS["wav"], tmp_path / "a.wav"
    odd = b"junk" + (5).to_bytes(4, "little") + b"12345\0"
    path.write_bytes(whole[:12] + odd + whole[12:])
    assert len(audio.read(path).samples) == 30_000
    path.write_bytes(whole[:12] + odd + whole[12:-4])
    _refused(path, "is truncated")


#: kbit/s of MPEG-1, layer III.
BIT_RATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)


def frames_of_mp3(compression, samples):
    """Return the frames of an MP3 at 44.1 kHz without the LAME header, which counts them."""
    stream = io.BytesIO()
    with soundfile.SoundFile(
        stream, "w", 44_100, 1, format="MP3", compression_level=compression, bitrate_mode="CONSTANT"
    ) as file:
        file.write(samples)
    content, frames, place = stream.getvalue(), [], 0
    while content[place : place + 1] == b"\xff":
        head = content[place + 2]
        size = 144_000 * BIT_RATES[head >> 4] // 44_100 + (head >> 1 & 1)
        frames.append(content[place : place + size])
        place += size
    assert b"Info" in frames[0]
    return frames[1:]


@pytest.mark.parametrize("tag", [b"", b"TAG" + bytes(125)])
def test_an_mp3_that_does_not_say_its_length_is_read_to_its_end(tmp_path, tag):
    frames = frames_of_mp3(0.5, tone(seconds=2.0))
    (tmp_path / "a.mp3").write_bytes(b"".join(frames) + tag)
    assert len(audio.read(tmp_path / "a.mp3").samples) == 1152 * len(frames)


def test_an_mp3_whose_length_is_guessed_too_short_is_refused(tmp_path):
    """Its first frame has ten times the bit rate of the others: libsndfile would stop after a tenth."""
    high, low = (frames_of_mp3(compression, tone(seconds=2.0)) for compression in (0.0, 0.9))
    assert len(high[0]) > 5 * len(low[0])
    (tmp_path / "a.mp3").write_bytes(b"".join(high[:1] + low))
    _refused(tmp_path / "a.mp3", "does not say how long it is: export it again")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path, value):
    values = STEREO.copy()
    values[441, 1] = value
    scipy.io.wavfile.write(tmp_path / "a.wav", 44_100, values)
    _refused(tmp_path / "a.wav", r"not finite, the first at 0\.010 s: export it again")


@pytest.mark.parametrize("suffix", [".wav", ".aiff"])
def test_no_samples_are_refused(tmp_path, suffix):
    _refused(save(tmp_path / f"a{suffix}", np.zeros((0, 1))), "has no samples: record or export it again")


@pytest.mark.parametrize("rate", [500, 999, 768_001])
def test_impossible_rates_are_refused(tmp_path, rate):
    _refused(
        save(tmp_path / "a.wav", rate=rate),
        f"sampling rate of {rate} Hz is out of range: give one from 1000 to 768000 Hz",
    )
    with pytest.raises(
        InputError, match=f"rate: a sampling rate of {rate} Hz is out of range: give one from 1000"
    ):
        audio.read(save(tmp_path / "b.wav"), rate=rate)


@pytest.mark.parametrize("rate", [1_000, 8_000, 96_000, 768_000])
def test_possible_rates_are_read(tmp_path, rate):
    assert audio.read(save(tmp_path / "a.wav", rate=rate)).rate == rate


def test_long_audio_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "hour.flac"
    with soundfile.SoundFile(path, "w", 8_000, 1, subtype="PCM_16") as file:
        file.write(np.zeros(3600 * 8_000, np.int16))
    monkeypatch.setattr(soundfile.SoundFile, "read", None)
    _refused(path, r"lasts 3600 s, more than 600: cut it, or raise --max_seconds")
    monkeypatch.undo()
    assert len(audio.read(path, max_seconds=3600.0).samples) == 3600 * 8_000


def test_flac_written_to_a_pipe_is_refused(tmp_path):
    content = bytearray(KINDS["flac"])
    content[21] &= 0xF0  # STREAMINFO's 36 bits for the number of samples
    content[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(content)
    _refused(tmp_path / "a.flac", "does not say how long it is: export it again")


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch):
    path = save(tmp_path / "a.wav")

    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", denied)
    _refused(path, r"a\.wav cannot be read \(Permission denied\): check its permissions")
