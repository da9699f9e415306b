"""The scene of `strokes`: a windy coast in the evening, as maps of color, stroke direction and region."""

from typing import NamedTuple

import numpy as np

from tools.paintings.fields import Array, grid, noise, palette, ramp, smoothstep

_SUN = (716, 214, 66)
#: Eddies of the wind in the sky: x, y, radius, sense of rotation.
_EDDIES = ((716, 214, 185, 1), (330, 92, 120, -1), (1010, 40, 150, -1), (470, 345, 85, 1))
#: The parts of the tree's crown, bent by the wind: x, y, radius.
_CROWN = (
    (128, 470, 46), (150, 410, 62), (205, 352, 66), (268, 300, 62), (212, 452, 50), (282, 392, 62),
    (338, 332, 60), (330, 258, 50), (392, 286, 48), (366, 398, 40), (420, 340, 38), (446, 268, 26),
)  # fmt: skip

_SKY = palette("0a1a50", "12338a", "1c58b8", "1f86c8", "4fb8c4", "bfe0b8", "fbd9a0", "f79a6a")
_SUNLIGHT = palette("d8301c", "f0661a", "fba11f", "fec93a", "ffe676", "fffbd8")
_HILLS = palette("1d1850", "2f2f86", "4a56ac", "7a5fae", "c4799a", "f0a878")
_SEA = palette("082c50", "0d4f78", "137f8e", "2fae9f", "8ed6b4", "f4f0c8")
_FIELD = palette("6a2510", "b04a14", "dd7a18", "f2a422", "fbcf4a", "fff0a0")
_GRASS = palette("143a2a", "2a6a34", "63982f", "a9bd3c", "e6d85a")
_POPPY = palette("d8202a")[0]
_LEAVES = palette("071a30", "0b3a48", "12604a", "3a8a3a", "8fb030", "e8c83c")
_TRUNK = palette("1c0c20", "4a1c28", "8a3a24", "d0702c")


#: A part of the scene: its mask `[h, w]`, its colors `[h, w, 3]`, the angles of its strokes in radians `[h, w]`.
_Layer = tuple[Array, Array, Array]


class Scene(NamedTuple):
    """Maps at design size.

    Attributes:
      color: `[h, w, 3]`, in [0, 1].
      flow: `[h, w, 2]`, unit vectors x, y along the strokes.
      region: `[h, w]`, the number of the part of the scene; nearer parts have larger numbers.
    """

    color: Array
    flow: Array
    region: Array


def scene(rng: np.random.Generator) -> Scene:
    """Lay out the coast, the nearer regions in front of the farther ones."""
    x, y = grid(1.0)
    color = np.zeros((*x.shape, 3), np.float32)
    angle, region = np.zeros_like(x), np.zeros(x.shape, np.int32)
    for index, layer in enumerate((_sky, _hills, _sea, _field, _trunk, _leaves)):
        inside, colors, angles = layer(rng, x, y)
        region[inside], color[inside], angle[inside] = index, colors[inside], angles[inside]
    return Scene(color, np.stack([np.cos(angle), np.sin(angle)], -1), region)


def _sky(rng: np.random.Generator, x: Array, y: Array) -> _Layer:
    angle = _wind(rng, x, y)
    ripple = noise(rng, x, y, 70, 2)
    bands = 0.5 + 0.5 * np.sin(_turns(x, y) + 1.6 * ripple)
    tone = 0.03 + 0.5 * smoothstep(40, 450, y) ** 1.5 + 0.46 * bands**1.6
    sun_x, sun_y, sun_radius = _SUN
    r = np.hypot(x - sun_x, y - sun_y)
    rings = 0.5 + 0.5 * np.cos((r - sun_radius) / 13 + 0.7 * ripple)
    disc = r < sun_radius
    light = np.where(
        disc, 1.0 - 0.25 * (r / sun_radius) ** 3, 0.66 - 0.0045 * (r - sun_radius) + 0.26 * (rings - 0.5)
    )
    # Far from the sun only the crests of the rings are lit: orange beside blue, never mixed to gray.
    glow = smoothstep(0.42, 0.58, 1.25 - r / 210 + 0.42 * (rings - 0.5) + 0.12 * ripple)
    return x > -1, _mix(ramp(_SKY, tone), ramp(_SUNLIGHT, light), glow), angle


def _wind(rng: np.random.Generator, x: Array, y: Array) -> Array:
    """Return the angle of the wind: along the eddies near them, along a wavy breeze elsewhere."""
    breeze = -0.15 + 0.55 * noise(rng, x, y, 210, 2)
    along_x, along_y = np.cos(breeze), np.sin(breeze)
    for center_x, center_y, radius, sense in _EDDIES:
        dx, dy = x - center_x, y - center_y
        r = np.hypot(dx, dy) + 1
        pull = 3.2 * np.exp(-((r / radius) ** 2))
        along_x += pull * (-dy - 0.2 * dx) / r * sense
        along_y += pull * (dx - 0.2 * dy) / r * sense
    return np.arctan2(along_y, along_x)


def _turns(x: Array, y: Array) -> Array:
    """Return a phase whose bands wind into the eddies."""
    phase = y / 30 + x / 160
    for center_x, center_y, radius, sense in _EDDIES:
        dx, dy = x - center_x, y - center_y
        r = np.hypot(dx, dy)
        near = np.exp(-((r / radius) ** 2))
        phase = phase * (1 - near) + near * (r / 9 - 2 * sense * np.arctan2(dy, dx))
    return phase


