import importlib
import os
import subprocess
import sys
import textwrap
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from nst import video
from nst.errors import InputError

SUFFIXES = [".mp4", ".mov", ".mkv", ".webm"]
VARIABLE = [Fraction(t, 90_000) for t in (0, 3003, 3754, 30_000, 30_001, 60_000)]


def moving(number=6, size=(32, 48)):
    y, x = np.mgrid[: size[0], : size[1]] / 12
    for i in range(number):
        waves = [np.sin(x + i / 3), np.cos(y - i / 4), np.sin(x + y)]
        yield np.rint(127.5 + 80 * np.stack(waves, axis=2)).astype(np.uint8)


def constant(number=6, rate=24, size=(32, 48)):
    return [
        video.Frame(image, Fraction(i, rate), Fraction(1, rate))
        for i, image in enumerate(moving(number, size))
    ]


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".gif", ""])
def test_what_is_written_is_read(tmp_path, suffix):
    path, frames = tmp_path / f"a{suffix}", constant()
    video.write(path, iter(frames))
    written = list(video.read(path, rate=24))
    assert len(written) == 6
    rounding = {".mkv": Fraction(1, 2000), ".webm": Fraction(1, 2000), ".gif": Fraction(1, 200)}.get(
        suffix, 0
    )
    for a, b in zip(frames, written, strict=True):
        assert abs(a.time - b.time) <= rounding
        assert np.abs(a.image.astype(float) - b.image).mean() < (0.01 if suffix == "" else 5)
    assert video.timeline(path, rate=24)[-1] == Fraction(1, 4)
    assert not [name for name in tmp_path.iterdir() if name != path]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_variable_times_are_exact(tmp_path, suffix):
    frames = [video.Frame(image, time + 5) for image, time in zip(moving(), VARIABLE, strict=True)]
    frames[-1] = frames[-1]._replace(duration=Fraction(1, 2))
    clip = video.Clip(tmp_path, 32, 48, Fraction(1, 90_000), Fraction(0), Fraction(9), Fraction(1), None, ())
    video.write(tmp_path / f"a{suffix}", iter(frames), clip=clip)
    assert video.timeline(tmp_path / f"a{suffix}") == [*VARIABLE, VARIABLE[-1] + Fraction(1, 2)]


@pytest.mark.parametrize("rate", [Fraction(24_000, 1001), Fraction(30_000, 1001), 25, 30, 50, 60])
def test_rates_without_a_clip_are_exact(tmp_path, rate):
    frames = [video.Frame(image, i / Fraction(rate), 1 / Fraction(rate)) for i, image in enumerate(moving())]
    video.write(tmp_path / "a.mp4", frames)
    assert video.timeline(tmp_path / "a.mp4") == [i / Fraction(rate) for i in range(7)]
    assert video.probe(tmp_path / "a.mp4").rate == rate


def test_opencv_reads_the_same(tmp_path):
    frames = constant(12)
    video.write(tmp_path / "a.mp4", frames)
    reader = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    assert reader.get(cv2.CAP_PROP_FPS) == 24
    for frame in frames:
        done, image = reader.read()
        assert done
        assert np.abs(image[..., ::-1].astype(float) - frame.image).mean() < 4
    assert not reader.read()[0]
    reader.release()


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".gif"])
def test_the_same_frames_give_the_same_bytes(tmp_path, suffix):
    for folder in ("a", "b"):
        video.write(
            tmp_path / folder / f"x{suffix}", iter(constant(12)), sound=SOUND if suffix != ".gif" else None
        )
    assert (tmp_path / "a" / f"x{suffix}").read_bytes() == (tmp_path / "b" / f"x{suffix}").read_bytes()


SOUND = video.sound.Audio(np.sin(np.arange(24_000) / 9, dtype=np.float32)[:, None] / 4, 48_000)


