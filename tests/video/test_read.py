import itertools
from fractions import Fraction

import av
import numpy as np
import pytest

from nst import images, video
from nst.errors import InputError
from nst.video.clip import seconds

LOSSLESS = {"crf": "0", "preset": "ultrafast"}
#: The luma coefficients Kr and Kb of ITU-R BT.709, BT.601 and BT.2020, by FFmpeg's number of the matrix.
MATRICES = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}


def encoded(rgb, matrix, full, bits=8):
    """Return Y, Cb and Cr by the definition."""
    kr, kb = MATRICES[matrix]
    r, g, b = np.asarray(rgb, np.float64) / 255
    luma = kr * r + (1 - kr - kb) * g + kb * b
    chroma = np.array([(b - luma) / (2 * (1 - kb)), (r - luma) / (2 * (1 - kr))])
    scale, offset, spread = (255, 0, 255) if full else (219, 16, 224)
    values = np.array([offset + scale * luma, *(128 + spread * chroma)]) * 2 ** (bits - 8)
    return np.clip(np.rint(values), 0, 2**bits - 1).astype(int)


def plain(values, pix_fmt="yuv444p", size=(32, 32), **tags):
    """Return a frame of one color."""
    frame = av.VideoFrame(size[1], size[0], pix_fmt)
    dtype = "<u2" if "10le" in pix_fmt else np.uint8
    for plane, value in zip(frame.planes, values, strict=True):
        plane.update(np.full(plane.buffer_size // np.dtype(dtype).itemsize, value, dtype).tobytes())
    for name, value in tags.items():
        setattr(frame, name, value)
    return frame


def the_color(path):
    (frame,) = video.read(path)
    assert np.ptp(frame.image.astype(int), axis=(0, 1)).max() <= 2
    return frame.image[8, 8].astype(int)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts"])
def test_every_container(clips, make, tmp_path, suffix):
    pictures = make(tmp_path / "reference.mp4")
    clip, frames = video.probe(clips[suffix]), list(video.read(clips[suffix]))
    assert (clip.height, clip.width, clip.rate, clip.sample_aspect) == (48, 64, 24, 1)
    assert len(clip.sound) == 1
    assert len(frames) == 24
    rounding = Fraction(2, 1000) if suffix in (".mkv", ".webm", ".ts") else 0
    for number, (frame, expected) in enumerate(zip(frames, pictures, strict=True)):
        assert abs(frame.time - Fraction(number, 24)) <= rounding
        assert frame.image.dtype == np.uint8
        assert np.abs(frame.image - expected.astype(float)).mean() < 4
    assert abs(frames[-1].time + frames[-1].duration - 1) <= rounding + Fraction(1, 1000)
    times = video.timeline(clips[suffix])
    assert times == [*(frame.time for frame in frames), frames[-1].time + frames[-1].duration]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_variable_rates_and_a_late_start(make, tmp_path, suffix):
    times = [Fraction(t, 1000) for t in (0, 40, 50, 300, 301, 700)]
    make(tmp_path / f"a{suffix}", images=[np.full((32, 32, 3), 40 * i, np.uint8) for i in range(6)], times=times,
         delay=Fraction(3, 2))  # fmt: skip
    frames = list(video.read(tmp_path / f"a{suffix}"))
    assert [frame.time for frame in frames] == times
    assert [frame.duration for frame in frames[:-1]] == [b - a for a, b in itertools.pairwise(times)]


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full", [False, True])
def test_colors_by_matrix_and_range(make, tmp_path, matrix, full):
    for number, rgb in enumerate([(200, 40, 90), (30, 160, 220), (250, 250, 250), (5, 5, 5), (120, 90, 20)]):
        tags = {"colorspace": matrix, "color_range": 2 if full else 1}
        path = tmp_path / f"{number}.mp4"
        make(
            path,
            images=[plain(encoded(rgb, matrix, full), **tags)],
            pix_fmt="yuv444p",
            options=LOSSLESS,
            tags=tags,
        )
        np.testing.assert_allclose(the_color(path), rgb, atol=2)


@pytest.mark.parametrize(("lines", "matrix"), [(704, 6), (720, 1)])
def test_without_a_matrix_the_number_of_lines_decides(make, tmp_path, lines, matrix):
    frame = plain(encoded((200, 40, 90), matrix, False), size=(lines, 32))
    make(tmp_path / "a.mp4", images=[frame], pix_fmt="yuv444p", options=LOSSLESS)
    np.testing.assert_allclose(the_color(tmp_path / "a.mp4"), (200, 40, 90), atol=2)


@pytest.mark.filterwarnings("ignore:.*bits are reduced")
def test_ten_bits_are_rounded(make, tmp_path):
    for level in (64, 500, 502, 940):
        frame = plain((level, 512, 512), "yuv444p10le")
        make(tmp_path / "a.mp4", images=[frame], pix_fmt="yuv444p10le", options=LOSSLESS)
        np.testing.assert_allclose(the_color(tmp_path / "a.mp4"), 255 * (level - 64) / 876, atol=1)


def test_ten_bits_warn_once(make, tmp_path):
    make(tmp_path / "a.mp4", pix_fmt="yuv420p10le")
    with pytest.warns(video.VideoWarning, match="10 bits are reduced to 8") as caught:
        assert len(list(video.read(tmp_path / "a.mp4"))) == 24
    assert len(caught) == 1


@pytest.mark.slow  # FFmpeg fills a table of colors, which takes four seconds
@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_mapped_into_the_range(make, tmp_path, transfer, name):
    tags = {"colorspace": 9, "color_range": 1, "color_trc": transfer, "color_primaries": 9}
    signals = (0.0, 0.2, 0.4, 0.58, 0.75, 0.9, 1.0)
    pictures = [plain((round(64 + 876 * signal), 512, 512), "yuv420p10le", **tags) for signal in signals]
    make(tmp_path / "a.mp4", images=pictures, pix_fmt="yuv420p10le", options=LOSSLESS, tags=tags)
    with pytest.warns(video.VideoWarning, match=rf"HDR \({name}\) is mapped") as caught:
        colors = [frame.image[8, 8].astype(int) for frame in video.read(tmp_path / "a.mp4")]
    assert len(caught) == 1
    assert np.ptp(colors, axis=1).max() <= 2
    grays = [color[1] for color in colors]
    assert grays[0] <= 1
    assert grays[-1] >= 250
    assert (np.diff(grays) > 5).all()  # highlights are not clipped


@pytest.mark.slow  # as above
def test_colors_beyond_bt709_stay_what_they_are(make, tmp_path):
    """Red of BT.709 in primaries of BT.2020: the matrix of ITU-R BT.2087, in light as displays show it (BT.1886)."""
    linear = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]) @ [
        0.5,
        0.05,
        0.05,
    ]
    curved = 255 * linear ** (1 / 2.4)
    tags = {"colorspace": 9, "color_range": 1, "color_trc": 1, "color_primaries": 9}
    frame = plain(encoded(curved, 9, False), **tags)
    make(tmp_path / "a.mp4", images=[frame], pix_fmt="yuv444p", options=LOSSLESS, tags=tags)
    expected = 255 * np.array([0.5, 0.05, 0.05]) ** (1 / 2.4)
    np.testing.assert_allclose(
        the_color(tmp_path / "a.mp4"), expected, atol=6
    )  # FFmpeg interpolates in a table; unconverted, red is 30 levels less