def _hills(rng: np.random.Generator, x: Array, y: Array) -> _Layer:
    ridge = 392 - 62 * np.exp(-(((x - 120) / 150) ** 2)) - 34 * np.exp(-(((x - 420) / 110) ** 2))
    ridge += 48 * smoothstep(480, 640, x) + 6 * noise(rng, x, y * 0, 24, 2)
    depth = (y - ridge) / 60
    folds = 0.5 + 0.5 * np.sin(depth * 7 + x / 34 + 2 * noise(rng, x, y, 60))
    color = ramp(_HILLS, 0.12 + 0.5 * folds + 0.3 * np.clip(depth, 0, 1) * smoothstep(100, 500, x))
    color = _mix(color, _HILLS[0], smoothstep(9, 3, y - ridge))
    return y > ridge, color, 0.35 * np.sin(x / 70) + 0.5 * noise(rng, x, y, 80)


def _sea(rng: np.random.Generator, x: Array, y: Array) -> _Layer:
    shore = 438 + 3 * np.sin(x / 50)
    swell = np.sin((y - shore) / (4 + (y - shore) / 14).clip(2) * 1.6 + 2.2 * noise(rng, x, y * 2.5, 80, 2))
    tone = 0.36 + 0.3 * swell - 0.12 * smoothstep(430, 560, y)
    path = smoothstep(90, 12, np.abs(x - 716) - 0.35 * (y - shore)) * smoothstep(
        -0.6, 0.6, swell + 0.5 * noise(rng, x, y * 3, 26)
    )
    color = _mix(ramp(_SEA, tone), ramp(_SUNLIGHT, 0.55 + 0.35 * swell), path)
    return y > shore, color, 0.18 * np.sin(x / 42 + y / 13) + 0.12 * noise(rng, x, y, 60)


def _edge_of_field(x: Array) -> Array:
    return (
        596
        - 78 * np.exp(-(((x - 150) / 230) ** 2))
        - 46 * np.exp(-(((x - 1010) / 170) ** 2))
        + 22 * np.sin(x / 120)
    )


def _field(rng: np.random.Generator, x: Array, y: Array) -> _Layer:
    edge = _edge_of_field(x)
    depth = (y - edge) / (768 - edge)
    # Furrows run from the foreground toward a point behind the edge.
    fan = np.arctan2(x - 560, y - 440)
    furrow = np.sin(fan * 26 + 1.3 * noise(rng, x, y, 110, 2))
    sway = noise(rng, x, y, 90, 2)
    tone = 0.5 + 0.26 * furrow + 0.24 * sway + 0.12 * smoothstep(0.5, 0, depth)
    green = smoothstep(0.35, 0.7, np.abs(sway + 0.35 * furrow)) * 0.85
    color = _mix(ramp(_FIELD, tone), ramp(_GRASS, tone), np.maximum(green, smoothstep(0.09, 0.0, depth)))
    poppies = smoothstep(0.45, 0.6, noise(rng, x, y * 1.6, 22)) * smoothstep(0.2, 0.45, depth)
    color = _mix(color, _POPPY, poppies)
    angle = np.pi / 2 - fan + 0.5 * sway + 0.3 * np.sin(x / 60)
    return y > edge, color, np.where(depth < 0.1, 0.3 * np.cos(x / 120), angle)


def _trunk(rng: np.random.Generator, x: Array, y: Array) -> _Layer:
    climb = np.clip((672 - y) / 350, 0, 1)
    middle = 150 + 110 * climb**1.7 + 6 * np.sin(y / 30)
    across = (x - middle) / (25 - 12 * climb + 34 * smoothstep(590, 680, y))
    inside = (np.abs(across) < 1) & (y > 330) & (y < 676 + 6 * np.sin(x / 7))
    tone = 0.62 + 0.5 * across - 0.9 * across**4 + 0.3 * noise(rng, x, y, 14, 2)
    return inside, ramp(_TRUNK, tone), -np.pi / 2 + 0.6 * climb + 0.35 * across * (1 - climb)


def _leaves(rng: np.random.Generator, x: Array, y: Array) -> _Layer:
    ragged = noise(rng, x, y, 24, 2)
    inside, shade, angle = np.zeros(x.shape, bool), np.zeros_like(x), np.zeros_like(x)
    for center_x, center_y, radius in _CROWN:
        dx, dy = x - center_x, y - center_y
        # Each part is stretched to the upper right, the direction of the wind.
        along, across = dx * 0.86 - dy * 0.5, dx * 0.5 + dy * 0.86
        here = np.hypot(along * 0.74, across * 1.12) < radius * (1 + 0.24 * ragged)
        inside |= here
        shade = np.where(here, 0.5 + 0.42 * (0.3 * along - across) / radius, shade)
        angle = np.where(here, -0.5 + 0.9 * across / radius + 0.4 * ragged, angle)
    licks = np.sin(9 * shade + 4 * ragged)
    return inside, ramp(_LEAVES, shade * 0.82 + 0.16 * licks), angle


def _mix(a: Array, b: Array, share: Array) -> Array:
    share = np.clip(share, 0, 1)[..., None]
    return a * (1 - share) + b * share
