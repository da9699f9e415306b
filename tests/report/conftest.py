"""Fixtures: directories of sweeps of each modality, written by hand, and a real Chromium that shows reports."""

import json
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from nst.config import base
from tests.report.browser import chromium, opened  # noqa: F401  (fixtures)

#: Markup of a hostile name, path or config, which sets `window.hit` if it runs.
HOSTILE = '"><img src=x onerror=window.hit=1><script>window.hit=1;alert(1)<script>'
ENDING = "</script><script>window.hit=1</script><!--<script>"


def picture(path, seed, size=(24, 16)):
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).resize(size).save(path)


def config_of(modality, overrides=()):
    """Return the nested config of a run."""
    config = json.loads(base(modality).to_json())
    if modality == "audio":
        config["audio"] |= {"content": "bells", "style": "rain"}
    for name, value in dict(overrides).items():
        group, last = name.split(".")
        config[group][last] = value
    return config


def write_run(folder, overrides=(), *, number=0, done=True, metrics=None, baselines=None):
    """Write a run directory with every file that a report reads."""
    config = config_of("image", overrides)
    folder.mkdir(parents=True)
    inputs = {
        part: {"path": f"/elsewhere/{config['images'][part]}.png", "sha256": config["images"][part]}
        for part in ("content", "style")
    }
    facts = {"config": config, "versions": {"nst": "0.1.0"}, "device": "cpu", "inputs": inputs}
    (folder / "config.json").write_text(json.dumps(facts))
    lines = [
        {"step": step, "evaluations": step + 1, "seconds": step / 2, "loss": 1000.0 / (1 + step) + number}
        | {"content": 1.0 + number, "style": 2.0 + number, "tv": 0.0}
        for step in range(0, 160 if done else 30, 10)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    picture(folder / "frames" / "000000.png", number)
    picture(folder / "content.png", number + 100)
    picture(folder / "style.png", number + 200, (20, 16))
    if done:
        picture(folder / "image.png", number)
        picture(folder / "sheet.png", number + 300, (24 + 2 + 20 + 2 + 24, 16))
        (folder / "done").touch()
    if metrics is not None:
        value = {"metrics": metrics, "baselines": baselines or {}, "terms": {}, "layers": {}}
        (folder / "evaluation.json").write_text(json.dumps(value))


def write_plan(folder, trials, config=None):
    folder.mkdir(parents=True, exist_ok=True)
    named = [{"name": name, "overrides": overrides} for name, overrides in trials.items()]
    plan = {"config": config or json.loads(base().to_json()), "trials": named}
    (folder / "plan.json").write_text(json.dumps(plan))


def write_failure(folder, name, error, details="Traceback …"):
    (folder / "failures").mkdir(exist_ok=True)
    failure = {"trial": name, "error": error, "details": details}
    (folder / "failures" / f"{name}.json").write_text(json.dumps(failure))


def values(number):
    return {"style_gram": 0.5 / (1 + number), "content_cosine": 0.9 - 0.03 * number**2, "ssim": 0.9}


BASELINES = {
    "content": {"style_gram": 0.8, "content_cosine": 0.99999994, "ssim": 1.0},
    "style": {"style_gram": 0.0, "content_cosine": 0.1, "ssim": 0.1},
}


@pytest.fixture
def sweep(tmp_path):
    """Write a sweep over two weights, styles and seeds: five trials are done, one failed, one runs and one waits."""
    folder = tmp_path / "a sweep"
    trials = {
        f"style_weight={weight},style={style},seed={seed}": {
            "loss.style_weight": weight,
            "images.style": style,
            "images.seed": seed,
        }
        for weight in (60.0, 6000.0)
        for style in ("strokes", "panes")
        for seed in (0, 1)
    }
    write_plan(folder, trials)
    names = list(trials)
    for number, name in enumerate(names[:6]):
        done = number < 5
        metrics = values(number) if done else None
        where = folder / "trials" / name
        write_run(where, trials[name], number=number, done=done, metrics=metrics, baselines=BASELINES)
    write_failure(folder, names[6], "step 4: the loss is not finite")
    return folder


@pytest.fixture
def hostile(tmp_path):
    """Write a sweep whose names, values, errors and metrics are markup and script."""
    folder = tmp_path / "<script>window.hit=1;alert(1)<script>"
    trials = {
        "<script>": {"images.style": ENDING},
        HOSTILE[:80].replace("/", ""): {"images.style": HOSTILE},
        "failed": {"images.style": "javascript:window.hit=1"},
    }
    write_plan(folder, trials)
    for number, name in enumerate(list(trials)[:2]):
        metrics = {HOSTILE: 1.0 + number, "content_" + ENDING: 2.0, "style_x": 0.5}
        write_run(folder / "trials" / name, trials[name], number=number, metrics=metrics)
    write_failure(folder, "failed", ENDING + HOSTILE, ENDING)
    return folder


RATE, SECONDS = 8000, 1.5


def tone(path, hertz, channels=1, seconds=SECONDS, rate=RATE):
    soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed: pip install 'nst[test]'")
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.2 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    soundfile.write(path, np.stack([wave] * channels, axis=1).astype(np.float32), rate)


def write_audio_run(folder, overrides=(), *, number=0, done=True, metrics=None, baselines=None):
    """Write a run directory of audio with every file that a report reads; the result's pitch tells its number."""
    write_run(folder, number=number, done=done, metrics=metrics, baselines=baselines)
    for path in (folder / "frames" / "000000.png", folder / "image.png"):
        path.unlink(missing_ok=True)
    facts = json.loads((folder / "config.json").read_text())
    facts["config"] = config_of("audio", overrides)
    facts["inputs"] = {
        part: {"path": f"/elsewhere/{name}.flac", "sha256": name}
        for part in ("content", "style")
        for name in [facts["config"]["audio"][part]]
    }
    (folder / "config.json").write_text(json.dumps(facts))
    for i, part in enumerate(("content", "style")):
        tone(folder / f"{part}.wav", 200 + 20 * len(facts["config"]["audio"][part]))
        picture(folder / f"{part}.png", number + 100 * (1 + i))
    tone(folder / "frames" / "000050.wav", 400 + 100 * number)
    if done:
        tone(folder / "audio.wav", 400 + 100 * number)
        picture(folder / "spectrogram.png", number)
        picture(folder / "sheet.png", number + 300, (80, 20))


SOUND_BASELINES = {
    "content": {"style_texture": 0.9, "content_lsd": 0.0, "pitch_jaccard": 1.0},
    "style": {"style_texture": 0.0, "content_lsd": 14.0, "pitch_jaccard": 0.05},
}


@pytest.fixture
def sounds(tmp_path):
    """Write a sweep over two weights and contents, one with two seeds: four are done, one runs and one waits."""
    folder = tmp_path / "sounds"
    trials = {
        f"style_weight={weight:g},content={content},seed={seed}": {
            "loss.style_weight": weight,
            "audio.content": content,
            "audio.seed": seed,
        }
        for weight in (1.0, 10.0)
        for content, seed in (("bells", 0), ("melody", 0), ("bells", 1))
    }
    write_plan(folder, trials, config_of("audio"))
    for number, name in enumerate([*trials][:5]):
        done = number < 4
        metrics = {"style_texture": 0.5 / (1 + number), "content_lsd": 2.0 + number}
        metrics |= {"pitch_jaccard": 0.9 - number / 10}
        evaluation = {"metrics": metrics, "baselines": SOUND_BASELINES} if done else {}
        write_audio_run(folder / "trials" / name, trials[name], number=number, done=done, **evaluation)
    return folder


FRAMES = 10


def clip(path, levels, size=(32, 48), rate=10):
    """Write a clip whose frames are gray, of these levels; a square that moves keeps it from being all the same."""
    video = pytest.importorskip("nst.video")
    pytest.importorskip("av", reason="av is not installed: pip install 'nst[video]'")
    frames = []
    for i, level in enumerate(levels):
        image = np.full((*size, 3), level, np.uint8)
        image[:8, 4 * i % size[1] : 4 * i % size[1] + 8] = 255
        frames.append(video.Frame(image, Fraction(i, rate), Fraction(1, rate)))
    path.parent.mkdir(parents=True, exist_ok=True)
    video.write(path, frames)


def levels(base):
    """Return levels of gray from which the number of a frame can be read, whatever the codec does."""
    return [base + 10 * i for i in range(FRAMES)]


def write_video_run(folder, overrides=(), *, number=0, done=True, metrics=None, baselines=None, flow=False):
    """Write a run directory of video with every file that a report reads; with a clip of the flow if asked."""
    write_run(folder, number=number, done=done, metrics=metrics, baselines=baselines)
    facts = json.loads((folder / "config.json").read_text())
    facts["config"] = config = config_of("video", overrides)
    names = {"content": config["video"]["content"], "style": config["images"]["style"]}
    facts["inputs"] = {part: {"path": f"/elsewhere/{name}", "sha256": name} for part, name in names.items()}
    (folder / "config.json").write_text(json.dumps(facts))
    clip(folder / "content.mp4", levels(20))
    (folder / "image.png").unlink(missing_ok=True)
    if done:
        clip(folder / "video.mp4", levels(60 + number))
        picture(folder / "video.png", number)
        if flow:
            clip(folder / "flow.mp4", levels(0))
    if metrics is not None:
        evaluation = json.loads((folder / "evaluation.json").read_text())
        evaluation["by_frame"] = {
            name: values_by_frame(number + i) for i, name in enumerate(("content", "result"))
        }
        (folder / "evaluation.json").write_text(json.dumps(evaluation))


def values_by_frame(number):
    """Return values of each frame; a scene begins at frame 4."""
    warping = [None if i in (0, 4) else (1 + number) * (1 + i) / 1000 for i in range(FRAMES)]
    return {"warping": warping, "brightness": [0.1 * number + i / 20 for i in range(FRAMES)]}


VIDEO_METRICS = {"warping": 0.01, "tof": 0.4, "style_gram": 0.3, "ssim": 0.5, "ssim_spread": 0.1}
VIDEO_BASELINES = {
    "content": {"warping": 0.001, "tof": 0.0, "style_gram": 0.8, "ssim": 1.0},
    "style": {"warping": 0.1, "tof": 2.0, "style_gram": 0.0, "ssim": 0.1},
}


@pytest.fixture
def videos(tmp_path):
    """Write a sweep of video over two weights and styles: three trials are done, one runs."""
    folder = tmp_path / "videos"
    trials = {
        f"temporal_weight={weight:g},style={style}": {"loss.temporal_weight": weight, "images.style": style}
        for weight in (0.0, 200.0)
        for style in ("strokes", "panes")
    }
    write_plan(folder, trials, config_of("video"))
    for number, name in enumerate(trials):
        done = number < 3
        evaluation = {"metrics": VIDEO_METRICS, "baselines": VIDEO_BASELINES} if done else {}
        write_video_run(folder / "trials" / name, trials[name], number=number, done=done, **evaluation)
    return folder


@pytest.fixture
def make():
    """Return functions that write run directories and plans, for tests that need their own."""
    return SimpleNamespace(
        run=write_run,
        audio_run=write_audio_run,
        video_run=write_video_run,
        clip=clip,
        tone=tone,
        plan=write_plan,
        fail=write_failure,
        values=values,
        baselines=BASELINES,
    )
