import re
from pathlib import Path

import pytest

from nst import audio, config, images, metrics

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CONFIG = (ROOT / "docs" / "config.md").read_text("utf-8")
METRICS = (ROOT / "docs" / "metrics.md").read_text("utf-8")
AUDIO = (ROOT / "docs" / "audio.md").read_text("utf-8")
VIDEO = (ROOT / "docs" / "video.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("text", "modality"), [(CONFIG, "image"), (AUDIO, "audio")])
def test_the_table_of_fields_is_that_of_the_schema(text, modality):
    assert f"\n\n{config.table(modality)}\n\n" in text, "run .ci/tables"
    assert len(config.table(modality).splitlines()) == 2 + len(config.defaults(modality))


def test_the_table_of_fields_of_video_leaves_out_those_of_images():
    table = config.table("video", without="image")
    assert f"\n\n{table}\n\n" in VIDEO, "run .ci/tables"
    named = re.findall(r"^\| `([\w.]+)`", table, re.MULTILINE)
    assert {*named, *config.defaults("image")} >= {*config.defaults("video")}


def test_the_table_of_metrics_is_that_of_their_definitions():
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \| (lower|higher) \| (.+?) \| (.+?) \| (.+?) \|$", METRICS, re.MULTILINE
    )
    defined = {
        name: (m.what, m.better, m.range, m.baseline or "—", m.source)
        for name, m in metrics.ALL_METRICS.items()
    }
    assert {name: tuple(rest) for name, *rest in rows} == defined


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_the_files_that_it_links_exist(page):
    path = ROOT / page
    links = re.findall(r"\]\((?!https:)([^)#]+)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_the_fields_that_it_names_exist(page):
    known = {*config.defaults("image"), *config.defaults("audio"), *config.defaults("video"), "FIELD"}
    text = (ROOT / page).read_text("utf-8")
    assert {*re.findall(r"--config\.([\w.]+)=", text)} - known == set()
    groups = {name.partition(".")[0] for name in known if "." in name}
    named = re.findall(rf"`((?:{'|'.join(groups)})\.\w+)[=`]", text)
    assert {name for name in named if not (ROOT / name).exists()} - known <= {
        "audio.wav",
        "image.png",
        "video.mp4",
    }


@pytest.mark.slow
def test_the_python_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example, *_ = EXAMPLES
    quick = example.replace("size=256, steps=100", "size=32, steps=0")
    assert quick != example
    names = {}
    exec(compile(quick, "README.md", "exec"), names)
    assert names["image"].shape == images.read("./coffee.png").shape == (21, 32, 3)
    shapes = {layer: value.shape for layer, value in names["features"].items()}
    assert shapes == {"relu4_2": (37, 56, 512), "pool4": (18, 28, 512)}


@pytest.mark.slow
def test_the_python_example_of_video_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    *_, example = EXAMPLES
    quick = example.replace("size=256", "size=32, end=0.1, steps=1, frame_steps=1")
    assert quick != example
    exec(compile(quick, "README.md", "exec"), {})
    assert [path.name for path in sorted(tmp_path.glob("*.png"))] == ["0000.png", "0001.png", "0002.png"]


@pytest.mark.slow
def test_the_python_example_of_audio_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, example, _ = EXAMPLES
    quick = example.replace("steps=100", "steps=1, filters=4, phase_steps=1, optimizer='adam'").replace(
        "22_050", "4_000"
    )
    assert "phase_steps" in quick
    names = {}
    exec(compile(quick, "README.md", "exec"), names)
    assert names["samples"].shape == audio.read("melody", rate=4000).samples.shape
    assert audio.read("result.wav").samples.shape == names["samples"].shape
