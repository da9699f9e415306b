"""Propose regions of an image, as a mask in flat colors, by clusters of the features of VGG-19.

nst mask IMAGE [--regions N] [--with STYLE] [--size PIXELS] [--output FILE]

A region is where features are alike. It has no name and need not be an object: sky, houses and a person are often
apart, but one person may be several regions, and two things of one texture are one. Look at the preview, then try
another --regions.

NAME-mask.png has the size of the image and one color for each region; NAME-mask-preview.png shows the regions on the
image. --with divides two images together: one color means the same in both, and STYLE-mask.png is written, too.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from nst import features, images, segment
from nst.arguments import Parser
from nst.errors import InputError
from nst.types import Image

_LEAST = 2
_SIZES = 64, 1024  # pixels; the largest needs 1.2 GB of memory for one image


class _Output(NamedTuple):
    """The files of one image."""

    mask: Path

    @property
    def preview(self) -> Path:
        return self.mask.with_name(f"{self.mask.stem}-preview.png")


def propose(image: str, regions: int, style: str | None, size: int, output: Path | None) -> None:
    _check_range("--regions", regions, _LEAST, len(segment.COLORS))
    _check_range("--size", size, *_SIZES)
    names = [image] if style is None else [image, style]
    outputs = _outputs(names, output)
    inputs = [_read(name) for name in names]
    proposal = segment.propose(features.load(padding="replicate"), inputs, regions, size=size)
    for pixels, labels, files in zip(inputs, proposal.labels, outputs, strict=True):
        images.write(files.mask, segment.colored(labels))
        images.write(files.preview, segment.preview(pixels, labels))
    _show(names, proposal, regions)
    print(*(path for files in outputs for path in (files.mask, files.preview)), sep="\n")


def _check_range(flag: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InputError(f"{flag} {value}: choose a number from {least} to {most}")


def _outputs(names: list[str], output: Path | None) -> list[_Output]:
    """Return the files to write, none of which exists yet; those of a style are in the folder of `output`."""
    first = output or Path(f"{Path(names[0]).stem}-mask.png")
    if first.suffix.lower() != ".png":
        raise InputError(f"{first}: a mask is a PNG, which keeps its colors exactly: end the name in .png")
    outputs = [
        _Output(first),
        *(_Output(first.with_name(f"{Path(name).stem}-mask.png")) for name in names[1:]),
    ]
    paths = [path for files in outputs for path in (files.mask, files.preview)]
    if len({*paths}) < len(paths):
        raise InputError(f"{first} would be the mask of both images: give another --output")
    for path in paths:
        if path.exists():
            raise InputError(f"{path} exists: give an --output in another folder, or remove it")
    return outputs


def _read(name: str) -> Image:
    image = images.read(name)
    if np.ptp(image, axis=(0, 1)).max() == 0:
        raise InputError(f"{name} has one color everywhere and no regions: give another image")
    return image


def _show(names: list[str], proposal: segment.Regions, number: int) -> None:
    table = Table("color", *(f"share of {Path(name).stem}" for name in names))
    shares = np.stack([segment.shares(labels) for labels in proposal.labels])
    for k in np.flatnonzero(shares.any(axis=0)):
        table.add_row(segment.COLORS[k], *(f"{share:.1%}" if share else "none" for share in shares[:, k]))
    Console().print(table)
    if proposal.absent:
        print(
            f"{names[1]} lacks {proposal.absent} of {number} regions: they have the color of its most similar one"
        )
    elif np.count_nonzero(shares[0]) < number:
        print(f"{np.count_nonzero(shares[0])} of {number} regions are large enough in {names[0]}")


parser = Parser(propose, prog="nst mask", description=__doc__)
parser.add_argument("image", metavar="IMAGE", help="path or name of a sample")
parser.add_argument(
    "--regions", metavar="N", type=int, default=4, help="number of regions: 2 to 20, 4 by default"
)
parser.add_argument(
    "--with", metavar="STYLE", dest="style", help="another image to divide with the same colors"
)
parser.add_argument(
    "--size",
    metavar="PIXELS",
    type=int,
    default=384,
    help="longest side that VGG sees: 384 by default; larger for detail",
)
parser.add_argument("--output", metavar="FILE", type=Path, help="the mask: NAME-mask.png by default")
