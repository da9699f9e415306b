"""Runs of audio with several styles: what is recorded, resumed, shown and refused."""

import json
import shutil

import numpy as np
import pytest

from nst import audio, evaluation, report, runs
from nst.audio import Audio
from nst.config import base
from nst.errors import InputError
from nst.runs.follow import reloaded
from nst.sweep import plan

SMALL = {
    "audio.rate": 8000,
    "audio.n_fft": 256,
    "audio.filters": 8,
    "audio.phase_steps": 2,
    "optimizer.steps": 4,
    "run.save_every": 2,
}
INPUTS = ("content", "bells", "rain")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A tune, a tone, and noise in stereo, all of other lengths."""
    folder = tmp_path_factory.mktemp("clips")
    t = np.arange(5000) / 8000
    tune, tone = (np.sin(2 * np.pi * pitch * t)[:, None] for pitch in (330 + 200 * t, 500))
    noise = np.random.default_rng(0).standard_normal((6000, 2))
    for name, samples in zip(INPUTS, (tune, tone[:3000], noise), strict=True):
        audio.write(folder / f"{name}.wav", Audio(0.1 * samples.astype(np.float32), 8000))
    return folder


def with_styles(clips, **changes):
    config = base("audio")
    config.update_from_flattened_dict(SMALL)
    config.audio.content = str(clips / "content.wav")
    config.audio.style = f"{clips / 'bells.wav'},{clips / 'rain.wav'}"
    for name, value in changes.items():
        config.audio[name] = value
    return config


@pytest.fixture(scope="module")
def whole(clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "run"
    runs.run(with_styles(clips, style_weights=(2, 1)), folder)
    return folder


def test_all_styles_are_recorded(whole, clips):
    facts = json.loads((whole / "config.json").read_text())
    assert {name: each["path"] for name, each in facts["inputs"].items()} == {
        "content": str(clips / "content.wav"),
        "style": str(clips / "bells.wav"),
        "style_2": str(clips / "rain.wav"),
    }
    last = json.loads((whole / "metrics.jsonl").read_text().splitlines()[-1])
    assert [*last][4:] == ["content", "style_1", "style_2"]
    for name, clip in (("style", "bells"), ("style_2", "rain")):
        original = audio.read(clips / f"{clip}.wav").samples
        np.testing.assert_allclose(audio.read(whole / f"{name}.wav").samples, original, atol=1e-5)
        assert (whole / f"{name}.png").exists()
    assert reloaded(facts["config"]).audio.style == with_styles(clips).audio.style


def test_a_resumed_run_has_the_same_bytes(whole, clips, tmp_path):
    part = shutil.copytree(whole, tmp_path / "part")  # as a run killed after step 2 leaves it
    for path in [*part.glob("*.png"), *part.glob("*.wav"), part / "done", *part.glob("*/*4.*")]:
        path.unlink()
    runs.run(with_styles(clips, style_weights=(2, 1)), part, resume=True)
    for name in ("audio.wav", "style_2.wav", "style_2.png", "sheet.png", "curve.png"):
        assert (part / name).read_bytes() == (whole / name).read_bytes(), name
    with pytest.raises(InputError, match="holds another run"):
        runs.run(with_styles(clips, style_weights=(1, 1)), part, resume=True)


def test_a_report_shows_and_plays_all_styles(whole):
    data = report.collect(whole)
    (trial,) = data["trials"]
    assert {name: trial["sources"][name] for name in ("style", "style_2")} == {
        "style": "bells",
        "style_2": "rain",
    }
    assert data["audio"][trial["audio"]["style_2"]] == str(whole / "style_2.wav")
    assert data["images"][trial["inputs"]["style_2"]] == str(whole / "style_2.png")


def test_an_evaluation_is_refused_in_a_line(whole):
    with pytest.raises(
        InputError, match=r"several styles: compare its audio\.wav with each of them"
    ) as error:
        evaluation.of_runs([whole])
    assert "\n" not in str(error.value)


def test_a_sweep_over_styles_alone_and_together(clips, tmp_path):
    names = tuple(str(clips / f"{name}.wav") for name in INPUTS[1:])
    config = with_styles(clips)
    config.optimizer.steps = 0
    for both in (",".join(names), names):
        planned = plan.make(config, [{"audio.style": names[0]}, {"audio.style": both}])
        assert [trial.name for trial in planned.trials] == ["style=bells", "style=bells+rain"]
    for trial in planned.trials:
        runs.run(plan.configured(planned, trial), tmp_path / "runs" / trial.name)
    (field,) = report.collect(tmp_path / "runs")["fields"]
    assert (field["name"], field["labels"]) == ("audio.style", ["bells", "bells + rain"])


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"style_weights": (1, 2, 3)}, "config.audio.style_weights has 3 numbers for 2 styles: give one for each"),
        ({"style_weights": (0, 0)}, "config.audio.style_weights are all 0: give a number above 0"),
        ({"style_weights": (1, -1)}, "config.audio.style_weights = -1: give a finite number that is not negative"),
        ({"style": "bells,gone.wav"}, r"gone\.wav: no such file"),
        ({"style": "bells,"}, "the name of an audio file is empty"),
        ({"style": ("bells", "FOLDER")}, "has 3 files: with several styles, name each file"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_first(clips, tmp_path, changes, line):
    if isinstance(style := changes.get("style"), tuple):
        changes = {"style": tuple(str(clips) if name == "FOLDER" else name for name in style)}
    with pytest.raises(InputError, match=line) as error:
        runs.run(with_styles(clips, **changes), tmp_path / "run")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_an_output_does_not_replace_a_file_of_the_run(clips, tmp_path):
    with pytest.raises(InputError, match="is one of the run's own files"):
        runs.run(with_styles(clips), tmp_path / "run", output=tmp_path / "run" / "style_2.wav")
