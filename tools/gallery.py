"""Make the gallery at the top of README: each photograph in the style of each painting, by the command in README.

python tools/gallery.py FOLDER FILE
    FOLDER has the runs, and finished ones are reused; FILE is the sheet to write.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.programs import ROOT, run_command
from nst import images

PHOTOGRAPHS = ("astronaut", "chelsea", "tubingen")
PAINTINGS = ("starry_night", "strokes", "panes")

_SIDE, _SMALL, _GAP = 300, 120, 6


def main(folder: Path, sheet: Path) -> None:
    """Run all pairs that are not finished, and write the sheet."""
    columns = [[_cell(name, _SMALL)] for name in PAINTINGS]
    for column, style in zip(columns, PAINTINGS, strict=True):
        column += [_cell(_result(folder, content, style), _SIDE) for content in PHOTOGRAPHS]
    corner = np.ones((_SMALL, _SMALL, 3), np.float32)
    inputs = [corner, *(_cell(name, _SMALL) for name in PHOTOGRAPHS)]
    images.write(sheet, np.concatenate([_stack(inputs), *map(_stack, columns)], axis=1), quality=85)


def _result(folder: Path, content: str, style: str) -> str:
    """Return the path of a result; run the command unless it is finished."""
    run = folder / f"{content}-{style}"
    if not (run / "done").exists():
        changes = {"images.content": content, "images.style": style}
        subprocess.run(run_command(ROOT / "configs" / "gatys.py", changes, run), check=True)
    return str(run / "image.png")


def _cell(name: str, side: int) -> np.ndarray:
    """Return the central square of an image, `side` pixels wide, in a white frame."""
    image = images.cover(images.read(name), side, side)
    return np.pad(image, ((_GAP, _GAP), (_GAP, _GAP), (0, 0)), constant_values=1.0)


def _stack(cells: list[np.ndarray]) -> np.ndarray:
    """Return the cells below each other, centered, as wide as the widest."""
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
