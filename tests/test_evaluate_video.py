"""`nst evaluate` on video of runs and any other: files read and written, sizes and lengths, errors in one line."""

import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from nst import evaluation, features, files, images, metrics, record, video
from nst.commands.evaluate import parser
from nst.config import base
from nst.errors import InputError, RunError
from nst.evaluation import table

pytest.importorskip("av")
pytest.importorskip("cv2")
from nst.video import scene

COUNT = 12
LAYERS = ("relu1_1", "relu2_1")


@pytest.fixture(scope="module", autouse=True)
def weights():
    """Replace the weights of every evaluation by random ones; test_metrics tests the values."""
    with pytest.MonkeyPatch.context() as patch:
        network = features.load(weights="random", pooling="max", convolution="direct")
        patch.setattr(evaluation.image, "network", lambda: network)
        patch.setattr(evaluation.image, "_WEIGHTS", "random")
        yield


def write(path, pixels, rate=24):
    """Write frames of 8 bits as a clip."""
    step = Fraction(1, rate)
    video.write(path, [video.Frame(each, i * step, step) for i, each in enumerate(pixels)])


@pytest.fixture(scope="module")
def drawn():
    frames = [frame[:48, :64].copy() for _, frame in zip(range(COUNT), scene.frames(), strict=False)]
    flashing = [np.round(frame * (1 - 0.3 * (i % 2))).astype(np.uint8) for i, frame in enumerate(frames)]
    return frames, flashing


@pytest.fixture(scope="module")
def made(drawn, tmp_path_factory):
    """A run directory with the files that an evaluation reads."""
    folder = tmp_path_factory.mktemp("made") / "run"
    folder.mkdir()
    write(folder / "content.mp4", drawn[0])
    write(folder / "video.mp4", drawn[1])
    images.write(folder / "style.png", np.random.default_rng(0).random((40, 56, 3), np.float32))
    config = json.loads(base("video").to_json())
    config["loss"]["style_layers"] = [*LAYERS]
    inputs = {name: {"path": f"/gone/{name}", "sha256": "0"} for name in ("content", "style")}
    (folder / "config.json").write_text(json.dumps({"config": config, "inputs": inputs}))
    line = {"step": 4, "evaluations": 5, "seconds": 0.1, "loss": 3.0, "content": 1.0, "style": 2.0}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    (folder / "done").touch()
    return folder


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


@pytest.fixture
def quick(monkeypatch):
    """The frames that have the metrics of images, with their mean as every metric, as the metrics take seconds."""
    calls = []

    def evaluate(content, style, results, *, extractor, style_layers):
        calls.append([content, *results.values()])
        rows = results | {"content": content, "style": style[0].image}
        return {
            name: dict.fromkeys(metrics.names(style_layers), float(np.mean(row)))
            for name, row in rows.items()
        }

    monkeypatch.setattr(evaluation.video, "evaluate", evaluate)
    return calls


def test_a_run_is_evaluated_over_time_and_in_single_frames(run, quick, capsys):
    parser.run([str(run)])
    written = json.loads((run / "evaluation.json").read_text())
    assert [*written] == ["metrics", "baselines", "by_frame", "terms", "layers", "inputs", "versions"]
    of_images = metrics.names(LAYERS)
    expected = [*metrics.VIDEO_METRICS, *of_images, *(f"{name}_spread" for name in of_images)]
    assert [*written["metrics"]] == expected
    assert {name: [*row] for name, row in written["baselines"].items()} == {
        "content": expected,
        "style": expected,
    }
    assert {name: entry["path"] for name, entry in written["inputs"].items()} == {
        "result": "video.mp4",
        "content": "content.mp4",
        "style": "style.png",
        "weights": "random",
    }
    assert written["layers"]["optimized"] == [*LAYERS]
    result, content = written["metrics"], written["baselines"]["content"]
    assert result["flicker"] > 0.03  # each second frame has 0.7 of its brightness, at 12 Hz
    assert result["warping"] > 10 * content["warping"]
    assert content["tof"] == 0
    for name, row in (("result", result), ("content", content)):
        warping, *others = written["by_frame"][name]["warping"]
        assert warping is None
        assert np.mean(others) == pytest.approx(row["warping"])
    values = [float(np.mean(frames[1])) for frames in quick]
    assert (result["ssim"], result["ssim_spread"]) == pytest.approx((np.mean(values), np.std(values)))
    output = capsys.readouterr().out
    assert all(word in output for word in ("warping_long", "tof", "flicker", "palette", "baseline: style"))
    first = (run / "evaluation.json").read_bytes()
    evaluation.of_runs([run], again=True)
    assert (run / "evaluation.json").read_bytes() == first


@pytest.mark.slow
def test_single_frames_have_the_metrics_of_images(run, monkeypatch):
    monkeypatch.setattr(evaluation.video, "numbers", lambda count: [0, count - 1])
    written = evaluation.of_runs([run])[str(run)]
    style = images.read(run / "style.png")
    rows = []
    for i in (0, COUNT - 1):
        content, result = (
            [*video.read(run / name)][i].image.astype(np.float32) / 255
            for name in ("content.mp4", "video.mp4")
        )
        network = evaluation.image.network()
        rows.append(
            metrics.evaluate(content, style, {"a": result}, extractor=network, style_layers=LAYERS)["a"]
        )
    for name in rows[0]:
        values = [row[name] for row in rows]
        assert written["metrics"][name] == np.mean(values)
        assert written["metrics"][f"{name}_spread"] == np.std(values)


def test_frames_are_evenly_spaced_and_those_of_the_files(run, quick):
    evaluation.of_runs([run])
    assert len(quick) == 8
    numbers = [round(i * (COUNT - 1) / 7) for i in range(8)]
    every = [frame.image for frame in video.read(run / "video.mp4")]
    for number, (_, result) in zip(numbers, quick, strict=True):
        np.testing.assert_array_equal(result, every[number] / np.float32(255))