@pytest.mark.slow
def test_neither_the_number_of_cores_nor_the_content_of_free_memory_changes_a_byte(tmp_path):
    """The allocator of glibc fills memory with a byte if MALLOC_PERTURB_ is set."""
    code = """
    import os, sys, numpy as np
    from fractions import Fraction
    if sys.argv[2] == "1" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    from nst import video
    y, x = np.mgrid[:90, :80] / 12
    waves = [np.stack([np.sin(x + i / 3), np.cos(y - i / 4), np.sin(x + y)], axis=2) for i in range(12)]
    frames = [video.Frame(np.rint(127.5 + 80 * wave).astype(np.uint8), Fraction(i, 24)) for i, wave in enumerate(waves)]
    sound = video.sound.Audio(np.sin(np.arange(24_000) / 9, dtype=np.float32)[:, None] / 4, 48_000)
    for suffix in (".mp4", ".mkv", ".webm"):
        video.write(sys.argv[1] + suffix, frames, sound=sound)
    video.write(sys.argv[1] + ".gif", frames)
    """
    for name, cores, fill in (("a", "1", "85"), ("b", "all", "170"), ("c", "all", "255")):
        memory = {"MALLOC_PERTURB_": fill, "MALLOC_MMAP_THRESHOLD_": "2000000000"}
        command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / name), cores]
        subprocess.run(command, check=True, env=os.environ | memory)
    for suffix in (".mp4", ".mkv", ".webm", ".gif"):
        files = {(tmp_path / f"{name}{suffix}").read_bytes() for name in "abc"}
        assert len(files) == 1, suffix


@pytest.mark.parametrize(
    ("height", "matrix", "luma", "name"), [(64, (0.299, 0.114), None, 6), (720, (0.2126, 0.0722), None, 1)]
)
def test_matrix_and_tags_depend_on_the_lines(tmp_path, height, matrix, luma, name):
    kr, kb = matrix
    image = np.full((height, 16, 3), (200, 40, 90), np.uint8)
    video.write(tmp_path / "a.mp4", [video.Frame(image, Fraction(0))])
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (
            name,
            1,
            1,
            1,
        )
        decoded = next(container.decode(stream))
    luma = 16 + 219 * (kr * 200 + (1 - kr - kb) * 40 + kb * 90) / 255
    assert abs(decoded.to_ndarray()[4, 4] - luma) < 2
    (frame,) = video.read(tmp_path / "a.mp4")
    np.testing.assert_allclose(frame.image[8, 8].astype(int), (200, 40, 90), atol=3)


def test_odd_sizes_are_extended(tmp_path):
    image = np.random.default_rng(0).integers(60, 200, (1, 23, 3), np.uint8).repeat(15, axis=0)
    frames = [video.Frame(image, Fraction(0))]
    with pytest.warns(
        video.VideoWarning, match="needs even sizes: 23×15 pixels are extended to 24×16"
    ) as caught:
        video.write(tmp_path / "a.mp4", frames)
    assert len(caught) == 1
    (frame,) = video.read(tmp_path / "a.mp4")
    assert frame.image.shape == (16, 24, 3)
    assert np.abs(frame.image[14].astype(int) - frame.image[15]).max() < 12
    video.write(tmp_path / "a.gif", frames)
    video.write(tmp_path / "a", frames)
    assert next(video.read(tmp_path / "a.gif")).image.shape == image.shape
    np.testing.assert_array_equal(next(video.read(tmp_path / "a")).image, image)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_shape_of_pixels_is_kept_and_no_rotation_is_written(make, tmp_path, suffix):
    make(tmp_path / "source.mp4", aspect=Fraction(16, 11), rotation=(90, False, False))
    clip = video.probe(tmp_path / "source.mp4")
    assert clip.sample_aspect == Fraction(11, 16)
    video.write(tmp_path / f"a{suffix}", video.read(clip.path, end=0.2), clip=clip)
    written = video.probe(tmp_path / f"a{suffix}")
    assert (written.sample_aspect, written.height, written.width) == (clip.sample_aspect, 64, 48)
    with av.open(str(tmp_path / f"a{suffix}")) as container:
        assert next(container.decode(video=0)).rotation == 0


