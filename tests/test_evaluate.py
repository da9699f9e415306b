"""`nst evaluate`: runs, sweeps and any images, their records, and errors in one line."""

import json
import shutil
import warnings

import jax
import numpy as np
import pytest

from nst import evaluation, features, images, metrics, runs
from nst.commands.evaluate import parser
from nst.config import base
from nst.errors import InputError, RunError
from nst.images import ImageWarning

GENERATOR = np.random.default_rng(0)
SMALL = {
    "images.size": 24,
    "features.weights": "random",
    "loss.content_layers": ("relu2_1",),
    "loss.style_layers": ("relu1_1", "relu2_1"),
    "loss.style_layer_weights": (),
    "pyramid.scales": (),
    "optimizer.steps": 4,
}


@pytest.fixture(scope="module", autouse=True)
def weights():
    """Replace the weights of every evaluation by random ones; test_metrics tests the values."""
    with pytest.MonkeyPatch.context() as patch:
        network = features.load(weights="random", pooling="max", convolution="direct")
        patch.setattr(evaluation.image, "network", lambda: network)
        patch.setattr(evaluation.image, "_WEIGHTS", "random")
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("content", "style"):
        images.write(folder / f"{name}.png", GENERATOR.uniform(0, 1, (32, 48, 3)).astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def made(pictures, tmp_path_factory):
    config = base()
    config.update_from_flattened_dict(SMALL)
    config.images.content, config.images.style = f"{pictures}/content.png", f"{pictures}/style.png"
    folder = tmp_path_factory.mktemp("made") / "run"
    runs.run(config, folder)
    return folder


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


@pytest.fixture
def counted(monkeypatch):
    """The results that are evaluated, with the mean of an image as every metric, as the metrics take seconds."""
    calls = []

    def evaluate(content, styles, results, *, extractor, style_layers, keep):
        calls.append(list(results))
        rows = results | {"content": content, "style": styles[0].image}
        return {
            name: dict.fromkeys(metrics.names(style_layers), float(np.mean(row)))
            for name, row in rows.items()
        }

    monkeypatch.setattr(evaluation.image, "evaluate", evaluate)
    return calls


def test_a_run_is_evaluated_with_all_that_decides_its_figures(run, pictures):
    parser.run([str(run)])
    written = json.loads((run / "evaluation.json").read_text())
    assert [*written] == ["metrics", "baselines", "terms", "layers", "inputs", "versions"]
    assert [*written["metrics"]] == [*metrics.METRICS]
    assert {name: [*row] for name, row in written["baselines"].items()} == {
        "content": [*metrics.METRICS],
        "style": [*metrics.METRICS],
    }
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert written["terms"] == {name: last[name] for name in ("loss", "content", "style", "tv")}
    assert written["layers"] == {"optimized": ["relu1_1", "relu2_1"], "held_out": [*metrics.HELD_OUT]}
    assert [*written["inputs"]] == ["result", "content", "style", "weights"]
    recorded = json.loads((run / "config.json").read_text())["inputs"]
    assert written["inputs"]["content"] == recorded["content"]
    assert written["inputs"]["style"] == recorded["style"]
    assert written["versions"]["nst"]
    first = (run / "evaluation.json").read_bytes()
    evaluation.of_runs([run], again=True)
    assert (run / "evaluation.json").read_bytes() == first


def test_metrics_are_of_the_images_as_the_run_saw_them(run, pictures, monkeypatch):
    seen = {}

    def evaluate(content, styles, results, *, extractor, style_layers, keep):
        (style,) = styles
        assert style.mask is style.content_mask is keep is None
        seen.update(results, content=content, style=style.image, layers=style_layers)
        return {name: {} for name in (*results, "content", "style")}

    monkeypatch.setattr(evaluation.image, "evaluate", evaluate)
    facts = json.loads((run / "config.json").read_text())
    facts["config"]["images"]["style_scale"] = 0.5
    (run / "config.json").write_text(json.dumps(facts))
    evaluation.of_runs([run])
    for name, longest in (("content", 24), ("style", 12)):
        np.testing.assert_array_equal(seen[name], images.fit(images.read(pictures / f"{name}.png"), longest))
    np.testing.assert_array_equal(seen[str(run)], images.read(run / "image.png"))
    assert seen["layers"] == SMALL["loss.style_layers"]


def test_the_same_images_give_the_same_bytes_and_are_evaluated_once(run, counted):
    evaluation.of_runs([run])
    first = (run / "evaluation.json").read_bytes()
    evaluation.of_runs([run])
    assert len(counted) == 1
    parser.run([str(run), "--again"])
    assert len(counted) == 2
    assert (run / "evaluation.json").read_bytes() == first
    images.write(run / "image.png", images.read(run / "image.png")[::-1])
    evaluation.of_runs([run])
    assert len(counted) == 3
    assert (run / "evaluation.json").read_bytes() != first


@pytest.mark.parametrize("damage", ["{", "[]", '{"metrics": 3}', "{}"])
def test_an_evaluation_that_cannot_be_read_is_made_again(run, counted, damage):
    (run / "evaluation.json").write_text(damage)
    evaluated = evaluation.of_runs([run])[str(run)]
    assert json.loads((run / "evaluation.json").read_text()) == evaluated


def test_a_sweep_is_evaluated_as_far_as_it_is_finished(made, counted, tmp_path, capsys):
    for name in ("a", "b", "c"):
        shutil.copytree(made, tmp_path / "sweep" / "trials" / name)
    (tmp_path / "sweep" / "trials" / "c" / "done").unlink()
    parser.run([str(tmp_path / "sweep")])
    assert [(tmp_path / "sweep" / "trials" / n / "evaluation.json").exists() for n in "abc"] == [
        True,
        True,
        False,
    ]
    output = capsys.readouterr().out
    # Once each for metrics of style, of content, and all others.
    assert output.count("baseline: content") == output.count("baseline: style") == 3
    assert output.index("baseline: content") > output.index("wasserstein")
    assert all(word in output for word in ("mesh", "palette", "coverage"))  # no column is cut off


def test_a_run_that_cannot_be_evaluated_leaves_the_others_alone(made, counted, tmp_path, capsys):
    for name in ("a", "b", "c", "d"):
        shutil.copytree(made, tmp_path / name)
    (tmp_path / "a" / "config.json").write_text("{")
    (tmp_path / "c" / "image.png").write_bytes(b"no")  # read together with the runs of the same images
    line = (
        r"a/config\.json or metrics.jsonl is damaged: repeat the run \(1 more could not be evaluated either\)"
    )
    with pytest.raises(InputError, match=line):
        parser.run([str(tmp_path)])
    assert [name for name in "abcd" if (tmp_path / name / "evaluation.json").exists()] == ["b", "d"]
    assert "baseline: style" in capsys.readouterr().out


def test_runs_of_the_same_images_are_evaluated_together(made, counted, tmp_path):
    folders = [shutil.copytree(made, tmp_path / name) for name in "abc"]
    facts = json.loads((folders[1] / "config.json").read_text())
    facts["config"]["loss"]["style_layers"] = ["relu1_1"]
    (folders[1] / "config.json").write_text(json.dumps(facts))
    evaluation.of_runs(folders)
    assert sorted(counted) == [[str(folders[0]), str(folders[2])], [str(folders[1])]]


@pytest.mark.parametrize("error", [MemoryError(), jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out\nof")])
def test_memory_that_runs_out_is_a_line(run, monkeypatch, error):
    def evaluate(*_, **__):
        raise error

    monkeypatch.setattr(evaluation.image, "evaluate", evaluate)
    with pytest.raises(
        RunError, match=r"24×16 pixels could not be evaluated \(.*\); .*a smaller --size"
    ) as raised:
        evaluation.of_runs([run])
    assert "\n" not in str(raised.value)


def test_another_image_at_the_recorded_path_is_refused(made, tmp_path):
    run = shutil.copytree(made, tmp_path / "run")
    facts = json.loads((run / "config.json").read_text())
    other = tmp_path / "other.png"
    images.write(other, np.zeros((32, 48, 3), np.float32))
    facts["inputs"]["style"]["path"] = str(other)
    (run / "config.json").write_text(json.dumps(facts))
    with pytest.raises(
        InputError,
        match=r"other.png is no longer the style image of the run: restore the image, or repeat the run",
    ):
        evaluation.of_runs([run])


def test_an_image_that_was_moved_is_found_by_the_config(made, counted, tmp_path):
    run = shutil.copytree(made, tmp_path / "run")
    facts = json.loads((run / "config.json").read_text())
    facts["inputs"]["content"]["path"] = "/gone/content.png"
    (run / "config.json").write_text(json.dumps(facts))
    assert (
        evaluation.of_runs([run])[str(run)]["inputs"]["content"]["path"]
        == facts["config"]["images"]["content"]
    )
    facts["config"]["images"]["content"] = "/gone/content.png"
    (run / "config.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"/gone/content\.png: no such file"):
        evaluation.of_runs([run])


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda run: (run / "done").unlink(), "is not finished: go on with nst run --resume"),
        (lambda run: (run / "image.png").unlink(), "image.png is missing: repeat the run"),
        (lambda run: (run / "image.png").write_bytes(b"no"), "image.png is not an image"),
        (lambda run: (run / "config.json").write_text("{}"), "is damaged: repeat the run"),
        (lambda run: (run / "config.json").write_text("[]"), "is damaged: repeat the run"),
        (lambda run: (run / "metrics.jsonl").write_text(""), "is damaged: repeat the run"),
    ],
)
def test_an_unfinished_or_damaged_run_is_refused_in_a_line(run, spoil, line):
    spoil(run)
    with pytest.raises(InputError, match=line) as caught:
        evaluation.of_runs([run])
    assert "\n" not in str(caught.value)
    assert not (run / "evaluation.json").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere"], "nowhere: no such directory"),
        (["."], "has no finished run"),
        ([], "required: paths"),
        (["a.png", "--content=coffee"], "results need both --content and --style"),
        (["a.png", "--content=coffee", "--style=strokes", "--again"], "and no --again"),
        (["a.png", "--content=coffee", "--style=strokes"], "a.png: no such file"),
        (["a.png", "--content=coffee", "--style=strokes", "--size=0"], "--size 0: give a number of pixels"),
        (["a", "--json=b"], "--size and --json apply only to results"),
    ],
)
def test_wrong_arguments_are_refused_in_a_line(arguments, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=line):
        parser.run(arguments)