@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_frames_are_upright(make, tmp_path, degrees, flips):
    """FFmpeg's matrix turns counterclockwise, then mirrors."""
    image = np.zeros((32, 64, 3), np.uint8)
    image[:16, :32], image[:16, 32:], image[16:, :32] = (240, 20, 20), (20, 240, 20), (20, 20, 240)
    make(tmp_path / "a.mp4", images=[image] * 2, rotation=(degrees, *flips), aspect=Fraction(4, 3))
    expected = np.rot90(image, degrees // 90)
    expected = expected[:, ::-1] if flips[0] else expected
    expected = expected[::-1] if flips[1] else expected
    frame = next(video.read(tmp_path / "a.mp4"))
    clip = video.probe(tmp_path / "a.mp4")
    assert frame.image.shape == expected.shape == (clip.height, clip.width, 3)
    assert clip.sample_aspect == (Fraction(3, 4) if degrees % 180 else Fraction(4, 3))
    assert np.abs(frame.image - expected.astype(float)).mean() < 8


def test_transparency_is_composed_on_white(make, tmp_path):
    image = np.zeros((16, 16, 4), np.uint8)
    image[..., :3], image[..., 3] = (200, 40, 90), np.arange(256).reshape(16, 16)
    make(tmp_path / "a.mov", "png", images=[image], pix_fmt="rgba")
    (frame,) = video.read(tmp_path / "a.mov")
    alpha = image[..., 3:] / 255
    np.testing.assert_allclose(frame.image, image[..., :3] * alpha + 255 * (1 - alpha), atol=0.51)


def test_animated_gif(tmp_path):
    from PIL import Image

    pictures = [Image.fromarray(np.full((11, 17, 3), 60 * i, np.uint8)) for i in range(4)]
    pictures[0].save(
        tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=[100, 50, 200, 100]
    )
    assert video.timeline(tmp_path / "a.gif") == [Fraction(t, 100) for t in (0, 10, 15, 35, 45)]
    assert [frame.image[5, 5, 0] for frame in video.read(tmp_path / "a.gif")] == [0, 60, 120, 180]


@pytest.mark.parametrize("size", [(33, 47), (31, 64), (2, 2)])
def test_odd_sizes(make, tmp_path, size):
    picture = np.random.default_rng(1).integers(0, 255, (*size, 3), np.uint8)
    make(tmp_path / "a.mov", "png", images=[picture] * 3, pix_fmt="rgb24")
    frames = list(video.read(tmp_path / "a.mov"))
    assert len(frames) == 3
    np.testing.assert_array_equal(frames[2].image, picture)


def test_interlaced_video_is_made_whole(make, tmp_path):
    """A bar moves 2 pixels from field to field: in whole frames its rims are straight."""
    weaved = []
    for number in range(12):
        image = np.full((64, 96, 3), 40, np.uint8)
        for field in (0, 1):
            left = 8 + (2 * number + field) * 2
            image[field::2, left : left + 12] = 220
        weaved.append(image)
    make(tmp_path / "a.mp4", images=weaved, options={"crf": "5", "x264-params": "tff=1"})
    with pytest.warns(video.VideoWarning, match="interlaced"):
        frames = list(video.read(tmp_path / "a.mp4"))
    assert [frame.time for frame in frames] == [Fraction(i, 24) for i in range(12)]
    for frame, image in zip(frames, weaved, strict=True):
        combed = np.abs(np.diff(image[10:50].astype(int), axis=0)).mean()
        assert np.abs(np.diff(frame.image[10:50].astype(int), axis=0)).mean() < 0.1 * combed


def test_a_part_of_a_clip(clips):
    frames = list(video.read(clips[".mp4"], start=0.25, end=0.75, every=5))
    assert [frame.time for frame in frames] == [Fraction(i, 24) for i in (6, 11, 16)]
    assert [frame.duration for frame in frames] == [Fraction(5, 24), Fraction(5, 24), Fraction(2, 24)]
    assert video.timeline(clips[".mp4"], start=0.6, end=0.7) == [
        Fraction(15, 24),
        Fraction(16, 24),
        Fraction(7, 10),
    ]
    whole = list(video.read(clips[".mp4"]))
    np.testing.assert_array_equal(frames[1].image, whole[11].image)
    rounded = [frame.time for frame in video.read(clips[".mkv"], start=1 / 12, end=1 / 6)]
    assert rounded == video.timeline(clips[".mkv"])[2:4]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_seeking_gives_what_decoding_gives(make, tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    pictures = [np.full((32, 32, 3), 3 * i, np.uint8) for i in range(80)]
    make(path, images=pictures, options={"g": "12", "crf": "5"}, delay=Fraction(1))
    late = list(video.read(path, start=2.5))
    whole = [frame for frame in video.read(path) if frame.time >= Fraction(2499, 1000)]
    assert len(late) == 20
    assert [frame.time for frame in late] == [frame.time for frame in whole]
    for a, b in zip(late, whole, strict=True):
        np.testing.assert_array_equal(a.image, b.image)


def test_a_folder_of_images(tmp_path):
    for number in (10, 9, 1):
        images.write(tmp_path / f"frame {number}.png", np.full((5, 7, 3), number, np.uint8))
    clip = video.probe(tmp_path, rate=12.5)
    assert (clip.height, clip.width, clip.rate, clip.duration, clip.sound) == (
        5,
        7,
        Fraction(25, 2),
        Fraction(6, 25),
        (),
    )
    frames = list(video.read(tmp_path, rate=12.5))
    assert [frame.image[0, 0, 0] for frame in frames] == [1, 9, 10]
    assert [frame.time for frame in frames] == [0, Fraction(2, 25), Fraction(4, 25)]
    assert video.list_videos(tmp_path) == [tmp_path]
    images.write(tmp_path / "frame 11.png", np.zeros((5, 8, 3), np.uint8))
    with pytest.raises(InputError, match=r"frame 11\.png has 8×5 pixels, the first frame 7×5: resize it"):
        list(video.read(tmp_path))


def test_folders_of_videos(clips, tmp_path):
    folder = clips[".mp4"].parent
    assert [path.suffix for path in video.list_videos(folder)] == [
        ".avi",
        ".mkv",
        ".mov",
        ".mp4",
        ".ts",
        ".webm",
    ]
    assert video.each(str(folder))[0] == str(folder / "a.avi")
    assert video.each("pan") == ["pan"]
    with pytest.raises(InputError, match="is a folder: name one of its videos"):
        video.probe(folder)
    with pytest.raises(InputError, match="has no videos"):
        video.list_videos(tmp_path)


@pytest.mark.parametrize("name", ["-x.mp4", "a b é 漢.mp4", "http:b.mp4", "%03d.mp4", "pipe:0.mp4"])
def test_any_name_of_a_file(clips, tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(clips[".mp4"].read_bytes())
    monkeypatch.chdir(tmp_path)
    assert len(video.timeline(name)) == 25
    video.write(f"-{name}", itertools.islice(video.read(name), 2))
    assert len(video.timeline(f"-{name}")) == 3


def test_one_frame(make, tmp_path):
    make(tmp_path / "a.mp4", images=[np.zeros((16, 16, 3), np.uint8)])
    (frame,) = video.read(tmp_path / "a.mp4")
    assert frame.time == 0
    assert frame.duration > 0


def test_times_are_simple_fractions():
    assert seconds(0.1) == Fraction(1, 10)
    assert seconds(10 / 24) == Fraction(5, 12)
