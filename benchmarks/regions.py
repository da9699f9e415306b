"""Cost of regions: a loss and gradient with three styles in three regions, beside one style.

On a CPU the time is that of the processors, which other programs on the machine change little.
"""

import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.losses import in_turns
from nst import features, files, images, losses
from nst.arguments import Parser
from nst.guided import guided
from nst.objective import Objective
from nst.transfer.settings import completed
from nst.types import Mask, Style

_STYLES = ("strokes", "panes", "hatching")


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--losses", nargs="+", default=["gram", "wasserstein"], metavar="NAME", dest="names")
    parser.add_argument("--size", type=int, default=512, help="longest side, pixels")
    parser.add_argument("--rounds", type=int, default=5, help="timed evaluations of each")
    parser.add_argument("--content", default="coffee", help="a sample or a path")
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")


def divisions(height: int, width: int) -> dict[str, list[Mask]]:
    """Return divisions of an image into three regions.

    `columns` are thirds of the width, whose bounding boxes are apart. `rings` are a disk, a ring around it and the
    rest: the bounding box of the last one is the whole image.
    """
    y, x = np.mgrid[:height, :width]
    column = 3 * x // width
    radius = np.hypot(y - height / 2, x - width / 2) / min(height, width)
    ring = np.digitize(radius, [0.25, 0.45])
    return {
        name: [np.asarray(labels == i, np.float32) for i in range(3)]
        for name, labels in {"columns": column, "rings": ring}.items()
    }


def problems(content: Any, size: int, name: str) -> dict[str, tuple[jax.Array, Objective]]:
    """Return the image and the objective of one style, and of three in each division; `name` is a style loss."""
    whole = features.load()
    settings = completed(whole, {"style_loss": name, "resample": False})
    network = whole.freeze(losses.layers(settings))
    image = jnp.asarray(images.fit(content, size))
    styles = [Style(images.fit(images.read(style), size)) for style in _STYLES]
    masks = divisions(*image.shape[:2])
    several = {
        key: [style._replace(content_mask=mask) for style, mask in zip(styles, regions, strict=True)]
        for key, regions in masks.items()
    }
    return {
        key: (image, guided(network, image, each, settings))
        for key, each in {"one style": styles[:1], **several}.items()
    }


def compare(names: Sequence[str], size: int, rounds: int, content: str, output: Path | None) -> None:
    """Print the milliseconds of each and their ratio to one style without masks."""
    source, facts = images.read(content), {}
    clock = time.process_time if jax.default_backend() == "cpu" else time.perf_counter
    table = Table(
        "loss", "one style", "columns", "rings", title=f"ms at {size} pixels, and ratio to one style"
    )
    for name in names:
        seconds = in_turns(problems(source, size, name), rounds, clock)
        facts[name] = seconds
        medians = [statistics.median(each) for each in seconds.values()]
        table.add_row(name, *(f"{1e3 * s:.0f} ({s / medians[0]:.2f})" for s in medians))
    Console().print(table)
    if output:
        files.write_bytes(output, (json.dumps(facts, indent=2) + "\n").encode())
