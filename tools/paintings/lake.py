"""The scene of `hatching`: clouds, mountains, trees and rocks by a lake, as rounded forms in slanting light."""

from typing import NamedTuple

import numpy as np

from tools.paintings.fields import Array, Number, noise, palette, smoothstep

_DISC = palette("f8e8b0")[0]
_LIGHT = np.array([-0.62, -0.58, 0.53], np.float32)
_SUN = (330, 150, 46)
_SKY, _CLOUD, _PEAK, _HILL, _TREE, _WATER, _ROCK = palette(
    "e8d2a0", "f4e6c8", "c8b4b0", "d0b878", "a8a070", "b4c0b4", "c8a078"
)
#: Rounded forms from the back to the front: x, y, half-axes.
_CLOUDS = (
    (560, 120, 70, 44), (640, 84, 84, 58), (735, 110, 92, 62), (830, 132, 74, 46), (690, 150, 90, 40),
    (780, 165, 80, 34), (600, 160, 66, 30), (905, 160, 60, 30), (90, 240, 66, 34), (150, 218, 62, 42),
    (30, 226, 60, 40), (215, 246, 58, 26),
)  # fmt: skip
_HILLS = ((120, 470, 260, 120), (980, 480, 300, 150), (720, 492, 210, 92))
_TREES = (
    (868, 340, 44, 48), (930, 300, 56, 62), (988, 340, 52, 58), (900, 372, 50, 44), (955, 388, 60, 46),
    (1014, 400, 46, 44), (60, 372, 30, 34), (98, 384, 28, 28), (28, 392, 34, 30), (690, 410, 20, 24),
    (722, 418, 24, 22), (752, 412, 18, 24),
)  # fmt: skip
_ROCKS = (
    (60, 640, 120, 96), (190, 690, 104, 74), (20, 748, 130, 80), (300, 742, 96, 54), (880, 690, 130, 88),
    (990, 640, 92, 96), (760, 744, 112, 58), (980, 756, 140, 66), (150, 770, 110, 50),
    (620, 776, 90, 36), (430, 784, 84, 34),
)  # fmt: skip


class Forms(NamedTuple):
    """Maps of the forms to hatch, `[h, w]` each.

    Attributes:
      area: The number of the form.
      bulge: The distance by which the form stands out, in design pixels.
      dark: The darkness, 0 to 1.
      angle: The direction across the lines of the first system, in radians.
      spacing: The spacing of the lines, in design pixels.
      tint: The color of the wash, `[h, w, 3]`.
    """

    area: Array
    bulge: Array
    dark: Array
    angle: Array
    spacing: Array
    tint: Array


def forms(rng: np.random.Generator, x: Array, y: Array) -> Forms:
    """Lay out the lake, the nearer forms in front of the farther ones."""
    numbers = [np.zeros(x.shape, np.float32) for _ in range(4)]
    maps = Forms(np.zeros(x.shape, np.int32), *numbers, tint=np.zeros((*x.shape, 3), np.float32))
    _sky(maps, rng, x, y)
    _rounds(maps, rng, x, y, _CLOUDS, _Surface(6, _CLOUD, -0.15, 0.75, 0.06))
    _peaks(maps, rng, x, y, 0)
    _peaks(maps, rng, x, y, 1)
    _rounds(maps, rng, x, y, _HILLS, _Surface(6, _HILL, 0.1, 0.9, 0.02))
    _rounds(maps, rng, x, y, _TREES, _Surface(5.5, _TREE, 0.2, 1.15, 0.16))
    _water(maps, rng, x, y)
    _rounds(maps, rng, x, y, _ROCKS, _Surface(7.5, _ROCK, 0.0, 1.15, 0.08))
    return maps


class _Surface(NamedTuple):
    """The look of forms of one kind; `lit` and `shaded` are the least and the greatest darkness."""

    spacing: float
    tint: Array
    lit: float
    shaded: float
    ragged: float


def _place(
    maps: Forms,
    number: int,
    inside: Array,
    bulge: Array,
    dark: Array,
    angle: Number,
    spacing: Number,
    tint: Array,
) -> None:
    form = (number, bulge[inside], dark[inside], angle, spacing, tint)
    for values, value in zip(maps, form, strict=True):
        values[inside] = value


