"""Runs of video from a config and from the command line: their files, sound, exact resuming, invalid input."""

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nst import images, record, runs
from nst.config import base
from nst.errors import InputError

av = pytest.importorskip("av")

ROOT = Path(__file__).parents[2]

SMALL = {
    "video.end": 0.25,
    "video.every": 2,
    "video.steps": 3,
    "video.earlier": (1, 2),
    "images.size": 48,
    "features.weights": "random",
    "features.normalise": False,
    "loss.content_layers": ("relu2_1",),
    "loss.style_layers": ("relu1_1", "relu2_1"),
    "loss.style_layer_weights": (),
    "pyramid.scales": (24, 48),
    "pyramid.steps": 4,
    "optimizer.steps": 4,
    "run.log_every": 2,
    "run.save_every": 3,
}


def small(**changes):
    config = base("video")
    config.update_from_flattened_dict(SMALL | changes)
    return config


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("video") / "run"
    runs.run(small(), folder, output=folder.parent / "out.mkv")
    return folder


def contents(folder):
    """Return the hashes of all files that depend on the config alone."""
    files = [
        path for path in sorted(folder.rglob("*")) if path.is_file() and path.parent.name != "checkpoint"
    ]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in (".lock", "metrics.jsonl", "curve.png")  # these have seconds
    }


def packets(path, kind):
    with av.open(str(path)) as container:
        stream = container.streams.get(**{kind: 0})[0]
        return [
            (packet.pts * stream.time_base, bytes(packet))
            for packet in container.demux(stream)
            if packet.size
        ]


def test_a_run_directory(finished):
    names = {path.name for path in finished.iterdir()}
    expected = {
        "video.mp4",
        "content.mp4",
        "content.png",
        "style.png",
        "sheet.png",
        "video.png",
        "flow.mp4",
        "curve.png",
        "pass_1",
    }
    assert expected <= names
    assert not {".flow", ".content"} & names
    with av.open(str(finished / "video.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (48, 28)
        times = [frame.time for frame in container.decode(stream)]
    np.testing.assert_allclose(times, [0, 1 / 12, 1 / 6], atol=1e-4)
    assert images.read(finished / "sheet.png").shape == (2 * 28, 3 * 48, 3)
    assert images.read(finished / "pass_1" / "000002.png").shape == (28, 48, 3)
    steps = [line["step"] for line in record.metrics(finished / "metrics.jsonl")]
    assert steps == [0, 2, 4, 6, 8, 10, 12, 14]


@pytest.mark.parametrize("result", ["run/video.mp4", "out.mkv"])
def test_the_sound_is_copied(finished, result):
    from nst.video import samples

    source = packets(samples.locate("pan"), "audio")
    copied = packets(finished.parent / result, "audio")
    assert 0 < len(copied) < len(source)
    assert [data for _, data in copied] == [data for _, data in source][: len(copied)]


def test_the_same_config_gives_the_same_bytes(finished, tmp_path):
    runs.run(small(), tmp_path)
    assert contents(tmp_path) == contents(finished)


def command(workdir, *flags):
    flags = [f"--config.{name}={value}" for name, value in SMALL.items()] + [f"--workdir={workdir}", *flags]
    return [
        sys.executable,
        str(ROOT / "scripts" / "run.py"),
        f"--config={ROOT / 'configs' / 'video.py'}",
        *flags,
    ]


@pytest.mark.slow
def test_killed_ten_times_and_resumed_it_ends_in_the_same_bytes(tmp_path):
    def call(folder, seconds, *flags):
        process = subprocess.Popen(
            command(folder, *flags), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return process.wait()

    assert call(tmp_path / "whole", 300) == 0
    generator, folder = np.random.default_rng(2), tmp_path / "killed"
    for _ in range(10):
        resume = ["--resume"] if (folder / "config.json").exists() else []
        if call(folder, generator.uniform(4, 20), *resume) == 0:
            (folder / "done").unlink()
            for path in sorted((folder / "checkpoint").glob("*.npz"))[1:]:
                path.unlink()
    assert call(folder, 300, *(["--resume"] if (folder / "config.json").exists() else [])) == 0
    assert contents(folder) == contents(tmp_path / "whole")


def test_stopped_at_a_frame_it_resumes_to_the_same_bytes(finished, tmp_path, monkeypatch):
    from nst.runs import video_task

    whole, seen = video_task.stylization, []

    def broken(*arguments, **settings):
        for snapshot in whole(*arguments, **settings):
            seen.append(snapshot.step)
            if snapshot.step == 12:
                raise KeyboardInterrupt
            yield snapshot

    monkeypatch.setattr(video_task, "stylization", broken)
    with pytest.raises(KeyboardInterrupt):
        runs.run(small(), tmp_path)
    monkeypatch.undo()
    runs.run(small(), tmp_path, resume=True)
    assert contents(tmp_path) == contents(finished)


def test_more_steps_are_another_run(finished):
    with pytest.raises(InputError, match=r"optimizer\.steps was 4, now 9"):
        runs.run(small(**{"optimizer.steps": 9}), finished, resume=True)


def test_sound_that_cannot_be_stylized_is_found_before_the_work(tmp_path, monkeypatch):
    from nst import audio
    from nst.video import VideoWarning

    monkeypatch.setattr(audio, "MAX_SECONDS", 0.2)
    with pytest.raises(InputError, match=r"can't be stylized, only 0\.2 s"):
        runs.run(small(**{"video.audio": "style"}), tmp_path / "long")
    bad = {"images.size": 8, "pyramid.scales": (), "loss.style_layers": ("relu5_1",)}
    silent = small(**{"video.audio": "style", "video.content": "still", **bad})
    with pytest.warns(VideoWarning, match="no sound to stylize"), pytest.raises(InputError):
        runs.run(silent, tmp_path / "silent")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"video.content": "absent.mp4"}, "absent.mp4"),
        ({"video.content": __file__}, "test_video.py"),
        ({"video.start": 50.0, "video.end": 60.0}, "no frames"),
        ({"video.start": 1.0, "video.end": 0.5}, "end"),
        ({"video.start_from": "warp"}, r"start_from 'warp': did you mean warped"),
        ({"video.audio": "stye"}, r"config\.video\.audio 'stye': did you mean style"),
        ({"video.earlier": (2, 1)}, "give ascending numbers of frames"),
        ({"video.earlier": (1.5,)}, "give ascending numbers of frames"),
        ({"video.flow": "nowhere"}, r"forward_1_2\.flo is missing"),
        ({"images.color": "contents"}, "did you mean content"),
        ({"images.size": 8, "pyramid.scales": (), "loss.style_layers": ("relu5_1",)}, "too small"),
        ({"images.style_weights": (1.0, 2.0)}, "2 numbers for 1 styles"),
        ({"images.style": "absent.jpg"}, "absent.jpg"),
        ({"video.passes": 0}, r"config\.video\.passes = 0: give a number above 0"),
    ],
)
def test_invalid_input_is_one_line_and_leaves_nothing(tmp_path, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        runs.run(small(**changes), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()
