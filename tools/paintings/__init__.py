"""Three paintings to use as style images, drawn by this code: `python -m tools.paintings FOLDER`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from nst.files import replacing
from tools.paintings import hatching, panes, strokes
from tools.paintings.fields import Array, halve

#: Functions that draw a painting, by name. Their argument is the scale, in pixels per design pixel.
PAINTINGS: dict[str, Callable[[float], Array]] = {
    "strokes": strokes.draw,
    "panes": panes.draw,
    "hatching": hatching.draw,
}

_QUALITY = 86


def draw(name: str, scale: float = 1.0) -> Array:
    """Draw a painting, `[h, w, 3]` in [0, 1], at `scale` times 768×1024; each pixel is the mean of four."""
    return halve(PAINTINGS[name](2 * scale))


def save(name: str, folder: Path) -> Path:
    """Draw a painting to `folder`/`name`.jpg and return that path."""
    pixels = (255 * draw(name) + 0.5).astype(np.uint8)
    path = folder / f"{name}.jpg"
    with replacing(path) as beside:
        PillowImage.fromarray(pixels).save(beside, quality=_QUALITY, subsampling=0, optimize=True)
    return path
