"""The notebooks of examples/: their cells run, smaller and shorter than as printed."""

import json
import re
from pathlib import Path

import pytest

from nst import losses

NOTEBOOKS = sorted((Path(__file__).parents[1] / "examples").glob("*.ipynb"))


def cells(path):
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(losses, "STYLE_LOSSES", dict(losses.STYLE_LOSSES))
    names = {}
    for cell in cells(path):
        code = re.sub(r"steps=\d+", "steps=2", "".join(cell["source"]))
        exec(
            compile(re.sub(r"size=\d+", "size=64", code).replace(", 160)", ", 64)"), path.name, "exec"), names
        )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_printed_without_errors(path):
    printed = cells(path)
    assert [cell["execution_count"] for cell in printed] == list(range(1, len(printed) + 1))
    assert not [
        o
        for cell in printed
        for o in cell["outputs"]
        if o["output_type"] == "error" or o.get("name") == "stderr"
    ]
