"""The scene of `panes`: a river valley with a village in the morning, cut into panes of flat color."""

from typing import NamedTuple

import numpy as np

from tools.paintings.fields import Array, noise, palette, smoothstep

_SUN = (318, 172, 74)
#: x and y of the lower left corner, width, height of the walls, and the colors of wall and roof.
_HOUSES = (
    (700, 446, 74, 66, "ff8fa8", "f0641a"),
    (548, 446, 84, 62, "fff0c8", "e0301e"),
    (752, 466, 84, 60, "fff4d8", "8a2ab0"),
    (616, 466, 98, 86, "ffc23a", "c81e5a"),
)
#: The balls of the tree's crown: x, y, radius.
_CROWN = ((862, 268, 128), (958, 168, 104), (768, 196, 84), (980, 330, 92))

_SKY = palette("1a4ac0", "2a7ae0", "38b0e0", "5ad0d0", "6a50c8", "8a78e0", "f090b8", "2060d0", "48a0f0")
_GLOW = palette("ffd21e", "ffb01e", "ff8a1e", "ffe86a", "f8641e", "ffc84a")
_DISC = palette("fff6b0", "fff0a0")
_PEAKS = palette("3a1a7a", "5a2aa0", "8a30a8", "c83a90", "2a3a9a", "e86a9a", "4a48b8")
_HILLS = palette("0f7a5a", "1a9a5a", "58b848", "a8d03a", "0a5a6a", "2ab088")
_RIVER = palette("0a3a8a", "1060b8", "18a0c8", "60d8d8", "c8f4e8", "0a4ea8", "f8b08a")
_MEADOW = palette("f8d020", "c8d828", "78b82a", "f09a1e", "e8601e", "3a9a3a", "ffe45a", "d83a3a")
_LEAVES = palette("0a4a3a", "0f6a3a", "2a8a2a", "68a820", "c8301e", "0a3a5a", "e87a1a", "a0c830")
_TRUNK = palette("5a1a3a", "8a2a3a", "3a1a4a")


class Panes(NamedTuple):
    """Maps of the painting.

    Attributes:
      pane: The number of each pixel's pane, `[h, w]`.
      area: The number of the area that the pane is part of, `[h, w]`.
      color: The color, `[h, w, 3]`.
    """

    pane: Array
    area: Array
    color: Array


def panes(rng: np.random.Generator, x: Array, y: Array) -> Panes:
    """Cut the valley into panes, the nearer areas in front of the farther ones."""
    maps = Panes(
        np.zeros(x.shape, np.int32), np.zeros(x.shape, np.int32), np.zeros((*x.shape, 3), np.float32)
    )
    x = x + 5 * noise(rng, x, y, 60, 2)
    y = y + 5 * noise(rng, x, y, 60, 2)
    _sky(maps, rng, x, y)
    _land(maps, rng, x, y)
    for house in _HOUSES:
        _house(maps, rng, x, y, house)
    _tree(maps, rng, x, y)
    return maps


def _place(maps: Panes, rng: np.random.Generator, inside: Array, p: Array, q: Array, colors: Array) -> None:
    """Fill an area with panes, about one for each unit square of its coordinates p, q."""
    cell = _cells(rng, p[inside], q[inside])
    area = maps.area.max() + 1
    maps.area[inside] = area
    maps.pane[inside] = cell + (area << 20)
    shades = colors[rng.integers(len(colors), size=4096)] * rng.uniform(0.82, 1.08, (4096, 1))
    maps.color[inside] = np.clip(shades[cell % 4096], 0, 1)


def _cells(rng: np.random.Generator, p: Array, q: Array) -> Array:
    """Return the Voronoi cell of p, q, `[n]`: the number of the nearest point, with one point per unit square."""
    points = rng.uniform(0.12, 0.88, (2, 64, 64)).astype(np.float32)
    numbers = rng.permutation(64 * 64).astype(np.int32).reshape(64, 64)
    column, row = np.floor(p).astype(np.int32), np.floor(q).astype(np.int32)
    nearest, cell = np.full(p.shape, np.inf, np.float32), np.zeros(p.shape, np.int32)
    for i, j in np.ndindex(3, 3):
        r, c = (row + i - 1) % 64, (column + j - 1) % 64
        distance = (p - column - j + 1 - points[0, r, c]) ** 2 + (q - row - i + 1 - points[1, r, c]) ** 2
        closer = distance < nearest
        nearest, cell = np.where(closer, distance, nearest), np.where(closer, numbers[r, c], cell)
    return cell


