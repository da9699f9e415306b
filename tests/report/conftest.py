"""A sweep's directory as if it had run: two weights, styles and seeds; a trial failed, one runs, one waits."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from nst.config import base

#: What a hostile name, path or config might try, and that it worked.
HOSTILE = '"><img src=x onerror=window.hit=1><script>window.hit=1;alert(1)<script>'
ENDING = "</script><script>window.hit=1</script><!--<script>"


def picture(path, seed, size=(24, 16)):
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).resize(size).save(path)


def write_run(folder, overrides=(), *, number=0, done=True, metrics=None, baselines=None):
    """A run directory with every file that a report reads."""
    config = json.loads(base().to_json())
    for name, value in dict(overrides).items():
        group, last = name.split(".")
        config[group][last] = value
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
    if done:
        picture(folder / "image.png", number)
        picture(folder / "sheet.png", number + 100, (24 + 2 + 20 + 2 + 24, 16))
        (folder / "done").touch()
    if metrics is not None:
        value = {"metrics": metrics, "baselines": baselines or {}, "terms": {}, "layers": {}}
        (folder / "evaluation.json").write_text(json.dumps(value))


def write_plan(folder, trials):
    folder.mkdir(parents=True, exist_ok=True)
    named = [{"name": name, "overrides": overrides} for name, overrides in trials.items()]
    (folder / "plan.json").write_text(json.dumps({"config": json.loads(base().to_json()), "trials": named}))


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
    """The directory: eight trials, five of them done."""
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
    """A sweep whose names, values, errors and metrics are markup and script."""
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


@pytest.fixture
def make():
    """What writes run directories and plans, for tests that need their own."""
    return SimpleNamespace(
        run=write_run, plan=write_plan, fail=write_failure, values=values, baselines=BASELINES
    )
