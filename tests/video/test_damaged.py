import struct

import numpy as np
import pytest

from nst import video
from nst.errors import InputError
from nst.video import packages


def refused(path, match, **options):
    with pytest.raises(InputError, match=match) as caught:
        video.timeline(path, **options)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("share", [0.5, 0.8])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi"])
def test_a_file_that_is_cut(clips, tmp_path, suffix, share):
    content = clips[suffix].read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content[: int(share * len(content))])
    refused(path, "shorter than its header says|is truncated or damaged: it could be read to")
    with pytest.warns(video.VideoWarning, match=r"could be read to 0\.\d\d") as caught:
        times = video.timeline(path, allow_truncated=True)
    assert f"read to {float(times[-1]):.2f}" in str(caught[0].message)
    assert 0.2 < times[-1] < 0.95
    whole = video.timeline(clips[suffix])
    assert times[:-6] == whole[: len(times) - 6]
    assert set(times[:-1]) <= set(
        whole
    )  # of the last group of frames, some may depend on those that are missing


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi", ".ts", ".mov"])
def test_whole_files_are_not_refused(clips, suffix):
    assert len(video.timeline(clips[suffix])) == 25


def test_a_cut_mp4_is_refused_before_a_frame_is_read(clips, tmp_path):
    content = clips[".mp4"].read_bytes()
    (tmp_path / "a.mp4").write_bytes(content[:-3000])
    with pytest.raises(InputError, match="shorter than its header says: fetch or export it again"):
        video.read(tmp_path / "a.mp4")


def test_an_mp4_whose_header_is_at_the_end(make, tmp_path):
    make(tmp_path / "a.mp4")
    content = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(content[:-200])
    refused(tmp_path / "a.mp4", "not video that can be read, or is truncated", allow_truncated=True)


@pytest.mark.parametrize("place", [0.3, 0.4, 0.5, 0.6])
def test_damage_in_the_middle(make, tmp_path, place):
    make(tmp_path / "a.mp4")
    content = bytearray((tmp_path / "a.mp4").read_bytes())
    middle = int(place * len(content))
    content[middle : middle + 300] = bytes(byte ^ 0x55 for byte in content[middle : middle + 300])
    (tmp_path / "a.mp4").write_bytes(content)
    refused(tmp_path / "a.mp4", "is truncated or damaged: it could be read to 0.* of 1.00 s")


def test_a_stream_that_begins_between_two_key_frames(make, tmp_path):
    """The packets before the first key frame are left out, as in recordings of broadcasts."""
    make(tmp_path / "a.ts", options={"g": "10", "bf": "0", "preset": "ultrafast", "crf": "10"})
    content = (tmp_path / "a.ts").read_bytes()
    cut = len(content) // 188 // 4 * 188
    (tmp_path / "a.ts").write_bytes(content[: 188 * 3] + content[cut:])
    times = video.timeline(tmp_path / "a.ts")
    assert 8 < len(times) < 24
    assert times[0] == 0


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "is empty"),
        (b"hello", "not video that can be read"),
        (b"ffconcat version 1.0\nfile a.mp4\n", "not video that can be read"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n", "not video that can be read"),
        (bytes(5000), "not video that can be read"),
    ],
)
def test_other_files(tmp_path, content, cause):
    (tmp_path / "a.mp4").write_bytes(content)
    refused(tmp_path / "a.mp4", cause)


def test_playlists_are_not_followed(clips, tmp_path):
    (tmp_path / "a.mp4").write_bytes(clips[".mp4"].read_bytes())
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile a.mp4\n")
    refused(tmp_path / "list.mp4", "not video that can be read")


def test_audio_without_video(make, tmp_path):
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        track = container.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 4096), np.float32), format="fltp", layout="stereo")
        frame.rate = 48_000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    refused(tmp_path / "a.mp4", "has no video, only audio: give a file with video")


def test_no_frames(clips, tmp_path):
    """An MP4 that ends after its header."""
    content = clips[".mp4"].read_bytes()
    start = content.index(b"mdat")
    (tmp_path / "a.mp4").write_bytes(content[: start + 4])
    refused(tmp_path / "a.mp4", "no frames that can be decoded")


def test_a_huge_frame_is_refused_before_it_is_decoded(clips, tmp_path):
    refused(
        clips[".mp4"],
        "has 64×48 pixels, more than 3000: make it smaller, or raise --max_pixels",
        max_pixels=3000,
    )
    content = bytearray(clips[".avi"].read_bytes())
    header = content.index(b"strf") + 8  # BITMAPINFOHEADER
    struct.pack_into("<ii", content, header + 4, 14_000, 15_000)
    (tmp_path / "a.avi").write_bytes(content)
    refused(tmp_path / "a.avi", "has 14000×15000 pixels")


def test_an_unknown_codec(clips, tmp_path):
    content = clips[".avi"].read_bytes().replace(b"FFV1", b"ZZZ9")
    (tmp_path / "a.avi").write_bytes(content)
    refused(tmp_path / "a.avi", "codec of its video is not known")


def test_missing_files_and_folders(tmp_path):
    refused(tmp_path / "none.mp4", r"no such file, nor a sample of that name \(samples: pan, still\)")
    refused(tmp_path, "is a folder")


@pytest.mark.parametrize(
    "options",
    [{"start": -1}, {"start": 2, "end": 1}, {"end": float("nan")}, {"end": float("inf")}, {"every": 0}],
)
def test_impossible_parts(clips, options):
    refused(clips[".mp4"], "no time from|every 0 frames", **options)


def test_nothing_in_a_part(clips):
    refused(clips[".mp4"], "has no frames from 20 s on", start=20)


def test_a_rate_that_is_not_positive(tmp_path):
    from nst import images

    images.write(tmp_path / "1.png", np.zeros((4, 4, 3)))
    with pytest.raises(InputError, match="a frame rate of 0 is not positive"):
        video.probe(tmp_path, rate=0)


def test_without_the_package(monkeypatch, clips):
    monkeypatch.setattr("importlib.import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(
        InputError, match=r"video needs av, which is not installed: pip install 'nst\[video\]'"
    ):
        packages.av()
    with pytest.raises(InputError, match="pip install"):
        video.probe(clips[".mp4"])


def test_files_are_closed(clips, tmp_path):
    """ResourceWarnings are errors; a generator that is left early closes its file, too."""
    frames = video.read(clips[".mp4"])
    next(frames)
    frames.close()
