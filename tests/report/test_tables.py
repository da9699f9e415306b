"""The table, compared with Python's own reader and statistics, and the figures."""

import csv
import io
import re
import statistics

import pytest
from PIL import Image

from nst import report
from nst.report import table


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_means_and_deviations_over_inputs_and_seeds(sweep, make):
    rows = read(table.as_csv(report.collect(sweep)))
    assert [(row["loss.style_weight"], row["n"]) for row in rows] == [("60", "4"), ("6000", "1")]
    for name in make.values(0):
        column = [make.values(number)[name] for number in range(4)]
        assert float(rows[0][f"{name}_mean"]) == pytest.approx(statistics.mean(column), rel=1e-12)
        assert float(rows[0][f"{name}_std"]) == pytest.approx(statistics.stdev(column), rel=1e-12, abs=1e-15)
        assert rows[1][f"{name}_std"] == ""


def test_images_are_compared_if_nothing_else_differs(tmp_path, make):
    trials = {name: {"images.style": name} for name in ("strokes", "panes")}
    make.plan(tmp_path, trials)
    for name, overrides in trials.items():
        make.run(tmp_path / "trials" / name, overrides)
    rows = read(table.as_csv(report.collect(tmp_path)))
    assert [row["images.style"] for row in rows] == ["strokes", "panes"]
    assert float(rows[0]["content_mean"]) == 1.0  # without metrics, the terms of the loss


def test_special_characters_of_latex_are_escaped(tmp_path, make):
    names = ["50% & a_b", r"\input{x}", "#$^~{}"]
    make.plan(tmp_path, {f"t{i}": {"features.weights": name} for i, name in enumerate(names)})
    for i, name in enumerate(names):
        make.run(tmp_path / "trials" / f"t{i}", {"features.weights": name}, metrics={"m_1": 1.25e-9})
    text = table.as_latex(report.collect(tmp_path))
    lines = text.splitlines()
    assert lines[0] == r"\begin{tabular}{lrr}"
    assert lines[2] == r"weights & $n$ & m\_1 \\"
    assert lines[4] == r"50\% \& a\_b & 1 & $1.25 \cdot 10^{-9}$ \\"
    assert lines[5].startswith(r"\textbackslash{}input\{x\} & ")
    assert lines[6].startswith(r"\#\$\textasciicircum{}\textasciitilde{}\{\} & ")
    assert all(line.count(" & ") == 2 for line in lines[4:7])


def test_spreads_in_latex(sweep):
    line = table.as_latex(report.collect(sweep)).splitlines()[4]
    mean = r"([\d.]+|\\mathbf\{[\d.]+\})"
    assert re.fullmatch(rf"60 & 4 & (\${mean} \\pm [\d.]+( \\cdot 10\^\{{-?\d+\}})?\$ ?(& )?)+ ?\\\\", line)


COLUMNS = {
    "style_gram": (
        [0.3, 0.1, 0.1000001],
        [False, True, True],
    ),  # lower is better; equally written means are all best
    "style_sliced": ([2e-9, 1.25e-9, 3e-9], [False, True, False]),
    "ssim": ([0.2, 0.7, 0.6], [False, True, False]),  # higher
    "cfsd": ([0.2, None, None], [False, False, False]),  # there is nothing to compare with
    "another": ([1.0, 2.0, 3.0], [False, False, False]),  # not in METRICS: it is unknown which is better
}


@pytest.fixture
def compared(tmp_path, make):
    """Write three trials with the metrics of `COLUMNS`."""
    trials = {f"t{i}": {"loss.style_weight": float(i)} for i in range(3)}
    make.plan(tmp_path, trials)
    for i, (name, overrides) in enumerate(trials.items()):
        metrics = {metric: column[i] for metric, (column, _) in COLUMNS.items() if column[i] is not None}
        make.run(tmp_path / "trials" / name, overrides, metrics=metrics)
    return tmp_path


def test_the_best_is_bold_in_latex(compared):
    lines = table.as_latex(report.collect(compared)).splitlines()[4:7]
    for i, line in enumerate(lines):
        cells = line.removesuffix(r" \\").split(" & ")[2:]
        assert [r"\mathbf" in cell for cell in cells] == [best[i] for _, best in COLUMNS.values()]
    assert r"$\mathbf{1.25 \cdot 10^{-9}}$" in lines[1]


def test_no_term_of_a_loss_is_bold(compared):
    for path in compared.glob("trials/*/evaluation.json"):
        path.unlink()
    text = table.as_latex(report.collect(compared))
    assert "content" in text
    assert r"\mathbf" not in text


def test_csv_has_numbers_alone(compared):
    for row in read(table.as_csv(report.collect(compared))):
        assert all(float(value) >= 0 for value in row.values() if value)


def test_figures_are_vectors_and_the_same_twice(sweep):
    first = {p.name: p.read_bytes() for p in report.write(sweep, figures=True) if p.parent.name == "figures"}
    again = {p.name: p.read_bytes() for p in report.write(sweep, figures=True) if p.parent.name == "figures"}
    assert sorted(first) == sorted(
        f"{n}.{k}" for n in ("curves", "results", "tradeoff") for k in ("pdf", "svg")
    )
    assert first == again
    assert b"<text" not in first["curves.svg"]  # letters are paths: no font is needed
    assert b"/FontFile2" in first["curves.pdf"]
    for name, content in first.items():
        assert b"Date" not in content, name


def test_figures_of_names_that_are_formulas(tmp_path, make):
    trials = {f"t{i}": {"features.weights": name} for i, name in enumerate([r"$\frac$", "$x", "<b>&"])}
    make.plan(tmp_path, trials)
    for name, overrides in trials.items():
        make.run(tmp_path / "trials" / name, overrides, metrics={"content_$": 1.0, "style_^$": 2.0})
    assert len(report.write(tmp_path, figures=True)) == 7


def test_a_sweep_without_results_has_no_figures(tmp_path, make):
    make.plan(tmp_path, {"waiting": {}})
    assert report.write(tmp_path, figures=True, table=True) == [
        tmp_path / name for name in ("report.html", "table.csv", "table.tex")
    ]


def test_a_damaged_image_is_left_out(sweep):
    trial = sorted((sweep / "trials").iterdir())[0]
    (trial / "image.png").write_bytes(b"no picture")
    assert (sweep / "figures" / "results.svg") in report.write(sweep, figures=True)


def test_previews_fit(tmp_path):
    from nst.report.images import SIDE, preview

    Image.effect_noise((1400, 700), 90).convert("RGB").save(tmp_path / "noise.png")
    picture = str(tmp_path / "noise.png")
    large, small = preview(picture, 10**6), preview(picture, 4000)
    assert (large.width, large.height) == (SIDE, SIDE // 2)
    assert len(small.data) <= 4000 * 4 // 3 + 4
    assert small.width < large.width
    (tmp_path / "noise.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert preview(picture, 4000) is None
