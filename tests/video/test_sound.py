from fractions import Fraction

import av
import numpy as np
import pytest

from nst import video
from nst.errors import InputError
from nst.types import Audio

#: Codecs that each format takes as they are, with PyAV's encoders.
COPIED = {
    ".mp4": ["aac", "libmp3lame", "ac3", "libopus", "flac"],
    ".mov": ["aac", "libmp3lame", "ac3", "pcm_s16le"],
    ".mkv": ["aac", "libmp3lame", "ac3", "libopus", "flac", "pcm_s16le"],
    ".webm": ["libopus"],
}


def packets(path, track=0):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=track) if packet.size]


def times(path, track=0):
    """Return the times of the first frame of video, and of the packets of sound."""
    with av.open(str(path)) as container:
        first = next(container.decode(video=0))
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        return first.pts * first.time_base, [
            packet.pts * packet.time_base for packet in container.demux(stream) if packet.size
        ]


def again(source, target, **part):
    """Write the frames of a clip again, with its sound."""
    sound = video.Sound(source, **part)
    video.write(target, video.read(source, **part), clip=video.probe(source), sound=sound)


@pytest.fixture(scope="module")
def sources(make, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    for codec in {codec for codecs in COPIED.values() for codec in codecs}:
        make(folder / f"{codec}.mkv", sound=(codec,))
    return folder


@pytest.mark.parametrize(
    ("suffix", "codec"), [(suffix, codec) for suffix in COPIED for codec in COPIED[suffix]]
)
def test_packets_are_copied(sources, tmp_path, suffix, codec):
    source, target = sources / f"{codec}.mkv", tmp_path / f"a{suffix}"
    again(source, target)
    expected, copied = packets(source), packets(target)
    if codec.startswith("pcm"):  # without packets of its own
        assert b"".join(copied) == b"".join(expected)
    else:
        assert copied == expected
    (before, old), (after, new) = times(source), times(target)
    assert abs((old[0] - before) - (new[0] - after)) <= Fraction(1, 500)
    if not codec.startswith("pcm"):
        np.testing.assert_allclose(np.diff(np.array(new, float)), np.diff(np.array(old, float)), atol=0.0011)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_aac_of_mp4_keeps_its_place(clips, tmp_path, suffix):
    """The first packet is before the picture, at −1024 samples: MKV has no negative times and shifts both."""
    again(clips[".mp4"], tmp_path / f"a{suffix}")
    assert packets(tmp_path / f"a{suffix}") == packets(clips[".mp4"])
    (before, old), (after, new) = times(clips[".mp4"]), times(tmp_path / f"a{suffix}")
    assert old[0] < before
    assert abs((old[0] - before) - (new[0] - after)) <= Fraction(1, 500)
    a, b = video.sound_of(clips[".mp4"]), video.sound_of(tmp_path / f"a{suffix}")
    size = min(len(a.samples), len(b.samples)) - 2000
    lags = [
        np.abs(a.samples[100 : size - 100] - b.samples[100 + lag : size - 100 + lag]).max()
        for lag in range(-60, 61)
    ]
    assert min(lags) < 1e-4


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_aac_of_a_transport_stream_loses_its_headers(clips, tmp_path, suffix):
    again(clips[".ts"], tmp_path / f"a{suffix}")
    source, copied = packets(clips[".ts"]), packets(tmp_path / f"a{suffix}")
    assert all(packet[:2] in (b"\xff\xf1", b"\xff\xf9") for packet in source)  # the ADTS header has 7 bytes
    assert copied == [packet[7:] for packet in source]
    assert video.sound_of(tmp_path / f"a{suffix}").rate == 48_000


def test_all_tracks_are_copied(make, tmp_path):
    make(tmp_path / "a.mkv", sound=("aac", "flac", "libopus"))
    again(tmp_path / "a.mkv", tmp_path / "b.mp4")
    assert video.probe(tmp_path / "b.mp4").sound == ("aac", "flac", "opus")
    for track in range(3):
        assert packets(tmp_path / "b.mp4", track) == packets(tmp_path / "a.mkv", track)


def test_only_the_track_that_does_not_fit_is_encoded(make, tmp_path):
    make(tmp_path / "a.mkv", sound=("aac", "pcm_s16le"))
    with pytest.warns(
        video.VideoWarning, match=r"pcm_s16le sound does not fit into \.mp4: it is encoded as aac"
    ) as caught:
        again(tmp_path / "a.mkv", tmp_path / "b.mp4")
    assert len(caught) == 1
    assert video.probe(tmp_path / "b.mp4").sound == ("aac", "aac")
    assert packets(tmp_path / "b.mp4") == packets(tmp_path / "a.mkv")
    samples = video.sound_of(tmp_path / "a.mkv").samples
    encoded = _second_track(tmp_path / "b.mp4")
    size = min(len(samples), len(encoded)) - 3000
    assert np.corrcoef(samples[1000:size, 0], encoded[1000:size, 0])[0, 1] > 0.99


def _second_track(path):
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray().T for frame in container.decode(audio=1)])


