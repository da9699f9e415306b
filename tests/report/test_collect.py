"""The data of a report on sweeps and runs, also on damaged and unfinished ones."""

import json
import shlex
import shutil

import pytest

from nst import cli, report, runs
from nst.config import base, fields
from nst.errors import InputError
from nst.report.collect import command, thin
from nst.report.varied import varied, where
from nst.runs.follow import RULES, as_tuples, recorded


def test_a_sweep(sweep, make):
    data = report.collect(sweep)
    assert data["kind"] == "sweep"
    assert data["title"] == "style weight × style × seed"
    assert [field["name"] for field in data["fields"]] == [
        "loss.style_weight",
        "images.style",
        "images.seed",
    ]
    assert [field["replicate"] for field in data["fields"]] == [False, True, True]
    assert [trial["state"] for trial in data["trials"]] == ["done"] * 5 + ["begun", "failed", "waiting"]
    third = data["trials"][3]
    assert third["at"] == [0, 1, 1]
    assert third["metrics"] == make.values(3)
    assert third["baselines"] == make.baselines
    assert third["terms"] == {"loss": pytest.approx(1000 / 151 + 3), "content": 4.0, "style": 5.0, "tv": 0.0}
    assert (third["step"], third["total"]) == (150, 160)
    assert data["trials"][6]["error"] == "step 4: the loss is not finite"
    assert data["metrics"] == ["style_gram", "content_cosine", "ssim"]
    json.dumps(data, allow_nan=False)


def test_an_error_is_listed_once_with_all_of_its_trials(tmp_path, make):
    errors = ["memory ran out", "the disk is full", "the disk is full", None, "the disk is full "]
    trials = {f"t{i}": {"images.seed": i} for i in range(len(errors))}
    make.plan(tmp_path, trials)
    for name, error in zip(trials, errors, strict=True):
        if error is not None:
            make.fail(tmp_path, name, error)
    assert report.collect(tmp_path)["failures"] == [
        {"error": "the disk is full", "trials": [1, 2]},
        {"error": "memory ran out", "trials": [0]},
        {"error": "the disk is full ", "trials": [4]},
    ]


def test_each_input_is_shown_once_and_a_run_under_way_by_its_latest_frame(sweep):
    data = report.collect(sweep)
    trials, pictures = data["trials"], data["images"]
    assert len(pictures) == 1 + 2 + 6  # a content, two styles, six results
    assert len({trial["inputs"]["content"] for trial in trials[:5]}) == 1
    assert pictures[trials[5]["result"]].endswith("frames/000000.png")
    assert trials[5]["frame"] == "frames/000000.png"
    assert (trials[6]["result"], trials[7]["result"]) == (None, None)


def test_a_single_run(tmp_path, make):
    make.run(tmp_path / "alone", {"images.seed": 3})
    data = report.collect(tmp_path / "alone")
    assert (data["kind"], data["title"], data["fields"]) == ("run", "alone", [])
    assert data["trials"][0]["folder"] == "."
    assert data["unevaluated"] == 1
    assert {"name": "images.seed", "value": "3", "default": False} in data["settings"]


def test_runs_of_a_folder_of_images_differ_in_the_image(tmp_path, make):
    for number, name in enumerate(("a", "b")):
        make.run(tmp_path / "many" / name, {"images.content": "/elsewhere/photos"}, number=number)
        path = tmp_path / "many" / name / "config.json"
        facts = json.loads(path.read_text())
        facts["inputs"]["content"]["path"] = f"/elsewhere/photos/{name}.jpg"
        path.write_text(json.dumps(facts))
    data = report.collect(tmp_path / "many")
    assert data["fields"][0]["labels"] == ["a", "b"]
    assert "--config.images.content=/elsewhere/photos/b.jpg" in data["trials"][1]["command"]


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "evaluation.json"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"metrics": 3, "config": {}, "step": NaN}',
        b'{"config": [1], "inputs": 2, "baselines": []}',
    ],
)
def test_a_damaged_file_is_ignored(sweep, name, content):
    trial = sorted((sweep / "trials").iterdir())[0]
    (trial / name).write_bytes(content)
    data = report.collect(sweep)
    assert len(data["trials"]) == 8
    json.dumps(data, allow_nan=False)


