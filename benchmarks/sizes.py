"""Results of one config at several sizes, resized to the smallest size and measured there."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.programs import ROOT, run_command, watch
from nst import images, record
from nst.arguments import Parser
from nst.errors import InputError
from nst.evaluation.image import of_images


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--config", default="configs/gatys.py", help="a file, relative to the repository")
    parser.add_argument("--sizes", nargs="+", type=int, default=[256, 512, 1024], help="sides, pixels")
    parser.add_argument("--content", default="astronaut", help="a sample or a path")
    parser.add_argument("--style", default="strokes", help="a sample or a path")
    parser.add_argument("--output", type=Path, required=True, help="folder of runs, figures and sizes.png")


def compare(config: str, sizes: Sequence[int], content: str, style: str, output: Path) -> None:
    """Print the metrics at each size and their largest difference, and write the results side by side.

    Raises:
      InputError: An image can't be read.
      RunError: A run failed.
    """
    if min(sizes) < 1:
        raise InputError(f"--sizes {' '.join(map(str, sizes))}: give numbers of pixels above 0")
    for name in (content, style):
        images.read(name)  # raises before the first run if it can't be read
    results = {size: _result(config, content, style, size, output) for size in sorted(sizes)}
    smallest = min(sizes)
    resized = {size: images.fit(images.read(path), smallest) for size, path in results.items()}
    paths = {size: output / f"{size}-at-{smallest}.png" for size in results}
    for size, path in paths.items():
        images.write(path, resized[size])
    figures = of_images(content, style, list(paths.values()), smallest)["results"]
    rows = {size: figures[str(path)] for size, path in paths.items()}
    record.write_json(output / "sizes.json", {str(size): row for size, row in rows.items()})
    images.write(output / "sizes.png", np.concatenate(list(resized.values()), axis=1))
    Console().print(table(rows, config))


def _result(config: str, content: str, style: str, size: int, output: Path) -> Path:
    """Return the path of the result at a size; run the config unless the result exists."""
    folder = output / str(size)
    if not (folder / "run" / "done").exists():
        changes = {"images.content": content, "images.style": style, "images.size": size}
        watch(run_command(ROOT / config, changes, folder / "run"), folder, environment={})
    return folder / "run" / "image.png"


def table(rows: Mapping[int, Mapping[str, float]], title: str) -> Table:
    """Return a row for each metric: its values by size, and the largest difference from their mean, relative to it."""
    result = Table("", *(f"{size} pixels" for size in rows), "largest difference", title=title)
    for metric in next(iter(rows.values())):
        values = [row[metric] for row in rows.values()]
        mean = float(np.mean(values))
        part = max(abs(value - mean) for value in values) / abs(mean) if mean else 0.0
        result.add_row(metric, *(f"{value:.3g}" for value in values), f"{100 * part:.0f} %")
    return result