def _sky(maps: Panes, rng: np.random.Generator, x: Array, y: Array) -> None:
    """Draw rings of panes around the sun, cut by its rays."""
    sun_x, sun_y, radius = _SUN
    r, around = np.hypot(x - sun_x, y - sun_y), np.arctan2(y - sun_y, x - sun_x)
    everywhere = r >= 0
    _place(maps, rng, everywhere, (around + 0.0012 * r) * 4.2 + 20, r / 62, _SKY)
    corona = r < radius + 46 + 34 * np.abs(np.sin(around * 6 + 0.6))
    _place(maps, rng, corona, around * 6 / np.pi * 2 + 20, r / 90, _GLOW)
    _place(maps, rng, r < radius, 0 * x, 0 * y, _DISC)


def _land(maps: Panes, rng: np.random.Generator, x: Array, y: Array) -> None:
    crags = (
        330
        - 150 * np.exp(-np.abs(x - 690) / 150)
        - 90 * np.exp(-np.abs(x - 70) / 130)
        + 22 * np.abs(np.sin(x / 43))
    )
    _place(maps, rng, y > crags, (x + 0.7 * y) / 52, (y - 0.6 * x) / 74 + 20, _PEAKS)
    hills = 388 + 30 * np.sin(x / 130 + 0.4) - 12 * np.sin(x / 47)
    _place(maps, rng, y > hills, x / 62, (y - hills) / 26, _HILLS)
    meadow = 462 + 14 * np.sin(x / 90)
    depth = np.clip((y - 380) / 300, 0.1, 2)
    fan = (x - 470) / depth
    _place(maps, rng, y > meadow, fan / 115 + 20, 5.2 * np.log(depth + 0.2) + 20, _MEADOW)
    middle = 452 + 190 * np.sin((y - 440) / 92) * depth**0.6 * smoothstep(440, 560, y)
    across = (x - middle) / (26 + 104 * depth**1.6)
    river = (np.abs(across) < 1) & (y > meadow - 14)
    _place(maps, rng, river, across * 1.7 + 20, y / (14 + 22 * depth), _RIVER)


def _house(maps: Panes, rng: np.random.Generator, x: Array, y: Array, house: tuple) -> None:
    left, foot, width, height, wall, roof = house
    s, t = (x - left) / width, (foot - y) / height
    flat = 0 * x
    _place(maps, rng, (s > 0) & (s < 1) & (t > 0) & (t < 1), flat, flat, palette(wall))
    walls = maps.area.max()
    for middle in (0.27, 0.73):
        window = (np.abs(s - middle) < 0.13) & (np.abs(t - 0.5) < 0.22)
        _place(maps, rng, window, flat, flat, palette("14388a"))
        maps.area[window] = walls  # so that its outline is narrow
    peak = (t >= 1) & (t < 1.9 - 1.6 * np.abs(s - 0.5)) & (np.abs(s - 0.5) < 0.6)
    _place(maps, rng, peak, s * 3, t * 3, palette(roof))


def _tree(maps: Panes, rng: np.random.Generator, x: Array, y: Array) -> None:
    climb = np.clip((740 - y) / 420, 0, 1)
    across = (x - 918 + 46 * np.sin(climb * 4)) / (44 - 20 * climb + 60 * smoothstep(0.12, 0, climb))
    trunk = (np.abs(across) < 1) & (y > 300) & (y < 742)
    _place(maps, rng, trunk, across * 1.1 + 20, y / 64, _TRUNK)
    for center_x, center_y, radius in _CROWN:
        dx, dy = x - center_x, y - center_y
        r, around = np.hypot(dx, dy), np.arctan2(dy, dx)
        leaf = r < radius * (1 + 0.07 * np.sin(around * 9))
        turn = r / 150
        p, q = dx * np.cos(turn) - dy * np.sin(turn), dx * np.sin(turn) + dy * np.cos(turn)
        _place(maps, rng, leaf, p / 26 + 20, q / 26 + 20, _LEAVES)