def test_values_that_are_not_finite_are_left_out(tmp_path, make):
    make.run(tmp_path / "run", metrics={"a": float("nan"), "b": float("inf"), "c": 1.5, "d": "x", "e": True})
    assert report.collect(tmp_path / "run")["trials"][0]["metrics"] == {"c": 1.5}


@pytest.mark.parametrize("made", [False, True])
def test_a_directory_without_runs_is_refused(tmp_path, made):
    folder = tmp_path / "empty"
    if made:
        folder.mkdir()
    with pytest.raises(InputError, match="holds neither a sweep nor a run") as caught:
        report.collect(folder)
    assert "\n" not in str(caught.value)


def test_trials_without_run_directories_are_still_listed(sweep):
    shutil.rmtree(sweep / "trials")
    assert [trial["state"] for trial in report.collect(sweep)["trials"]].count("waiting") == 7


def test_a_curve_keeps_its_ends():
    lines = [{"step": i, "loss": 1 / 3 + i} for i in range(1001)]
    curve = thin(lines, 200)
    assert len(curve["step"]) == 200
    assert (curve["step"][0], curve["step"][-1]) == (0, 1000)
    assert curve["loss"][0] == 0.33333
    assert thin(lines[:3], 200)["step"] == [0, 1, 2]
    assert thin([], 200) == {}


def test_images_are_labeled_by_file_name_unless_two_are_the_same():
    configs = [{"images.content": f"tfds:mine/train#{i}"} for i in range(2)]
    (field,) = varied(configs, {"tfds:mine/train#0": "cat", "tfds:mine/train#1": "dog"})
    assert field["labels"] == ["cat", "dog"]
    (field,) = varied(configs, {"tfds:mine/train#0": "cat", "tfds:mine/train#1": "cat"})
    assert field["labels"] == ["tfds:mine/train#0", "tfds:mine/train#1"]


def test_a_field_that_changes_with_another_comes_last():
    runs = [
        {"loss.style_layers": layers, "loss.style_layer_weights": weights, "loss.content_layers": content}
        for layers, weights in ((["a"], [1.0]), (["a", "b"], [1.0, 0.5]))
        for content in ("c", "d")
    ]
    varying = varied(runs)
    assert [(field["label"], field["follows"]) for field in varying] == [
        ("style layers", False),
        ("content layers", False),
        ("style layer weights", True),
    ]
    runs[-1]["loss.style_layer_weights"] = [2.0]
    assert not any(field["follows"] for field in varied(runs))


def test_a_field_that_follows_without_being_set_comes_last():
    """The default learning rate of Adam differs from that of both forms of L-BFGS."""
    names = ("lbfgs", "lbfgs_pyramid", "adam")
    trials = [
        {"optimizer.name": name, "images.content": content}
        for name in names
        for content in ("a.png", "b.png")
    ]
    configs = [recorded(dict(fields(base())) | trial) for trial in trials]
    follows = [(field["name"], field["follows"]) for field in varied(configs)]
    assert follows == [
        ("images.content", False),
        ("optimizer.name", False),
        ("loss.resample", True),
        ("optimizer.learning_rate", True),
    ]
    configs[0] |= {"optimizer.learning_rate": 0.5, "loss.resample": True}
    assert not any(field["follows"] for field in varied(configs))


def test_values_have_short_labels_unless_two_are_the_same():
    configs = [{"a.x": "/one/p.png", "b.x": 1e6}, {"a.x": "/two/p.png", "b.x": 5.0}, {"a.x": "q"}]
    varying = varied(configs)
    assert [field["label"] for field in varying] == ["a.x", "b.x"]
    assert varying[0]["labels"] == ["/one/p.png", "/two/p.png", "q"]
    assert varying[1]["labels"] == ["5", "1e+06"]
    assert where(varying, configs) == [[0, 1], [1, 0], [2, -1]]