def test_aac_is_encoded_as_opus_for_webm(clips, tmp_path):
    with pytest.warns(video.VideoWarning, match="it is encoded as opus"):
        again(clips[".mp4"], tmp_path / "a.webm")
    before, after = video.sound_of(clips[".mp4"]), video.sound_of(tmp_path / "a.webm")
    size = min(len(before.samples), len(after.samples)) - 3000
    assert np.corrcoef(before.samples[1000:size, 0], after.samples[1000:size, 0])[0, 1] > 0.98


def test_a_part_begins_and_ends_with_the_picture(clips, tmp_path):
    again(clips[".mp4"], tmp_path / "a.mp4", start=0.25, end=0.75)
    whole, part = packets(clips[".mp4"]), packets(tmp_path / "a.mp4")
    first = whole.index(part[0])
    assert part == whole[first : first + len(part)]
    start, sound = times(tmp_path / "a.mp4")
    assert Fraction(-1024, 48_000) <= sound[0] - start <= 0
    assert Fraction(1, 2) - Fraction(1024, 48_000) <= sound[-1] < Fraction(1, 2)
    assert video.timeline(tmp_path / "a.mp4")[-1] == Fraction(1, 2)


def test_longer_sound_is_kept(clips, tmp_path):
    frames = [frame for frame, _ in zip(video.read(clips[".mp4"]), range(6), strict=False)]
    video.write(tmp_path / "a.mp4", frames, sound=video.Sound(clips[".mp4"]))
    assert packets(tmp_path / "a.mp4") == packets(clips[".mp4"])


def test_clips_without_sound(make, tmp_path):
    make(tmp_path / "a.mp4")
    again(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert video.probe(tmp_path / "b.mp4").sound == ()
    with pytest.raises(InputError, match=r"a\.mp4 has no sound: choose another clip"):
        video.sound_of(tmp_path / "a.mp4")


@pytest.mark.parametrize("suffix", [".gif", ""])
def test_formats_without_sound(clips, tmp_path, suffix):
    with pytest.warns(video.VideoWarning, match="can't have sound: it is left out") as caught:
        again(clips[".mp4"], tmp_path / f"a{suffix}", end=0.2)
    assert len(caught) == 1


@pytest.mark.parametrize("rate", [44_100, 48_000, 22_050, 37_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_samples_are_encoded(tmp_path, suffix, channels, rate):
    t = np.arange(rate)[:, None] / rate
    samples = (0.3 * np.sin(2 * np.pi * np.array([440, 550])[:channels] * t)).astype(np.float32)
    frames = [video.Frame(np.full((16, 16, 3), i, np.uint8), Fraction(i, 24)) for i in range(24)]
    video.write(tmp_path / f"a{suffix}", frames, sound=Audio(samples, rate))
    decoded, own = video.sound_of(tmp_path / f"a{suffix}", rate)
    assert own == rate
    assert decoded.shape[1] == channels
    assert abs(len(decoded) - len(samples)) < 0.05 * rate
    np.testing.assert_allclose(decoded[2000:-4000], samples[2000 : 2000 + len(decoded) - 6000], atol=0.05)


def test_sound_of_is_on_the_clock_of_the_picture(make, tmp_path):
    """The first picture is half a second after the first sound."""
    make(tmp_path / "a.mkv", sound=("flac",), delay=Fraction(1, 2))
    t = np.arange(48_000) / 48_000
    samples, rate = video.sound_of(tmp_path / "a.mkv")
    assert rate == 48_000
    assert len(samples) == 24_000
    np.testing.assert_allclose(samples[:, 0], 0.2 * np.sin(2 * np.pi * 440 * (t[24_000:])), atol=2e-4)
    part, _ = video.sound_of(tmp_path / "a.mkv", start=0.25, end=0.35)
    np.testing.assert_array_equal(part, samples[12_000:16_800])
    with pytest.raises(InputError, match="no sound from 3 s on"):
        video.sound_of(tmp_path / "a.mkv", start=3)


def test_damaged_sound_that_has_to_be_encoded(sources, tmp_path):
    content = bytearray((sources / "flac.mkv").read_bytes())
    wave = packets(sources / "flac.mkv")[3]
    place = content.index(wave)
    content[place : place + len(wave)] = bytes(len(wave))
    (tmp_path / "a.mkv").write_bytes(content)
    with pytest.raises(InputError, match=r"its sound is damaged .*: leave it out"):
        video.sound_of(tmp_path / "a.mkv")
    with (
        pytest.warns(video.VideoWarning, match="encoded as opus"),
        pytest.raises(InputError, match=r"its sound is damaged .*: leave it out"),
    ):
        again(tmp_path / "a.mkv", tmp_path / "b.webm")
    assert not (tmp_path / "b.webm").exists()
