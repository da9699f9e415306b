"""The painting `panes`: flat areas of strong color, streaked and shaded like glass, in dark outlines."""

import numpy as np

from tools.paintings import valley
from tools.paintings.brushes import Canvas, lit
from tools.paintings.fields import Array, blur, edges, grid, noise, palette, smoothstep

_SEED = 1906
_LEAD = palette("141020")[0]


def draw(scale: float) -> Array:
    """Draw the painting at `scale` pixels per design pixel, `[h, w, 3]`."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    x, y = grid(scale)
    panes = valley.panes(rng, x, y)
    lines = _lines(panes, rng, x, y, scale)
    glass = _glass(panes, rng, x, y) * (1 - 0.38 * _rims(panes, scale))[..., None]
    lead = smoothstep(0.9, 1.1, lines)
    grain = 1 + 0.5 * noise(rng, x, y, 5, 2)
    color = glass * (1 - lead[..., None]) + (_LEAD * grain[..., None]) * lead[..., None]
    height = 1.6 * np.minimum(lines, 2.2) + 0.25 * noise(rng, x, y, 3, 2)
    return lit(Canvas(color.astype(np.float32), height.astype(np.float32), scale), 0.9)


def _lines(panes: valley.Panes, rng: np.random.Generator, x: Array, y: Array, scale: float) -> Array:
    """Return the outlines, above 1 inside: wide around areas, narrow between panes, uneven as from a brush."""
    pressure = 1 + 0.45 * noise(rng, x, y, 46, 2)
    wide = blur(edges(panes.area), 2.4 * scale) * 2.4 * scale * 7.5
    narrow = blur(edges(panes.pane), 1.3 * scale) * 1.3 * scale * 6.0
    return np.maximum(wide, narrow) * pressure


def _rims(panes: valley.Panes, scale: float) -> Array:
    """Return the shade near the outlines, 0 to 1."""
    return np.clip(blur(edges(panes.pane), 5 * scale) * 5 * scale * 1.1, 0, 1)


def _glass(panes: valley.Panes, rng: np.random.Generator, x: Array, y: Array) -> Array:
    """Return the color of each pane, mottled and streaked in a direction of its own."""
    angle = (panes.pane % 997) * np.float32(2.399)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    streaks = noise(rng, along / 9, across, 5, 2)
    mottle = noise(rng, x, y, 26, 3)
    value = 1.04 + 0.13 * streaks + 0.12 * mottle
    warmth = 0.05 * noise(rng, along / 3, across, 18, 2)[..., None] * np.array([1, 0.1, -1], np.float32)
    return np.clip(panes.color * value[..., None] + warmth, 0, 1)
