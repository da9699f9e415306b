"""`nst evaluate` on audio of runs and any other: files read and written, output, and errors."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nst import audio, evaluation, files, metrics
from nst.commands.evaluate import parser
from nst.errors import InputError, RunError
from nst.evaluation.table import beats
from nst.metrics import audio as audio_metrics
from nst.report.collect import collect

RATE = 16000  # of the run; metrics have another
GENERATOR = np.random.default_rng(0)


def hum(pitch, *, seconds=1.0, hiss=0.02):
    t = np.arange(round(seconds * RATE)) / RATE
    x = sum(0.1 / k * np.sin(2 * np.pi * k * pitch * t) for k in range(1, 6))
    return (x * np.exp(-3 * t) + hiss * GENERATOR.standard_normal(len(t)))[:, None].astype(np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run directory with the files that an evaluation reads."""
    folder = tmp_path_factory.mktemp("made") / "run"
    folder.mkdir()
    content, style = hum(220), hum(330, seconds=0.6, hiss=0.2)
    played = {"content": content, "style": style, "audio": content + hum(1, hiss=0.05)}
    for name, samples in played.items():
        audio.write(folder / f"{name}.wav", audio.Audio(samples, RATE))
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
    """The names of the results that each call compares."""
    calls, evaluate = [], audio_metrics.evaluate

    def counting(content, style, results, *, rate):
        calls.append([*results])
        return evaluate(content, style, results, rate=rate)

    monkeypatch.setattr(audio_metrics, "evaluate", counting)
    return calls


def test_a_run_is_evaluated_on_what_it_wrote(run, capsys):
    parser.run([str(run)])
    written = json.loads((run / "evaluation.json").read_text())
    assert [*written] == ["metrics", "baselines", "terms", "layers", "inputs", "versions"]
    assert [*written["metrics"]] == [*metrics.AUDIO_METRICS]
    assert written["terms"] == {"loss": 3.0, "content": 1.0, "style": 2.0}
    assert {name: entry["path"] for name, entry in written["inputs"].items()} == {
        "result": "audio.wav",
        "content": "content.wav",
        "style": "style.wav",
    }
    result, content, style = (
        audio.read(run / f"{name}.wav", rate=audio_metrics.RATE).samples
        for name in ("audio", "content", "style")
    )
    expected = audio_metrics.evaluate(content, style, {"result": result}, rate=audio_metrics.RATE)
    assert written["metrics"] == expected["result"]
    assert written["baselines"] == {name: expected[name] for name in ("content", "style")}
    for name, value in written["metrics"].items():
        assert beats(name, value, written["baselines"])
    output = capsys.readouterr().out
    assert all(word in output for word in ("texture", "mfcc", "pitch_jaccard", "baseline: style"))