def _rounds(
    maps: Forms, rng: np.random.Generator, x: Array, y: Array, ellipses: tuple, surface: _Surface
) -> None:
    for center_x, center_y, a, b in ellipses:
        window = _within(y[:, 0], center_y, 1.5 * b), _within(x[0], center_x, 1.5 * a)
        s, t = (x[window] - center_x) / a, (y[window] - center_y) / b
        _round(Forms(*(values[window] for values in maps)), rng, s, t, min(a, b), surface)


def _within(positions: Array, center: Number, reach: Number) -> slice:
    return slice(*np.searchsorted(positions, [center - reach, center + reach]))


def _round(
    maps: Forms, rng: np.random.Generator, s: Array, t: Array, size: Number, surface: _Surface
) -> None:
    """Draw a ball with an uneven edge, lit by Lambert's law; s² + t² is 1 at its edge."""
    edge = 1 + 2 * surface.ragged * noise(rng, s, t, 0.3, 2)
    s, t = s / edge, t / edge
    z = np.sqrt(np.clip(1 - s * s - t * t, 0, 1))
    rough = 0.8 * surface.ragged * noise(rng, s, t, 0.25, 2)
    facing = s * _LIGHT[0] + t * _LIGHT[1] + z * _LIGHT[2] + rough
    dark = surface.shaded + (surface.lit - surface.shaded) * (0.5 + 0.5 * facing)
    angle = np.pi / 2 + rng.choice([-1.0, 1.0]) * rng.uniform(0.35, 0.8)
    number = int(rng.integers(10, 1 << 30))
    bulge = 0.55 * size * (z + 1.5 * rough)
    _place(maps, number, s * s + t * t < 1, bulge, dark, angle, surface.spacing, surface.tint)


def _sky(maps: Forms, rng: np.random.Generator, x: Array, y: Array) -> None:
    sun_x, sun_y, radius = _SUN
    r = np.hypot(x - sun_x, y - sun_y)
    rays = 0.5 + 0.5 * np.sin(np.arctan2(y - sun_y, x - sun_x) * 22)
    veil = noise(rng, x / 3, y, 34, 3)
    dark = 0.52 - 0.42 * smoothstep(0, 380, y) + 0.16 * veil - 0.5 * smoothstep(360, 60, r) * rays
    bulge = 9 * noise(rng, x / 2.5, y, 60, 2) + 26 * np.exp(-((r / 110) ** 2))
    _place(maps, 1, r >= 0, bulge, dark, np.pi / 2 + 0.02, 6, _SKY)
    _place(maps, 2, r < radius, bulge, 0 * r - 0.2, np.pi / 2, 6, _DISC)


def _peaks(maps: Forms, rng: np.random.Generator, x: Array, y: Array, near: int) -> None:
    """Draw ridges that run down from the summits, each with one flank in the light and one in the shade."""
    lean = (0.5 - near) * 0.9 * (y - 300)
    fold = (x + lean) / (96 - 26 * near) + 0.42 * noise(rng, x, y, 80, 3) + 20
    flank = fold - np.floor(fold)
    summit = 262 + 90 * near - 126 * np.exp(-(((x - 440 + 330 * near) / 150) ** 2))
    summit -= 80 * (1 - near) * np.exp(-(((x - 760) / 130) ** 2))
    summit += 26 * np.abs(2 * flank - 1) + 14 * noise(rng, x, 0 * y, 30, 3)
    dark = 0.16 + 0.74 * smoothstep(0.42, 0.56, flank) * smoothstep(1.02, 0.8, flank)
    dark += 0.16 * noise(rng, x, y, 24, 2) - 0.1 * near
    bulge = 17 * np.abs(2 * flank - 1)
    _place(maps, 3 + near, y > summit, bulge, dark, 0.75 - 1.3 * near, 5.5 + near, _PEAK)


def _water(maps: Forms, rng: np.random.Generator, x: Array, y: Array) -> None:
    near = np.clip((y - 452) / 316, 0, 1)
    ripple = noise(rng, x / 5, y / (0.5 + near), 9, 2)
    shine = np.exp(-(((x - 350) / (60 + 120 * near)) ** 2))
    banks = smoothstep(0.6, 1, np.abs(x - 480) / 520)
    dark = 0.26 + 0.32 * ripple + 0.3 * banks - 0.45 * shine + 0.15 * near
    bulge = 7 * noise(rng, x / 3, y, 22, 2)
    _place(maps, 5, y > 452 + 2 * np.sin(x / 40), bulge, dark, np.pi / 2, 6.5, _WATER)
