import ast
import re
from pathlib import Path

from nst import config, metrics

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
METRICS = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text("utf-8")


def test_table_lists_every_field_with_its_default():
    rows = re.findall(r"^\| `(\w+\.\w+)` \| `(.+?)` \|", README, re.MULTILINE)
    assert {name: ast.literal_eval(default) for name, default in rows} == dict(config.fields(config.base()))


def test_table_lists_every_metric_as_it_is_defined():
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \| (lower|higher) \| (.+?) \| (.+?) \| (.+?) \|$", METRICS, re.MULTILINE
    )
    defined = {
        name: (m.what, m.better, m.range, m.baseline or "—", m.source)
        for name, m in (metrics.METRICS | metrics.SOUND_METRICS).items()
    }
    assert {name: tuple(rest) for name, *rest in rows} == defined


def test_the_files_it_points_to_exist():
    links = re.findall(r"\]\(([^):]+)\)", README)
    assert [link for link in links if not Path(__file__).parents[1].joinpath(link).exists()] == []


def test_the_python_example_runs():
    (example,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    quick = example.replace("size=256, steps=100", "size=32, steps=0")
    assert quick != example
    names = {}
    exec(compile(quick, "README.md", "exec"), names)
    assert names["picture"].shape == (21, 32, 3)
    shapes = {layer: value.shape for layer, value in names["features"].items()}
    assert shapes == {"relu4_2": (37, 56, 512), "pool4": (18, 28, 512)}