@pytest.mark.parametrize("suffix", [".webm", ".gif", ""])
def test_formats_of_square_pixels_warn(tmp_path, suffix):
    clip = video.Clip(
        tmp_path, 32, 48, Fraction(1, 24), Fraction(0), Fraction(24), Fraction(16, 11), None, ()
    )
    with pytest.warns(video.VideoWarning, match="pixels are written as squares, not 16:11"):
        video.write(tmp_path / f"a{suffix}", constant(2), clip=clip)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif", ""])
def test_an_error_leaves_what_was_there(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    video.write(path, constant(2))
    before = sorted((file, file.read_bytes()) for file in tmp_path.rglob("*") if file.is_file())

    def failing():
        yield from constant(4)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        video.write(path, failing())
    assert sorted((file, file.read_bytes()) for file in tmp_path.rglob("*") if file.is_file()) == before
    video.write(path, constant(3))
    assert len(video.timeline(path)) == 4


@pytest.mark.slow
def test_a_kill_leaves_no_half_file(tmp_path):
    code = """
    import os, signal, sys, numpy as np
    from fractions import Fraction
    from nst import video
    def frames():
        for i in range(60):
            yield video.Frame(np.random.default_rng(i).integers(0, 255, (64, 64, 3), np.uint8), Fraction(i, 24))
        os.kill(os.getpid(), signal.SIGKILL)
    video.write(sys.argv[1], frames())
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "a.mp4")], check=False
    )
    assert result.returncode == -9
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        (
            "a.avi",
            "unknown extension of an output: choose from .mp4, .mov, .mkv, .webm, .gif, or none for a folder of PNG",
        ),
        ("folder.mp4", "is a folder: name a file"),
        ("full", "exists and is not a folder of frames"),
        ("file", "exists and is not a folder of frames"),
    ],
)
def test_impossible_outputs(tmp_path, name, cause):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for refuse in (video.check_output, lambda path: video.write(path, constant(1))):
        with pytest.raises(InputError, match=cause):
            refuse(tmp_path / name)


def test_a_missing_encoder(tmp_path, monkeypatch):
    write = importlib.import_module("nst.video.write")
    monkeypatch.setitem(write._FORMATS, ".mp4", write._FORMATS[".mp4"]._replace(encoder="libnone"))
    with pytest.raises(InputError, match="lacks the encoder libnone"):
        video.check_output(tmp_path / "a.mp4")


def test_frames_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="no frames to write"):
        video.write(tmp_path / "a.mp4", [])
    mixed = [*constant(1), *constant(1, size=(16, 16))]
    with pytest.raises(InputError, match=r"a frame of shape \(16, 16, 3\) follows \(32, 48, 3\)"):
        video.write(tmp_path / "a.mp4", mixed)
    for image in (
        np.zeros((16, 16, 3), np.float32),
        np.zeros((16, 16), np.uint8),
        np.zeros((16, 16, 4), np.uint8),
    ):
        with pytest.raises(InputError, match=r"give uint8 \[h, w, 3\]"):
            video.write(tmp_path / "a.mp4", [video.Frame(image, Fraction(0))])
    assert not [*tmp_path.iterdir()]


def test_memory_does_not_grow_with_the_clip(tmp_path):
    """Frames are taken as they are encoded: the encoder and the writer hold less than those of two seconds."""
    alive, most = set(), 0

    class Tracked(np.ndarray):
        def __del__(self):
            alive.discard(id(self))

    def frames():
        nonlocal most
        for number, image in enumerate(moving(120)):
            tracked = image.view(Tracked)
            alive.add(id(tracked))
            most = max(most, len(alive))
            yield video.Frame(tracked, Fraction(number, 24))
            del tracked

    video.write(tmp_path / "a.mp4", frames())
    assert most <= 6