CHANGES = [
    {},
    {"images.content": "a b'\"$(x)`;=ü.png", "images.seed": 7},
    {"images.content": "<script>alert(1)</script>", "images.init": "noise"},
    {"loss.style_layers": ("relu1_1",), "loss.style_layer_weights": ()},
    {"loss.style_layers": ("relu1_1", "relu2_1"), "loss.style_layer_weights": (0.1, 1e-7)},
    {"features.normalise": True, "loss.tv_weight": 0.0, "loss.style_weight": 1 / 3},
    {"pyramid.scales": (), "images.size": 64, "optimizer.name": "adam", "optimizer.learning_rate": 0.02},
    {"run.writers": ("tensorboard",)},
]


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_the_command_gives_the_config_back(changes, monkeypatch):
    stored = recorded(dict(fields(base())) | changes)
    program, script, *arguments = shlex.split(command(stored))
    assert (program, script) == ("nst", "run")
    parsed = {}
    monkeypatch.setattr("sys.argv", [script, *arguments])  # where ml_collections looks for overrides
    monkeypatch.setattr(runs, "run", lambda config, *_, **__: parsed.update(fields(config)) or [])
    cli.run(arguments)
    assert {name for name, value in parsed.items() if value is None} <= set(RULES["image"])
    parsed, expected = as_tuples(recorded(parsed)), as_tuples(stored)
    assert parsed == expected
    assert {name: type(value) for name, value in parsed.items()} == {n: type(v) for n, v in expected.items()}


@pytest.mark.parametrize(
    ("modality", "changes", "flags"),
    [
        ("image", {}, []),
        ("image", {"images.size": 512}, ["images.size=512"]),
        ("image", {"images.size": 512, "pyramid.scales": ()}, ["images.size=512", "pyramid.scales=(512,)"]),
        ("image", {"optimizer.name": "adam"}, ["optimizer.name=adam"]),
        ("image", {"loss.style_layers": ("relu1_1",)}, ["loss.style_layers=('relu1_1',)"]),
        ("audio", {"audio.method": "waveform"}, ["audio.method=waveform"]),
    ],
)
def test_the_command_leaves_out_fields_that_follow(modality, changes, flags):
    stored = recorded(dict(fields(base(modality))) | changes)
    assert shlex.split(command(stored))[4:] == [f"--config.{flag}" for flag in flags]


def test_values_that_follow_are_no_changes(tmp_path, make):
    make.run(tmp_path / "run", {"images.size": 512})
    (folder,) = tmp_path.iterdir()
    settings = {row["name"]: row for row in report.collect(folder)["settings"]}
    assert settings["pyramid.scales"] == {"name": "pyramid.scales", "value": "128, 256, 512", "default": True}
    assert settings["features.network"]["default"]
    assert [name for name, row in settings.items() if not row["default"]] == ["images.size"]


def with_regions(make, folder):
    """Write a run of two styles with a colored mask, which has the file of the second style in another folder."""
    make.run(folder, {"images.style": "/a/one.png,/b/two.png", "images.content_mask": "/c/parts.png"})
    path = folder / "config.json"
    facts = json.loads(path.read_text())
    paths = {"style": "/a/one.png", "style_2": "/b/two.png", "content_mask": "/c/parts.png"}
    facts["inputs"] |= {name: {"path": value, "sha256": value} for name, value in paths.items()}
    facts["inputs"]["weights"] = {"path": "random", "sha256": None}
    path.write_text(json.dumps(facts))
    for name in ("style_2", "content_mask"):
        shutil.copy(folder / "style.png", folder / f"{name}.png")


def test_every_style_and_mask_is_an_input(tmp_path, make):
    with_regions(make, tmp_path / "regions")
    make.run(tmp_path / "whole")
    data = report.collect(tmp_path)
    regions, whole = data["trials"]
    assert data["inputs"] == ["content", "style", "style_2", "content_mask"]
    for name in data["inputs"]:
        assert data["images"][regions["inputs"][name]].endswith(f"regions/{name}.png")
    assert {*whole["inputs"]} == {"content", "style"}
    assert regions["sources"] == {
        "content": "coffee",
        "style": "one",
        "style_2": "two",
        "content_mask": "parts",
    }
    assert whole["sources"] == {}
    assert {"style_2.png", "content_mask.png"} <= {*regions["files"]}


@pytest.mark.parametrize("inputs", [{"style_2": 3}, {"style_2": {"path": None}}, {"keep": {}}, [1], None])
def test_damaged_records_of_styles_and_masks_are_ignored(tmp_path, make, inputs):
    make.run(tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    facts = json.loads(path.read_text())
    facts["inputs"] = facts["inputs"] | inputs if isinstance(inputs, dict) else inputs
    path.write_text(json.dumps(facts))
    json.dumps(report.collect(tmp_path / "run"), allow_nan=False)