def test_any_images_of_any_size_are_evaluated(pictures, counted, tmp_path, capsys):
    content, style = (str(pictures / f"{name}.png") for name in ("content", "style"))
    other = tmp_path / "small.png"
    images.write(other, GENERATOR.uniform(0, 1, (20, 30, 3)).astype(np.float32))
    arguments = [content, str(other), "--content", content, "--style", style, "--size", "24"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ImageWarning)
        parser.run([*arguments, "--json", str(tmp_path / "metrics.json")])
    assert [str(each.message) for each in caught] == [
        f"{content} has 48×32 pixels: resized to 24×16, as the content",
        f"{other} has 30×20 pixels: resized to 24×16, as the content",
    ]
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert [*written] == ["results", "baselines", "layers", "size", "inputs", "versions"]
    assert written["results"][content] == written["baselines"]["content"]
    assert written["size"] == [24, 16]
    assert written["inputs"][str(other)]["path"] == str(other)
    assert "✗" in capsys.readouterr().out  # the content image is no better than itself


def test_a_result_beats_the_baseline_that_is_not_perfect():
    baselines = {"content": {"style_gram": 0.5, "ssim": 1.0}, "style": {"style_gram": 0.0, "ssim": 0.1}}
    beats = evaluation.table.beats
    assert beats("style_gram", 0.4, baselines)
    assert not beats("style_gram", 0.5, baselines)
    assert beats("ssim", 0.2, baselines)
    assert not beats("ssim", 0.1, baselines)
    assert beats("tv", 9.0, baselines)


def test_a_folder_for_the_figures_is_refused_before_the_work(counted, run, tmp_path):
    with pytest.raises(InputError, match=r"--json .* is a folder: give a file, such as .*metrics.json"):
        parser.run(
            ["--content", "coffee", "--style", "strokes", str(run / "image.png"), "--json", str(tmp_path)]
        )
    assert not counted
