"""Make the gallery at the top of README: photographs by paintings, each by the command that README shows.

python tools/gallery.py FOLDER FILE
    FOLDER has the runs, those that are there are kept; FILE is the sheet that is written.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

from nst import images

CONFIG = "configs/gatys.py"
PHOTOGRAPHS = ("astronaut", "chelsea", "tubingen")
PAINTINGS = ("starry_night", "strokes", "panes")

_SIDE, _SMALL, _GAP = 300, 120, 6


def main(folder: Path, sheet: Path) -> None:
    """Run all pairs that are not there yet, and write the sheet."""
    columns = [[_cell(name, _SMALL)] for name in PAINTINGS]
    for column, style in zip(columns, PAINTINGS, strict=True):
        column += [_cell(_made(folder, content, style), _SIDE) for content in PHOTOGRAPHS]
    corner = np.ones((_SMALL, _SMALL, 3), np.float32)
    inputs = [corner, *(_cell(name, _SMALL) for name in PHOTOGRAPHS)]
    images.write(sheet, np.concatenate([_stacked(inputs), *map(_stacked, columns)], axis=1))


def _made(folder: Path, content: str, style: str) -> str:
    """Return the path of a result."""
    run = folder / f"{content}-{style}"
    if not (run / "done").exists():
        fields = {"images.content": content, "images.style": style}
        flags = [f"--config.{name}={value}" for name, value in fields.items()]
        script = str(Path(__file__).parents[1] / "scripts" / "run.py")
        subprocess.run([sys.executable, script, f"--config={CONFIG}", *flags, f"--workdir={run}"], check=True)
    return str(run / "image.png")


def _cell(picture: str, side: int) -> np.ndarray:
    """Return the middle of an image, `side` pixels square, in a frame."""
    image = images.cover(images.read(picture), side, side)
    return np.pad(image, ((_GAP, _GAP), (_GAP, _GAP), (0, 0)), constant_values=1.0)


def _stacked(cells: list[np.ndarray]) -> np.ndarray:
    """Return cells below each other, centered, as wide as the widest."""
    width = max(cell.shape[1] for cell in cells)
    heights = [_SMALL + 2 * _GAP] + [_SIDE + 2 * _GAP] * (len(cells) - 1)
    framed = []
    for cell, height in zip(cells, heights, strict=True):
        down, right = height - cell.shape[0], width - cell.shape[1]
        margins = ((down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0))
        framed.append(np.pad(cell, margins, constant_values=1.0))
    return np.concatenate(framed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