def test_the_same_audio_is_evaluated_once_and_together(run, counted, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    audio.write(other / "audio.wav", audio.Audio(hum(220, hiss=0.3), RATE))
    evaluation.of_runs([run, other])
    assert counted == [[str(run), str(other)]]
    first = (run / "evaluation.json").read_bytes()
    evaluation.of_runs([run, other])
    assert len(counted) == 1
    evaluation.of_runs([run], again=True)
    assert len(counted) == 2
    assert (run / "evaluation.json").read_bytes() == first
    audio.write(run / "style.wav", audio.Audio(hum(440), RATE))
    evaluation.of_runs([run, other])
    assert counted[2:] == [[str(run)]]
    evaluation.of_runs([run, other], again=True)
    assert counted[3:] == [[str(run)], [str(other)]]


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda run: (run / "audio.wav").unlink(), r"run/audio\.wav is missing: repeat the run"),
        (lambda run: (run / "style.wav").unlink(), r"run/style\.wav is missing: repeat the run"),
        (lambda run: (run / "content.wav").write_bytes(b"no"), r"run/content\.wav"),
        (
            lambda run: audio.write(run / "audio.wav", audio.Audio(hum(220, seconds=0.5), RATE)),
            "run: give a result of 22050 samples",
        ),
    ],
)
def test_a_damaged_run_is_refused_in_a_line_and_the_others_are_evaluated(run, spoil, line, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    spoil(run)
    with pytest.raises(InputError, match=line) as error:
        evaluation.of_runs([run, other])
    assert "\n" not in str(error.value)
    assert not (run / "evaluation.json").exists()
    assert (other / "evaluation.json").exists()


def test_a_report_knows_which_metrics_are_better_when_higher(run):
    evaluation.of_runs([run])
    better = collect(run)["better"]
    assert {better[name] for name in ("pitch_jaccard", "chroma_cosine", "envelope")} == {"higher"}
    assert {better[name] for name in ("style_texture", "content_lsd")} == {"lower"}


def arguments(run, *results, **options):
    """Return the command line for results that any program made."""
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [*map(str, results), f"--content={run}/content.wav", f"--style={run}/style.wav", *flags]


def test_any_audio_is_evaluated_as_that_of_a_run(run, tmp_path, capsys):
    other = tmp_path / "other.FLAC"
    audio.write(other, audio.Audio(hum(220, hiss=0.3), RATE))
    parser.run(arguments(run, run / "audio.wav", other, json=tmp_path / "metrics.json"))
    output = capsys.readouterr().out
    assert all(word in output for word in ("audio.wav", "texture", "baseline: content"))
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert [*written] == ["results", "baselines", "layers", "size", "inputs", "versions"]
    assert [*written["results"]] == [str(run / "audio.wav"), str(other)]
    of_run = evaluation.of_runs([run])[str(run)]
    assert written["results"][str(run / "audio.wav")] == of_run["metrics"]
    assert {name: written[name] for name in ("baselines", "layers")} == {
        name: of_run[name] for name in ("baselines", "layers")
    }
    assert written["size"] == [audio_metrics.RATE]
    assert [*written["inputs"]] == ["content", "style", str(run / "audio.wav"), str(other)]
    for recorded in written["inputs"].values():
        assert files.sha256(Path(recorded["path"])) == recorded["sha256"]


@pytest.mark.parametrize(("seconds", "how"), [(1.5, "cut"), (0.5, "continued in silence")])
def test_a_result_of_another_length_is_brought_to_the_contents(run, seconds, how):
    """A result that is cut or continued by hand has the same metrics."""
    longer = audio.resample(audio.Audio(hum(220, seconds=seconds), RATE), audio_metrics.RATE)
    by_hand = np.zeros((audio_metrics.RATE, 1), np.float32)
    by_hand[: len(longer.samples)] = longer.samples[: audio_metrics.RATE]
    audio.write(run / "longer.wav", longer)
    audio.write(run / "by_hand.wav", audio.Audio(by_hand, audio_metrics.RATE))
    with pytest.warns(audio.AudioWarning, match=rf"longer.wav lasts {seconds:.3f} s: {how} to 1.000"):
        evaluated = evaluation.audio.of_audio(
            f"{run}/content.wav", f"{run}/style.wav", [run / "longer.wav", run / "by_hand.wav"]
        )
    assert evaluated["results"][f"{run}/longer.wav"] == evaluated["results"][f"{run}/by_hand.wav"]


@pytest.mark.parametrize(
    ("results", "options", "line"),
    [
        (
            ["audio.wav", "a.png"],
            {},
            r"audio\.wav is of modality audio and .*a\.png of modality image: evaluate them separately",
        ),
        (["audio.wav"], {"size": 64}, "--size 64 is for images: leave it out"),
        (["gone.wav"], {}, r"gone\.wav: no such file"),
        (["audio.wav"], {"content": "coffee"}, r"coffee: no such file, nor a sample of that name .*melody"),
        (["audio.wav"], {"style": "SHORT"}, r"style has 20 samples: give at least"),
    ],
)
def test_results_that_cannot_be_evaluated_are_refused_in_a_line(run, results, options, line):
    audio.write(run / "short.wav", audio.Audio(hum(220)[:20], audio_metrics.RATE))
    options = {name: f"{run}/short.wav" if value == "SHORT" else value for name, value in options.items()}
    with pytest.raises(InputError, match=line) as error:
        parser.run(arguments(run, *(run / name for name in results), **options))
    assert "\n" not in str(error.value)


def test_memory_that_runs_out_is_a_line(run, monkeypatch):
    def evaluate(*_, **__):
        raise MemoryError("Unable to\nallocate")

    monkeypatch.setattr(audio_metrics, "evaluate", evaluate)
    line = r"^1 s of audio could not be evaluated \(Unable to allocate\): shorten the audio$"
    with pytest.raises(RunError, match=line):
        parser.run(arguments(run, run / "audio.wav"))
    with pytest.raises(RunError, match=line):
        evaluation.of_runs([run])
