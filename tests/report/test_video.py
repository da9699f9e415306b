"""The data of a report on runs of video, and the clips in it, read back."""

import base64
import json

import numpy as np
import pytest

from nst import report, video
from nst.report.collect import by_frame
from nst.report.video import excerpts

pytest.importorskip("av", reason="av is not installed: pip install 'nst[video]'")


def decoded(tmp_path, excerpt):
    path = tmp_path / "excerpt.mp4"
    path.write_bytes(base64.b64decode(excerpt.data))
    return [*video.read(path)]


def test_a_sweep_has_posters_clips_and_inputs_by_their_fields(videos):
    data = report.collect(videos)
    trials = data["trials"]
    assert data["inputs"] == ["content", "style"]
    assert [field["name"] for field in data["fields"]] == ["loss.temporal_weight", "images.style"]
    assert trials[0]["input_fields"] == {"content": "video.content", "style": "images.style"}
    assert len(data["video"]) == 1 + 3  # one content, and the results
    assert [sorted(trial["video"]) for trial in trials] == [["content", "result"]] * 3 + [["content"]]
    assert data["images"][trials[0]["result"]].endswith("video.png")
    assert data["images"][trials[0]["sheet"]].endswith("sheet.png")
    assert data["images"][trials[3]["result"]].endswith("frames/000000.png")  # the run goes on
    assert trials[0]["files"] == ["video.mp4", "content.mp4", "style.png", "sheet.png", "video.png"]
    assert data["audio"] == []
    json.dumps(data, allow_nan=False)


def test_spreads_over_frames_are_no_columns(videos):
    data = report.collect(videos)
    assert data["metrics"] == ["warping", "tof", "style_gram", "ssim"]
    assert data["trials"][0]["metrics"]["ssim_spread"] == 0.1
    assert data["axes"]["metrics"] == ("ssim", "style_gram")
    assert data["better"]["warping"] == "lower"


def test_values_of_frames_are_columns_and_damaged_ones_left_out(videos):
    trial = report.collect(videos)["trials"][0]
    assert trial["by_frame"]["content"]["frame"] == [*range(10)]
    assert trial["by_frame"]["result"]["warping"][:2] == [None, 0.004]
    assert by_frame({"warping": 3}) == by_frame(None) == by_frame({}) == []
    assert by_frame({"warping": [None, "x"], "tof": [1.0, float("inf")]}) == [
        {"frame": 0, "warping": None, "tof": 1.0},
        {"frame": 1, "warping": None, "tof": None},
    ]


def test_files_are_embedded_as_they_are_and_damaged_ones_left_out(make, tmp_path):
    make.clip(tmp_path / "a.mp4", range(0, 100, 10))
    (tmp_path / "b.mp4").write_bytes(b"no video")
    (clip, none), longest = excerpts([str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4")])
    assert base64.b64decode(clip.data) == (tmp_path / "a.mp4").read_bytes()
    assert (clip.seconds, clip.rate, none, longest) == (1.0, 10.0, None, None)
    assert excerpts([]) == ([], None)


@pytest.fixture
def large(tmp_path):
    """A clip that takes much room: noise."""
    generator = np.random.default_rng(0)
    noise = [generator.integers(0, 256, (60, 400, 3), np.uint8) for _ in range(20)]
    video.write(
        tmp_path / "large.mp4",
        [video.Frame(frame, i / video.clip.FOLDER_RATE) for i, frame in enumerate(noise)],
    )
    return tmp_path / "large.mp4"


def test_clips_that_take_too_much_room_are_made_smaller_and_then_shorter(large, tmp_path):
    size = large.stat().st_size
    (smaller,), longest = excerpts([str(large)], total=size)  # three quarters of it, as bytes
    frames = decoded(tmp_path, smaller)
    assert (len(frames), frames[0].image.shape, longest) == (20, (48, 320, 3), None)
    assert len(smaller.data) <= size
    (shorter,), longest = excerpts([str(large)], total=size // 2)
    assert 0.2 < longest < 0.8
    assert shorter.seconds == pytest.approx(longest, abs=0.04)
    assert len(decoded(tmp_path, shorter)) == round(shorter.seconds * shorter.rate) < 20
    assert len(shorter.data) <= 1.1 * size // 2


def test_a_page_says_where_clips_were_cut(videos, monkeypatch):
    monkeypatch.setattr("nst.report.video._TOTAL", 2000)
    monkeypatch.setattr("nst.report.page.video.excerpts", lambda paths: excerpts(paths, 2000))
    page = report.write(videos)[0].read_text()
    assert '"cut":{"audio":null,"video":0.' in page


def test_the_policy_allows_media_only_where_there_is_some(videos, sweep):
    assert "media-src blob:" in report.write(videos)[0].read_text()
    assert "media-src" not in report.write(sweep)[0].read_text()


def test_table_and_figures_of_video(videos):
    names = {path.name for path in report.write(videos, table=True, figures=True)}
    assert {"report.html", "table.csv", "table.tex", "results.pdf", "curves.pdf", "tradeoff.pdf"} <= names
