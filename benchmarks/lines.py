"""Do straight edges stay straight? Squares at six angles are stylized with and without the matting Laplacian."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from scipy.ndimage import gaussian_filter, map_coordinates

import nst
from nst import images
from nst.arguments import Parser
from nst.types import Image

_ANGLES = (0, 15, 30, 45, 60, 75)  # degrees, of the squares in two rows of three
_SIDE = 0.55  # of a square, in units of its tile
_MEASURED = 0.7  # of an edge: its corners are left out
_REACH = 3.0  # pixels on both sides of an edge that are searched


class Edge(NamedTuple):
    """A straight edge: its middle and its direction (row, column), and its length in pixels."""

    middle: np.ndarray
    along: np.ndarray
    length: float


def scene(tile: int) -> Image:
    """Return an image `[2 · tile, 3 · tile, 3]` of colored squares, with the noise of a photograph."""
    generator = np.random.default_rng(0)
    y, x = (np.mgrid[: 2 * tile * 4, : 3 * tile * 4] + 0.5) / 4
    image = np.stack([0.35 + 0.3 * y / y.max(), 0.5 + 0.2 * x / x.max(), 0.75 - 0.2 * y / y.max()], axis=-1)
    for number, angle in enumerate(_ANGLES):
        center, along, across = _square(number, angle, tile)
        distances = [abs((y - center[0]) * v[0] + (x - center[1]) * v[1]) for v in (along, across)]
        image[np.maximum(*distances) < _SIDE * tile / 2] = generator.uniform(0.05, 0.95, 3)
    pixels = image.reshape(2 * tile, 4, 3 * tile, 4, 3).mean(axis=(1, 3))
    return np.clip(pixels + generator.normal(0, 0.01, pixels.shape), 0, 1).astype(np.float32)


def edges(tile: int) -> list[Edge]:
    """Return the edges of `scene`."""
    squares = [_square(number, angle, tile) for number, angle in enumerate(_ANGLES)]
    half = _SIDE * tile / 2
    return [
        Edge(center + sign * half * normal, along, 2 * half)
        for center, *axes in squares
        for along, normal in (axes, axes[::-1])
        for sign in (-1, 1)
    ]


def _square(number: int, angle: float, tile: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the center and the two axes of a square, as (row, column)."""
    center = (np.array(divmod(number, 3)) + 0.5) * tile
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return center, np.array([sin, cos]), np.array([cos, -sin])


def positions(image: Image, edge: Edge) -> tuple[np.ndarray, np.ndarray]:
    """Return points along an edge, and the distance from the true edge at which colors change most; in pixels."""
    t = np.arange(-_MEASURED * edge.length / 2, _MEASURED * edge.length / 2)
    s = np.arange(-_REACH, _REACH + 0.125, 0.25)
    normal = np.array([-edge.along[1], edge.along[0]])
    points = edge.middle[:, None, None] + edge.along[:, None, None] * t[:, None] + normal[:, None, None] * s
    smooth = gaussian_filter(np.asarray(image, np.float64), (1, 1, 0))
    profile = np.stack(
        [map_coordinates(smooth[..., c], points - 0.5, order=3, mode="nearest") for c in range(3)]
    )
    change = np.sum(np.diff(profile, axis=-1) ** 2, axis=0)
    best = np.clip(np.argmax(change, axis=-1), 1, change.shape[-1] - 2)
    before, at, after = (np.take_along_axis(change, best[:, None] + i, -1)[:, 0] for i in (-1, 0, 1))
    curvature = before - 2 * at + after
    shift = np.where(curvature < 0, (before - after) / (2 * np.where(curvature < 0, curvature, -1)), 0)
    return t, s[best] + 0.125 + 0.25 * np.clip(shift, -1, 1)


def deviation(image: Image, tile: int) -> float:
    """Return the root mean square distance of all edges from the lines fitted to them, in pixels."""
    squares = []
    for edge in edges(tile):
        t, position = positions(image, edge)
        squares.append(np.mean((position - np.polyval(np.polyfit(t, position, 1), t)) ** 2))
    return float(np.sqrt(np.mean(squares)))


def stylized(content: Image, style: str, matting: float, steps: int = 60, **settings: Any) -> np.ndarray:
    """Return the content in the style of an image; `settings` are further arguments of `nst.stylize`."""
    settings |= {"style_loss": "wasserstein", "matting_weight": matting}
    return nst.stylize(content, style, size=max(content.shape), steps=steps, **settings)


def add_options(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--tile", type=int, default=64, help="a third of the width, pixels")
    parser.add_argument("--styles", nargs="+", default=["strokes", "coffee"], help="samples or paths")
    parser.add_argument("--matting", nargs="+", type=float, default=[0.0, 1e5], help="weights of the term")
    parser.add_argument("--output", type=Path, help="write the images to this folder")


def compare(tile: int, styles: Sequence[str], matting: Sequence[float], output: Path | None) -> None:
    """Print the deviation of the edges of `scene` and of its stylizations."""
    content = scene(tile)
    Console().print(f"content {deviation(content, tile):.2f} px")
    for style in styles:
        for weight in matting:
            result = stylized(content, style, weight)
            Console().print(f"{style}, matting_weight={weight:g}: {deviation(result, tile):.2f} px")
            if output is not None:
                images.write(output / f"{Path(style).stem}-{weight:g}.png", result)
