"""`scripts/evaluate.py` on run directories of sounds: what is read, kept, shown and refused."""

import json
import shutil

import numpy as np
import pytest

from nst import evaluation, metrics, sounds
from nst.errors import InputError
from nst.evaluation.table import beats
from nst.metrics import sound
from nst.report.collect import collect

RATE = 16000  # of the run: figures are of another
GENERATOR = np.random.default_rng(0)


def hum(pitch, *, seconds=1.0, hiss=0.02):
    t = np.arange(round(seconds * RATE)) / RATE
    x = sum(0.1 / k * np.sin(2 * np.pi * k * pitch * t) for k in range(1, 6))
    return (x * np.exp(-3 * t) + hiss * GENERATOR.standard_normal(len(t)))[:, None].astype(np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What a run leaves behind, as far as an evaluation reads it."""
    folder = tmp_path_factory.mktemp("made") / "run"
    folder.mkdir()
    content, style = hum(220), hum(330, seconds=0.6, hiss=0.2)
    played = {"content": content, "style": style, "audio": content + hum(1, hiss=0.05)}
    for name, samples in played.items():
        sounds.write(folder / f"{name}.wav", sounds.Sound(samples, RATE))
    inputs = {name: {"path": f"/gone/{name}.flac", "sha256": "0"} for name in ("content", "style")}
    config = {"audio": {"content": "/gone/content.flac", "style": "/gone/style.flac", "rate": RATE}}
    (folder / "config.json").write_text(json.dumps({"config": config, "inputs": inputs}))
    line = {"step": 4, "evaluations": 5, "seconds": 0.1, "loss": 3.0, "content": 1.0, "style": 2.0}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    (folder / "done").touch()
    return folder


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


@pytest.fixture
def counted(monkeypatch):
    """Which results each call compares."""
    calls, evaluate = [], sound.evaluate

    def counting(content, style, results, *, rate):
        calls.append([*results])
        return evaluate(content, style, results, rate=rate)

    monkeypatch.setattr(sound, "evaluate", counting)
    return calls


def test_a_run_is_evaluated_on_what_it_wrote(run, capsys):
    evaluation.main([str(run)])
    found = json.loads((run / "evaluation.json").read_text())
    assert [*found] == ["metrics", "baselines", "terms", "layers", "inputs", "versions"]
    assert [*found["metrics"]] == [*metrics.SOUND_METRICS]
    assert found["terms"] == {"loss": 3.0, "content": 1.0, "style": 2.0}
    assert {name: entry["path"] for name, entry in found["inputs"].items()} == {
        "result": "audio.wav",
        "content": "content.wav",
        "style": "style.wav",
    }
    result, content, style = (
        sounds.read(run / f"{name}.wav", rate=sound.RATE).samples for name in ("audio", "content", "style")
    )
    expected = sound.evaluate(content, style, {"result": result}, rate=sound.RATE)
    assert found["metrics"] == expected["result"]
    assert found["baselines"] == {name: expected[name] for name in ("content", "style")}
    for name, value in found["metrics"].items():
        assert beats(name, value, found["baselines"])
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("texture", "mfcc", "pitch_jaccard", "baseline: style"))


def test_the_same_sounds_are_evaluated_once_and_together(run, counted, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    sounds.write(other / "audio.wav", sounds.Sound(hum(220, hiss=0.3), RATE))
    evaluation.of_runs([run, other])
    assert counted == [[str(run), str(other)]]
    first = (run / "evaluation.json").read_bytes()
    evaluation.of_runs([run, other])
    assert len(counted) == 1
    evaluation.of_runs([run], again=True)
    assert len(counted) == 2
    assert (run / "evaluation.json").read_bytes() == first
    sounds.write(run / "style.wav", sounds.Sound(hum(440), RATE))
    evaluation.of_runs([run, other])
    assert counted[2:] == [[str(run)]]
    evaluation.of_runs([run, other], again=True)
    assert counted[3:] == [[str(run)], [str(other)]]


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda run: (run / "audio.wav").unlink(), r"run/audio\.wav is not there: run it again"),
        (lambda run: (run / "style.wav").unlink(), r"run/style\.wav is not there: run it again"),
        (lambda run: (run / "content.wav").write_bytes(b"no"), r"run/content\.wav"),
        (
            lambda run: sounds.write(run / "audio.wav", sounds.Sound(hum(220, seconds=0.5), RATE)),
            "run: give a result of 22050 samples",
        ),
    ],
)
def test_what_is_no_run_of_sounds_is_told_in_a_line_and_the_others_go_on(run, spoil, line, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    spoil(run)
    with pytest.raises(InputError, match=line) as told:
        evaluation.of_runs([run, other])
    assert "\n" not in str(told.value)
    assert not (run / "evaluation.json").exists()
    assert (other / "evaluation.json").exists()


def test_a_report_knows_which_figures_are_better_when_higher(run):
    evaluation.of_runs([run])
    better = collect(run)["better"]
    assert {better[name] for name in ("pitch_jaccard", "chroma_cosine", "envelope")} == {"higher"}
    assert {better[name] for name in ("style_texture", "content_lsd")} == {"lower"}
