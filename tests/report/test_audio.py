"""The data of a report on runs of audio, and the audio in it, read back with libsndfile."""

import base64
import io
import json
import re
import shlex
import shutil
import sys

import numpy as np
import pytest

from nst import report
from nst.errors import InputError
from nst.metrics import METRICS, Metric
from nst.report.audio import excerpt, excerpts
from nst.report.collect import axes
from nst.report.varied import varied

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed: pip install 'nst[test]'")


def decoded(clip):
    return soundfile.read(io.BytesIO(base64.b64decode(clip.data)), always_2d=True)


def pitch(clip):
    samples, rate = decoded(clip)
    return np.argmax(np.abs(np.fft.rfft(samples[:, 0]))) * rate / len(samples)


def test_a_sweep(sounds):
    data = report.collect(sounds)
    assert data["title"] == "style weight × content × seed"
    assert [(field["name"], field["replicate"]) for field in data["fields"]] == [
        ("loss.style_weight", False),
        ("audio.content", True),
        ("audio.seed", True),
    ]
    assert [trial["state"] for trial in data["trials"]] == ["done"] * 4 + ["begun", "waiting"]
    first = data["trials"][0]
    assert (first["group"], first["total"], first["frame"]) == ("audio", 100, "")
    assert first["files"] == ["audio.wav", "content.wav", "style.wav", "sheet.png", "spectrogram.png"]
    assert data["axes"] == {"metrics": ("content_lsd", "style_texture"), "terms": ("content", "style")}
    json.dumps(data, allow_nan=False)


def test_each_input_is_played_once_and_a_run_under_way_by_its_latest_frame(sounds):
    data = report.collect(sounds)
    trials, paths = data["trials"], data["audio"]
    assert len(paths) == 2 + 1 + 5  # contents, a style, results
    assert len({trial["audio"]["style"] for trial in trials}) == 1
    assert trials[0]["audio"]["content"] == trials[2]["audio"]["content"] != trials[1]["audio"]["content"]
    under_way, waiting = trials[4:]
    assert (under_way["frame"], under_way["result"]) == ("frames/000050.wav", None)
    assert paths[under_way["audio"]["result"]].endswith("frames/000050.wav")
    assert "result" not in waiting["audio"]
    assert len(data["images"]) == 2 + 1 + 4


def test_inputs_that_differ_between_runs_are_kept_apart(tmp_path, make):
    for number, seconds in enumerate((0.5, 1.0)):  # of the same file, with another config
        folder = tmp_path / f"run{number}"
        make.audio_run(folder, number=number)
        make.tone(folder / "content.wav", 300, seconds=seconds)
    (tmp_path / "run1" / "style.wav").unlink()
    first, second = (trial["audio"] for trial in report.collect(tmp_path)["trials"])
    assert first["content"] != second["content"]
    assert first["style"] == second["style"]  # that of another run with the same input


def test_all_styles_of_a_run_are_shown_and_played(tmp_path, make):
    make.audio_run(tmp_path / "one")
    folder = tmp_path / "two"
    make.audio_run(folder, {"audio.style": "rain,melody"})
    facts = json.loads((folder / "config.json").read_text())
    facts["inputs"]["style"] = {"path": "/elsewhere/rain.flac", "sha256": "rain"}
    facts["inputs"]["style_2"] = {"path": "/elsewhere/melody.flac", "sha256": "melody"}
    (folder / "config.json").write_text(json.dumps(facts))
    make.tone(folder / "style_2.wav", 600)
    shutil.copy(folder / "style.png", folder / "style_2.png")
    data = report.collect(tmp_path)
    one, two = data["trials"]
    assert data["inputs"] == ["content", "style", "style_2"]
    assert data["audio"][two["audio"]["style_2"]] == str(folder / "style_2.wav")
    assert data["images"][two["inputs"]["style_2"]] == str(folder / "style_2.png")
    assert "style_2.wav" in two["files"]
    assert one["sources"] == {}
    assert {name: two["sources"][name] for name in ("style", "style_2")} == {
        "style": "rain",
        "style_2": "melody",
    }
    assert "style_2" not in one["audio"]
    (field,) = data["fields"]
    assert field["labels"] == ["rain", "rain + melody"]


def test_a_folder_of_runs_of_images_and_of_audio(tmp_path, make):
    make.run(tmp_path / "picture")
    make.audio_run(tmp_path / "sound")
    picture, sound = report.collect(tmp_path)["trials"]
    assert (picture["group"], picture["audio"]) == ("images", {})
    assert (sound["group"], set(sound["audio"])) == ("audio", {"result", "content", "style"})
    assert len(report.write(tmp_path, table=True)) == 3


def test_figures(sounds):
    names = [path.name for path in report.write(sounds, figures=True)]
    assert names[1::2] == ["curves.pdf", "tradeoff.pdf", "results.pdf"]


def test_audio_is_labeled_by_its_file_name():
    (field,) = varied([{"audio.content": f"/somewhere/{name}.flac"} for name in ("a", "b")])
    assert (field["labels"], field["replicate"]) == (["a", "b"], False)  # there is nothing else to compare


