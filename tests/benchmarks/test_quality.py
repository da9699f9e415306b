"""Results at equal seconds: the planned steps, and sheets that hide which result is whose."""

import json

import numpy as np
import pytest

from benchmarks import quality
from nst import images
from nst.errors import InputError


def test_an_unknown_method_or_time_is_refused(tmp_path):
    for text in ("wasserstein", "wasserstein:soon", "magic:30"):
        with pytest.raises(
            InputError, match=rf"--methods {text}: give NAME:SECONDS with one of wasserstein, gatys"
        ):
            quality.compare(["a:b"], [text], 64, 0, tmp_path)
    with pytest.raises(InputError, match="give CONTENT:STYLE"):
        quality.compare(["coffee"], ["gatys:30"], 64, 0, tmp_path)


def test_scales_of_style_transfer_pytorch():
    assert quality.root_of_2_scales(512) == (128, 181, 256, 362, 512)
    assert quality.root_of_2_scales(100) == (100,)


def test_steps_are_scaled_to_the_seconds(monkeypatch, tmp_path):
    """Plan a quarter of 60 steps at each of three scales, where a step takes 0.1, 0.4 and 1.6 s and the start 0 s."""
    step = {0: 0.1, 1: 0.4, 2: 1.6}

    def run(method, content, style, size, folder, steps):
        seconds = np.cumsum([0, *(step[i // 4] for i in range(12))])
        (folder / "run").mkdir(parents=True)
        lines = [json.dumps({"seconds": s}) for s in seconds]
        (folder / "run" / "metrics.jsonl").write_text("\n".join(lines))

    clock = iter([0.0, 30.0, 30.0, 30.0 + 4 * sum(step.values())])
    monkeypatch.setattr(quality, "_run", run)
    monkeypatch.setattr(quality.time, "monotonic", lambda: next(clock))
    entry = quality.Entry("wasserstein", 60 * sum(step.values()) / 4)
    assert quality._plan_steps(entry, "c", "s", 512, tmp_path) == [15, 15, 15]


def test_a_sheet_shows_each_result_at_the_letter_that_the_key_gives_it(tmp_path):
    folder = tmp_path / "coffee_strokes_60"
    folder.mkdir()
    colors = {f"m{i}": i / 8 for i in range(6)}
    for name, color in colors.items():
        images.write(folder / f"{name}.png", np.full((40, 60, 3), color, np.float32))
    quality.sheets(tmp_path, [("coffee", "strokes")], list(colors), 60, seed=1)
    key = json.loads((tmp_path / "key.json").read_text())["coffee_strokes_60"]
    assert sorted(key.values()) == sorted(colors)
    assert list(key.values()) != sorted(colors)
    sheet = images.read(tmp_path / "votes" / "coffee_strokes_60.png")
    side = sheet.shape[1] // 4
    for i, letter in enumerate(key, start=2):  # after photograph and painting
        y, x = i // 4 * (side + 20) + 30, i % 4 * side + 10
        assert sheet[y, x, 0] == pytest.approx(colors[key[letter]], abs=0.01)
