"""`nst evaluate` of runs with several styles, regions and kept parts: what is measured, recorded and printed."""

import json
import shutil

import numpy as np
import pytest

from nst import evaluation, images, metrics, report, runs
from nst.commands.evaluate import parser
from nst.config import base
from nst.errors import InputError

GENERATOR = np.random.default_rng(0)
SMALL = {
    "images.size": 24,
    "features.weights": "random",
    "loss.content_layers": ("relu2_1",),
    "loss.style_layers": ("relu1_1",),
    "loss.style_layer_weights": (),
    "pyramid.scales": (),
    "optimizer.steps": 2,
    "optimizer.name": "adam",
}
REGIONS = {"images.regions": ("red", "blue"), "images.keep": "white", "images.style_scales": (1.0, 0.75)}


@pytest.fixture(scope="module", autouse=True)
def weights(pointwise):
    """Replace the network of every evaluation by one that compiles in a moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation.image, "network", lambda: pointwise)
        patch.setattr(evaluation.image, "_WEIGHTS", "random")
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("content", "a", "b"):
        images.write(folder / f"{name}.png", GENERATOR.uniform(0, 1, (32, 48, 3)).astype(np.float32))
    mask = np.zeros((32, 48, 3), np.float32)
    mask[:, :24, 0], mask[:, 24:, 2] = 1, 1
    mask[8:24, 12:20] = 1
    images.write(folder / "regions.png", mask)
    return folder


@pytest.fixture(scope="module")
def made(pictures, tmp_path_factory):
    config = base()
    config.update_from_flattened_dict(SMALL | REGIONS)
    config.images.content, config.images.content_mask = f"{pictures}/content.png", f"{pictures}/regions.png"
    config.images.style = f"{pictures}/a.png,{pictures}/b.png"
    folder = tmp_path_factory.mktemp("made") / "run"
    runs.run(config, folder)
    return folder


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


def test_a_run_with_regions_is_evaluated_and_its_matrix_printed(run, capsys):
    parser.run([str(run)])
    written = json.loads((run / "evaluation.json").read_text())
    assert [*written["inputs"]] == ["result", "content", "style", "style_2", "content_mask", "weights"]
    assert {"style_gram.style_1", "palette.style_2", "ssim"} < {*written["metrics"]}
    assert written["metrics"]["keep_difference"] <= 0.51 / 255
    assert [*written["metrics"]] == [*written["baselines"]["style"]]
    output = capsys.readouterr().out
    _, distances = metrics.matrix(written["metrics"])
    row = next(line for line in output.splitlines() if "region 2" in line)
    assert row.split()[-2:] == [f"{value:.3g}" for value in distances[1]]
    assert output.count("baseline: style") == 7  # two tables for each style, content, others, and the matrix
    for title in ("style 1", "style 2", "keep", "difference"):
        assert title in output


def test_metrics_are_of_the_styles_and_masks_as_the_run_saw_them(run, pictures, monkeypatch):
    seen = {}

    def evaluate(content, styles, results, *, extractor, style_layers, keep):
        seen.update(content=content, styles=styles, keep=keep)
        return {name: {} for name in (*results, "content", "style")}

    monkeypatch.setattr(evaluation.image, "evaluate", evaluate)
    evaluation.of_runs([run])
    for style, name, longest, color in zip(seen["styles"], "ab", (24, 18), (0, 2), strict=True):
        np.testing.assert_array_equal(style.image, images.fit(images.read(pictures / f"{name}.png"), longest))
        pixels = images.read(pictures / "regions.png")
        region = (pixels[..., color] == 1) & (pixels[..., 1] == 0)
        np.testing.assert_array_equal(
            style.content_mask, images.resize_mask(region.astype(np.float32), (16, 24))
        )
    white = images.read(pictures / "regions.png").min(-1)
    np.testing.assert_array_equal(seen["keep"], images.resize_mask(white, (16, 24)))


def test_a_kept_part_that_has_changed_is_reported(run):
    result = images.read(run / "image.png")
    result[8, 8] = 1 - np.round(images.read(run / "content.png")[8, 8])
    images.write(run / "image.png", result)
    figures = evaluation.of_runs([run])[str(run)]
    assert figures["metrics"]["keep_difference"] > 0.4


def test_runs_of_regions_are_evaluated_once_and_again_if_a_mask_changes(run, pictures, monkeypatch):
    first = evaluation.of_runs([run])
    with monkeypatch.context() as patch:
        patch.setattr(evaluation.image, "evaluate", None)  # not called
        assert evaluation.of_runs([run]) == first
    facts = json.loads((run / "config.json").read_text())
    other = run / "other.png"
    images.write(other, images.read(pictures / "regions.png")[::-1, ::-1])
    facts["inputs"]["content_mask"]["path"] = str(other)
    (run / "config.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"other.png is no longer the content_mask image of the run"):
        evaluation.of_runs([run])


@pytest.mark.parametrize("name", ["style", "style_2", "content_mask"])
def test_files_that_were_moved_are_found_by_the_config(run, name):
    facts = json.loads((run / "config.json").read_text())
    expected = facts["inputs"][name]["path"]
    facts["inputs"][name]["path"] = f"/gone/{name}.png"
    (run / "config.json").write_text(json.dumps(facts))
    assert evaluation.of_runs([run])[str(run)]["inputs"][name]["path"] == expected


def test_a_sweep_over_one_and_several_styles_is_evaluated(made, run, pictures, tmp_path):
    one = shutil.copytree(made, tmp_path / "one")
    facts = json.loads((one / "config.json").read_text())
    for name in ("style_2", "content_mask"):
        del facts["inputs"][name]
    facts["config"]["images"] |= {
        "style": f"{pictures}/a.png",
        "content_mask": "",
        "regions": [],
        "keep": "",
        "style_scales": [],
    }
    (one / "config.json").write_text(json.dumps(facts))
    evaluated = evaluation.of_runs(evaluation.runs(tmp_path))
    alone, several = (evaluated[str(folder)]["metrics"] for folder in (one, run))
    assert [*alone] == metrics.names(("relu1_1",))
    assert metrics.matrix(alone) is None
    assert metrics.matrix(several) is not None
    data = report.collect(tmp_path)
    assert {*alone, *several} == {*data["metrics"]}
    assert data["axes"]["metrics"] == ("content_cosine", "style_gram_held_out")
    assert data["better"]["palette.style_2"] == "lower"
    assert not any(".region_" in name for name in data["better"])
    report.write(tmp_path, table=True, figures=True)


def test_a_matched_region_of_each_color_is_a_style(pictures, tmp_path):
    config = base()
    config.update_from_flattened_dict(SMALL)
    config.images.content, config.images.style = f"{pictures}/content.png", f"{pictures}/a.png"
    config.images.content_mask = config.images.style_mask = f"{pictures}/regions.png"
    runs.run(config, tmp_path / "run")
    figures = evaluation.of_runs([tmp_path / "run"])[str(tmp_path / "run")]
    assert metrics.matrix(figures["metrics"])[1].shape == (3, 3)
    assert [*figures["inputs"]] == ["result", "content", "style", "content_mask", "style_mask", "weights"]
