"""The painting `strokes`: curved strokes of thick paint along a flow, from broad to fine, in saturated colors."""

from typing import NamedTuple

import numpy as np

from tools.paintings import coast
from tools.paintings.brushes import Bristles, Canvas, Strokes, follow, lay, lit, look_up
from tools.paintings.fields import HEIGHT, WIDTH, Array, grid, noise, palette

_SEED = 1889
_GROUND = palette("8a4a22")[0]
_PATH_POINTS = 24


class _Layer(NamedTuple):
    """Strokes of one size, in design pixels.

    `coverage` is their total area over that of the canvas, `jitter` the spread of their lightness.
    """

    width: float
    length: float
    coverage: float
    jitter: float
    brush: Bristles


_LAYERS = (
    _Layer(38, 190, 3.0, 0.05, Bristles(2.6, 0.25, 0.10)),
    _Layer(20, 120, 2.4, 0.09, Bristles(1.7, 0.45, 0.13)),
    _Layer(11, 74, 1.5, 0.12, Bristles(1.2, 0.5, 0.17)),
    _Layer(6, 46, 0.55, 0.14, Bristles(0.9, 0.4, 0.22)),
)


def draw(scale: float) -> Array:
    """Draw the painting at `scale` pixels per design pixel, `[h, w, 3]`."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    scene = coast.scene(rng)
    canvas = _blocked_in(scene, rng, scale)
    for layer in _LAYERS:
        lay(canvas, _strokes(scene, layer, rng), layer.brush, rng)
    return lit(canvas, 2.2)


def _blocked_in(scene: coast.Scene, rng: np.random.Generator, scale: float) -> Canvas:
    """Return the scene in thin paint over a toned ground, on the weave of a canvas."""
    x, y = grid(scale)
    weave = 0.12 * np.sin(x * 2.1) * np.sin(y * 2.1) + 0.1 * noise(rng, x, y, 3)
    thin = look_up(scene.color, np.stack([x, y], -1))
    color = _GROUND + (thin - _GROUND) * (0.75 + 0.25 * noise(rng, x, y, 8, 2))[..., None]
    return Canvas(np.clip(color, 0, 1).astype(np.float32), weave.astype(np.float32), scale)


def _strokes(scene: coast.Scene, layer: _Layer, rng: np.random.Generator) -> Strokes:
    count = int(layer.coverage * WIDTH * HEIGHT / (layer.width * layer.length))
    starts = rng.uniform((-20, -20), (WIDTH + 20, HEIGHT + 20), (count, 2))
    # Farther regions are painted first, so that nearer ones keep their contours.
    starts = starts[np.argsort(look_up(scene.region, starts), kind="stable")]
    size = np.clip(np.exp(rng.normal(0, 0.28, count)), 0.6, 1.4)
    length = layer.length * size * rng.uniform(0.65, 1.2, count)
    path = follow(starts, scene.flow, length / (_PATH_POINTS - 1), _PATH_POINTS)
    color = look_up(scene.color, starts)
    return Strokes(
        path=path.astype(np.float32),
        reach=_reach(scene, path, color),
        width=(layer.width * size).astype(np.float32),
        color=_varied(color, layer.jitter, rng),
        streak=_varied(color, 2 * layer.jitter, rng),
    )


def _reach(scene: coast.Scene, path: Array, color: Array) -> Array:
    """Return the share of each path before it leaves its region or its color."""
    middle = path.shape[1] // 2
    region = look_up(scene.region, path)
    left = region[:, middle:] != region[:, middle : middle + 1]
    strayed = np.abs(look_up(scene.color, path) - color[:, None]).sum(-1)[:, middle:] > 0.7
    stop = left | strayed
    first = np.where(stop.any(1), stop.argmax(1), stop.shape[1])
    return ((middle + first) / path.shape[1]).astype(np.float32)


def _varied(color: Array, jitter: float, rng: np.random.Generator) -> Array:
    """Return mixtures of the same pigments that are lighter or darker, warmer or cooler."""
    value = rng.normal(0, jitter, (len(color), 1))
    warmth = rng.normal(0, 0.6 * jitter, (len(color), 1)) * np.array([1.0, 0.1, -1.0])
    return np.clip(color * (1 + value) + 0.4 * value + warmth, 0, 1).astype(np.float32)
