"""Runs of audio from a config and from the command line: their files, exact resuming, invalid input."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nst import audio, runs
from nst.audio import Audio
from nst.config import base
from nst.errors import InputError

ROOT = Path(__file__).parents[2]

SMALL = {
    "audio.rate": 8000,
    "audio.n_fft": 256,
    "audio.filters": 16,
    "audio.phase_steps": 2,
    "optimizer.steps": 12,
    "run.log_every": 5,
    "run.save_every": 4,
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    t = np.arange(6000) / 8000
    tune = np.sin(2 * np.pi * 330 * t) * np.exp(-3 * (t % 0.25))
    noise = np.random.default_rng(0).standard_normal(9000) * 0.1
    for name, samples in (("content", tune), ("style", noise)):
        audio.write(folder / f"{name}.wav", Audio(0.3 * samples[:, None].astype(np.float32), 8000))
    return folder


@pytest.fixture(params=["spectrogram", "waveform"])
def config(request, clips):
    config = base("audio")
    config.update_from_flattened_dict(SMALL)
    config.audio.method = request.param
    config.audio.content, config.audio.style = (str(clips / f"{name}.wav") for name in ("content", "style"))
    return config


def contents(folder):
    """Return the hashes of all files that depend on the config alone."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in (".lock",)]
    compared = {str(path.relative_to(folder)): path for path in paths if path.name != "metrics.jsonl"}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in compared.items()
        if not name.startswith("checkpoint")
    }


def test_the_files_of_a_run(config, tmp_path, clips):
    (folder,) = runs.run(config, tmp_path / "run")
    names = {path.name for path in folder.iterdir()}
    assert {"audio.wav", "content.wav", "style.wav", "sheet.png", "spectrogram.png", "curve.png"} <= names
    assert {"config.json", "metrics.jsonl", "done", "frames", "checkpoint"} <= names
    assert [path.name for path in sorted((folder / "frames").iterdir())] == [
        f"{step:06}.wav" for step in (0, 4, 8, 12)
    ]
    result, content, style = (audio.read(folder / f"{name}.wav") for name in ("audio", "content", "style"))
    assert result.samples.shape == content.samples.shape == (6000, 1)
    assert style.samples.shape == (9000, 1)
    original = audio.read(clips / "content.wav")
    np.testing.assert_allclose(content.samples, original.samples, atol=1e-5)
    if config.audio.method == "spectrogram":
        phase = json.loads((folder / "phase.json").read_text())
        assert phase["steps"] == 2
        assert 0 < phase["spectral_convergence"] < 0.5
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 5, 10, 12]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert {"content", "style"} <= set(lines[0])
    assert "envelope" not in lines[0]  # its weight is 0
    facts = json.loads((folder / "config.json").read_text())
    assert (
        facts["inputs"]["content"]["sha256"]
        == hashlib.sha256((clips / "content.wav").read_bytes()).hexdigest()
    )


def test_a_resumed_run_has_the_same_bytes(config, tmp_path):
    (whole,) = runs.run(config, tmp_path / "whole")
    part = tmp_path / "part"
    shutil.copytree(whole, part)  # as a run killed after step 8 leaves it
    for path in [*part.glob("*.png"), *part.glob("*.wav"), part / "done", *part.glob("*/*12.*")]:
        path.unlink()
    runs.run(config, part, resume=True)
    assert contents(part) == contents(whole)
    assert {"audio.wav", "curve.png", "frames/000012.wav"} <= set(contents(part))


def test_a_writer_gets_the_audio(clips, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = base("audio")
    config.update_from_flattened_dict(SMALL | {"optimizer.steps": 4, "run.writers": ("tensorboard",)})
    config.audio.content, config.audio.style = (str(clips / f"{name}.wav") for name in ("content", "style"))
    (folder,) = runs.run(config, tmp_path / "run")
    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"audio": 0}).Reload()
    frames = events.Audio("audio")
    assert [event.step for event in frames] == [0, 4]
    assert frames[1].encoded_audio_string == (folder / "frames" / "000004.wav").read_bytes()
    assert (frames[1].sample_rate, frames[1].length_frames) == (8000, 6000)


@pytest.mark.slow
def test_a_folder_gives_a_run_for_each_file(config, tmp_path, clips):
    config.audio.content = str(clips)
    config.optimizer.steps = 1
    folders = runs.run(config, tmp_path / "runs")
    assert [folder.name for folder in folders] == ["content-style", "style-style"]
    assert all((folder / "audio.wav").exists() for folder in folders)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("audio.method", "wavform", "unknown audio.method 'wavform': did you mean waveform"),
        ("audio.rate", 20, "config.audio.rate = 20: give"),
        ("audio.n_fft", 30, "audio.n_fft = 30: give"),
        ("audio.init", "nowhere.wav", "nowhere.wav"),
        ("audio.content", "nowhere.wav", "nowhere.wav"),
        ("loss.style_loss", "grum", "unknown style loss 'grum': did you mean gram"),
        (
            "optimizer.name",
            "lbfgs_pyramid",
            "unknown optimizer for audio 'lbfgs_pyramid': choose from adam, rmsprop, lbfgs",
        ),
        ("loss.style_loss", "patches", "loss.style_loss is not for audio (its patches are 3×3 positions"),
        ("loss.style_loss", "remd", "loss.style_loss is not for audio (it compares colors"),
        ("loss.envelope_weight", -1.0, "config.loss.envelope_weight = -1.0"),
        ("audio.filters", 0, "config.audio.filters = 0: give a number above 0"),
    ],
)
def test_invalid_values_are_refused_and_leave_nothing(clips, tmp_path, field, value, message):
    refused(clips, tmp_path, {field: value}, message)


def test_lbfgs_on_samples_is_refused(clips, tmp_path):
    values = {"audio.method": "waveform", "optimizer.name": "lbfgs"}
    refused(clips, tmp_path, values, "leave it unset, or take adam, the default of this method")


def refused(clips, tmp_path, values, message):
    config = base("audio")
    config.update_from_flattened_dict(SMALL)
    config.audio.content, config.audio.style = (str(clips / f"{name}.wav") for name in ("content", "style"))
    config.update_from_flattened_dict(values)
    with pytest.raises(InputError) as error:
        runs.run(config, tmp_path / "run")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def command(clips, *flags):
    script, config = ROOT / "scripts" / "run.py", ROOT / "configs" / "audio.py"
    values = SMALL | {"audio.content": clips / "content.wav", "audio.style": clips / "style.wav"}
    assignments = [f"--config.{name}={value}" for name, value in values.items()]
    return [sys.executable, str(script), f"--config={config}", *assignments, *flags]


@pytest.mark.slow
def test_the_command_line(clips, tmp_path):
    output = tmp_path / "out.flac"
    done = subprocess.run(
        command(clips, f"--workdir={tmp_path / 'run'}", f"--output={output}"), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(output)
    assert (tmp_path / "run" / "audio.wav").is_file()
    assert audio.read(output).samples.shape == (6000, 1)
    again = subprocess.run(
        command(clips, f"--workdir={tmp_path / 'other'}", "--max_seconds=1", "--config.images.size=3"),
        capture_output=True,
        text=True,
    )
    assert again.returncode == 2
    assert "images" in again.stderr
    assert again.stderr.count("\n") == 1


def test_audio_that_is_too_long_is_refused(config, tmp_path):
    with pytest.raises(InputError, match=r"0\.75"):
        runs.run(config, tmp_path / "run", limit=0)
    assert not (tmp_path / "run").exists()
