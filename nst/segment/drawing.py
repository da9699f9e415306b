"""Images of regions: a label image in flat colors, and a preview with a legend."""

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from jaxtyping import UInt8

from nst import images
from nst.segment.regions import Labels, enlarged
from nst.types import Image

#: The colors of regions, as far apart as 20 can be (Sasha Trubetskoy, List of 20 simple, distinct colors, 2017).
COLORS = (
    *(
        "#e6194b",
        "#3cb44b",
        "#ffe119",
        "#4363d8",
        "#f58231",
        "#911eb4",
        "#42d4f4",
        "#f032e6",
        "#bfef45",
        "#fabed4",
    ),
    *(
        "#469990",
        "#dcbeff",
        "#9a6324",
        "#fffac8",
        "#800000",
        "#aaffc3",
        "#808000",
        "#ffd8b1",
        "#000075",
        "#a9a9a9",
    ),
)

_LONGEST = 768  # side of the image in a preview, in pixels
_ROW, _LEGEND, _MARGIN = 28, 190, 8  # pixels


def shares(labels: Labels) -> np.ndarray:
    """Return the share of an image that has each label, for all of `COLORS`; the sum is 1."""
    return np.bincount(labels.ravel(), minlength=len(COLORS)) / labels.size


def colored(labels: Labels) -> UInt8[np.ndarray, "h w 3"]:
    """Return a label image: each pixel has the color of its region, `COLORS[label]`."""
    palette = [tuple(bytes.fromhex(color[1:])) for color in COLORS]
    return np.array(palette, np.uint8)[labels]


def preview(image: Image, labels: Labels) -> PIL.Image.Image:
    """Return the image tinted by its regions, with their borders, beside a legend of colors and shares.

    Args:
      image: `[h, w, 3]`.
      labels: The region of each pixel, `[h, w]`.
    """
    small = images.fit(image, _LONGEST)
    regions = enlarged(labels, *small.shape[:2])
    tinted = _tinted(small, regions)
    size = tinted.width + _LEGEND, max(tinted.height, _ROW * len(np.unique(labels)) + _MARGIN)
    canvas = PIL.Image.new("RGB", size, "white")
    canvas.paste(tinted)
    _draw_legend(canvas, tinted.width + _MARGIN, shares(labels))
    return canvas


def _tinted(image: Image, labels: Labels) -> PIL.Image.Image:
    from skimage.segmentation import find_boundaries  # half a second to import

    mixed = (np.clip(image, 0, 1) * 255 + colored(labels)) / 2
    mixed[find_boundaries(labels)] = 255
    return PIL.Image.fromarray(np.rint(mixed).astype(np.uint8))


def _draw_legend(canvas: PIL.Image.Image, left: int, shares: np.ndarray) -> None:
    draw, font = PIL.ImageDraw.Draw(canvas), PIL.ImageFont.load_default(size=16)
    for row, k in enumerate(np.flatnonzero(shares)):
        top = _MARGIN + row * _ROW
        draw.rectangle((left, top, left + 20, top + 20), fill=COLORS[k], outline="black")
        draw.text((left + _ROW, top), f"{COLORS[k]}  {shares[k]:.1%}", fill="black", font=font)