def test_runs_of_one_content_and_style_are_evaluated_together_and_once(run, quick, drawn, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    write(other / "video.mp4", drawn[0])
    evaluation.of_runs([run, other])
    assert [len(frames) for frames in quick] == [3] * 8
    evaluation.of_runs([run, other])
    assert len(quick) == 8


def arguments(run, *results, **options):
    """Return the command line for results that any program made."""
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [*map(str, results), f"--content={run}/content.mp4", f"--style={run}/style.png", *flags]


def test_any_clip_is_evaluated_as_that_of_a_run_also_a_folder_of_frames(run, quick, tmp_path):
    frames = tmp_path / "frames"
    video.write(frames, video.read(run / "video.mp4"))
    parser.run(arguments(run, run / "video.mp4", frames, json=tmp_path / "metrics.json"))
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert written["size"] == [64, 48, COUNT]
    assert written["results"][str(frames)] == written["results"][str(run / "video.mp4")]
    of_run = evaluation.of_runs([run])[str(run)]["metrics"]
    result = written["results"][str(run / "video.mp4")]
    assert {name: result[name] for name in metrics.VIDEO_METRICS} == {
        name: of_run[name] for name in metrics.VIDEO_METRICS
    }
    assert [*written["inputs"]] == ["content", "style", str(run / "video.mp4"), str(frames), "weights"]
    recorded = written["inputs"][str(run / "video.mp4")]
    assert files.sha256(Path(recorded["path"])) == recorded["sha256"]


def test_a_result_of_another_size_is_resized_with_a_warning(run, quick, drawn):
    write(run / "small.mkv", [frame[::2, ::2].copy() for frame in drawn[0]])
    with pytest.warns(
        video.VideoWarning, match=r"small\.mkv has 32×24 pixels: resized to 64×48, as the content"
    ):
        evaluation.of_results(f"{run}/content.mp4", f"{run}/style.png", [run / "small.mkv"])
    assert {frame.shape for frames in quick for frame in frames} == {(48, 64, 3)}
    quick.clear()
    evaluation.of_results(f"{run}/content.mp4", f"{run}/style.png", [run / "small.mkv"], size=32)
    assert {frame.shape for frames in quick for frame in frames} == {(24, 32, 3)}


@pytest.mark.parametrize(
    ("results", "options", "line"),
    [
        (["short.mkv"], {}, r"short\.mkv has 5 frames and the content 12: give clips of the same frames"),
        (
            ["tall.mkv"],
            {},
            r"tall\.mkv has 48×48 pixels, which is not the aspect of the content, 64×48: crop",
        ),
        (["one.mkv"], {}, r"one\.mkv has one frame: give a clip"),
        (["video.mp4", "a.wav"], {}, r"video\.mp4 is of modality video and .*a\.wav of modality audio"),
        (["video.mp4"], {"size": 0}, "--size 0: give a number of pixels above 0"),
        (["gone.mp4"], {}, r"gone\.mp4: no such file"),
    ],
)
def test_clips_that_do_not_go_together_are_refused_in_a_line(run, drawn, quick, results, options, line):
    write(run / "short.mkv", drawn[0][:5])
    write(run / "one.mkv", drawn[0][:1])
    write(run / "tall.mkv", [frame[:, :48].copy() for frame in drawn[0]])
    with pytest.raises(InputError, match=line) as error:
        parser.run(arguments(run, *(run / name for name in results), **options))
    assert "\n" not in str(error.value)
    assert quick == []


def test_a_damaged_run_is_refused_in_a_line_and_the_others_are_evaluated(run, quick, drawn, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    write(run / "video.mp4", drawn[0][:7])
    with pytest.raises(InputError, match=r"run: .*run has 7 frames and the content 12") as error:
        evaluation.of_runs([run, other])
    assert "\n" not in str(error.value)
    assert not (run / record.EVALUATION).exists()
    assert (other / record.EVALUATION).exists()


def test_each_of_several_styles_has_its_metrics(run, monkeypatch):
    images.write(run / "style_2.png", np.full((32, 32, 3), 0.5, np.float32))
    facts = json.loads((run / "config.json").read_text())
    facts["inputs"]["style_2"] = {"path": "/gone/other.png", "sha256": "1"}
    (run / "config.json").write_text(json.dumps(facts))
    seen = []

    def evaluate(content, styles, results, **_):
        seen.append([style.image.shape for style in styles])
        return {name: {"ssim": 1.0, "palette.style_1": 2.0} for name in (*results, "content", "style")}

    monkeypatch.setattr(evaluation.video, "evaluate", evaluate)
    row = evaluation.of_runs([run])[str(run)]["metrics"]
    assert seen == [[(40, 56, 3), (32, 32, 3)]] * 8
    expected = {"ssim": 1.0, "palette.style_1": 2.0, "ssim_spread": 0.0, "palette_spread.style_1": 0.0}
    assert {name: row[name] for name in row if name not in metrics.VIDEO_METRICS} == expected


def test_memory_that_runs_out_is_a_line(run, monkeypatch):
    def evaluate(*_, **__):
        raise MemoryError("Unable to\nallocate")

    monkeypatch.setattr(evaluation.video, "evaluate", evaluate)
    with pytest.raises(RunError, match=r"could not be evaluated \(Unable to allocate\); if memory ran out"):
        evaluation.of_runs([run])


def test_the_terminal_shows_metrics_over_time_by_themselves():
    names = [*metrics.METRICS, *metrics.VIDEO_METRICS]
    assert ("", [*metrics.VIDEO_METRICS]) in table._side_by_side(names)