def test_the_command_has_the_fields_that_are_not_defaults(sounds):
    program, script, flag, config, *fields = shlex.split(report.collect(sounds)["trials"][0]["command"])
    assert (program, script, flag, config) == ("nst", "run", "--config", "configs/audio.py")
    assert fields == ["--config.audio.content=bells", "--config.audio.style=rain"]


NAMED = {"lsd": "style", "envelope": "style", "texture": "content", "mel_held_out": "content", "tv": ""}


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["texture", "tv", "envelope", "lsd"], ("envelope", "texture")),
        (["texture", "mel_held_out", "lsd"], ("lsd", "mel_held_out")),
        (["texture", "tv"], None),
        (["lsd"], None),
        (["loss", "content", "style", "tv"], ("content", "style")),  # the terms of the loss
    ],
)
def test_the_tradeoff_is_chosen_by_what_a_metric_has_to_beat(names, chosen):
    defined = {name: Metric("", "", "lower", "", baseline) for name, baseline in NAMED.items()}
    assert axes(names, defined) == chosen


def test_the_tradeoff_of_images():
    assert axes([*METRICS], METRICS) == ("content_cosine", "style_gram_held_out")


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 96000, 12345])
def test_an_excerpt_has_the_pitch_and_the_bit_rate(tmp_path, make, rate, channels):
    make.tone(tmp_path / "a.wav", 440, channels, 3.0, rate)
    clip = excerpt(str(tmp_path / "a.wav"), 64)
    samples, _ = decoded(clip)
    assert samples.shape[1] == channels
    assert clip.seconds == 3.0
    assert pitch(clip) == pytest.approx(440, abs=2)
    most = 64 if rate <= 12000 else 160  # 12345 Hz become 16000
    assert len(clip.data) * 3 / 4 * 8 / 3000 == pytest.approx(min(64 * channels, most), rel=0.1)


def test_an_excerpt_is_the_beginning(tmp_path):
    rate, t = 16000, np.arange(2 * 16000) / 16000
    soundfile.write(tmp_path / "a.wav", np.sin(2 * np.pi * np.where(t < 1, 300, 900) * t), rate)
    clip = excerpt(str(tmp_path / "a.wav"), 64, 1.0)
    assert clip.seconds == 1.0
    assert pitch(clip) == pytest.approx(300, abs=10)


def test_many_channels_are_averaged(tmp_path, make):
    make.tone(tmp_path / "a.wav", 440, 5)
    assert decoded(excerpt(str(tmp_path / "a.wav"), 64))[0].shape[1] == 1


@pytest.mark.parametrize(
    ("total", "kbits", "cut"),
    [(100_000, 64, False), (60_000, 48, False), (35_000, 32, False), (15_000, 32, True)],
)
def test_more_audio_has_fewer_bits_and_seconds(tmp_path, make, total, kbits, cut):
    paths = [str(tmp_path / f"{i}.wav") for i in range(4)]
    for i in range(4):
        make.tone(tmp_path / f"{i}.wav", 440, seconds=0.5 if i == 0 else 2.0, rate=16000)
    clips, longest = excerpts(paths, total)
    assert sum(len(each.data) for each in clips) < total * 1.08
    assert (longest is not None) == cut
    assert all(each.seconds == pytest.approx(min(2.0, longest or 2.0), abs=0.01) for each in clips[1:])
    assert clips[0].seconds == 0.5
    rate = len(clips[1].data) * 3 / 4 * 8 / 1000 / clips[1].seconds
    # An MP3 begins with half a frame and ends with a whole one.
    assert rate == pytest.approx(kbits, rel=0.25)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound", b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_a_damaged_audio_file_is_left_out(sounds, content):
    trial = sorted((sounds / "trials").iterdir())[0]
    (trial / "audio.wav").write_bytes(content)
    (trial / "content.wav").write_bytes(content)
    assert report.write(sounds)[0].exists()
    assert excerpt(str(trial / "audio.wav"), 64) is None


def test_audio_that_is_not_finite_is_left_out(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.full(8000, np.nan, np.float32), 8000, subtype="FLOAT")
    assert excerpt(str(tmp_path / "a.wav"), 64) is None


def test_only_runs_of_audio_need_the_packages_for_audio(sweep, sounds, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert report.write(sweep)
    with pytest.raises(InputError, match=re.escape("pip install 'nst[audio]'")) as caught:
        report.write(sounds)
    assert "\n" not in str(caught.value)


def test_the_policy_allows_audio_only_if_there_is_some(sweep, sounds):
    policies = [
        re.search(r'Content-Security-Policy" content="([^"]*)', report.write(folder)[0].read_text("utf-8"))[1]
        for folder in (sweep, sounds)
    ]
    assert ["media-src" in policy for policy in policies] == [False, True]
    assert "media-src blob:;" in policies[1]
    assert "unsafe" not in policies[1]


def test_the_same_runs_give_the_same_bytes(sounds):
    assert report.write(sounds)[0].read_bytes() == report.write(sounds)[0].read_bytes()
