"""The painting `hatching`: pen lines that follow forms and swell and cross in the dark, on warm tinted paper."""

import numpy as np

from tools.paintings import lake
from tools.paintings.fields import Array, blur, edges, grid, noise, palette, smoothstep

_SEED = 1514
_PAPER, _INK, _SANGUINE, _WHITE = palette("f2e0b8", "1e1614", "9a3a1c", "fffaec")
#: Systems of lines: rotation in radians, the darkness at which lines begin, the darkness at which they are widest, ink.
_SYSTEMS = (
    (0.0, 0.05, 0.95, _INK),
    (1.05, 0.4, 1.1, _SANGUINE),
    (-0.75, 0.62, 1.25, _INK),
    (0.0, 0.12, -0.2, _WHITE),
)


def draw(scale: float) -> Array:
    """Draw the painting at `scale` pixels per design pixel, `[h, w, 3]`."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    x, y = grid(scale)
    forms = lake.forms(rng, x, y)
    color = _paper(forms, rng, x, y, scale)
    for turn, begins, widest, ink in _SYSTEMS:
        amount = np.clip((forms.dark - begins) / (widest - begins), 0, 1)
        lines = _hatch(forms, rng, x, y, scale, turn, amount)
        color += (ink - color) * (lines * _flow_of_ink(rng, x, y))[..., None]
    contour = _contours(forms, rng, x, y, scale)
    return np.clip(color + (_INK - color) * contour[..., None], 0, 1).astype(np.float32)


def _paper(forms: lake.Forms, rng: np.random.Generator, x: Array, y: Array, scale: float) -> Array:
    """Return laid paper under a wash of color that pools and leaves light areas out."""
    fibers = 0.018 * noise(rng, x / 6, y, 2, 2) + 0.018 * noise(rng, x, y / 6, 2, 2)
    pools = 0.6 + 0.35 * noise(rng, x, y, 70, 3) + 0.25 * smoothstep(0.1, 0.8, forms.dark)
    wash = _PAPER + (forms.tint - _PAPER) * np.clip(pools, 0, 1)[..., None]
    stains = 0.05 * noise(rng, x, y, 240, 3)
    return (wash * (1 + fibers + stains - 0.1 * smoothstep(0.2, 1, forms.dark))[..., None]).astype(np.float32)


def _hatch(
    forms: lake.Forms, rng: np.random.Generator, x: Array, y: Array, scale: float, turn: float, amount: Array
) -> Array:
    """Return the share of ink in each pixel; lines take up at most three quarters of their spacing."""
    angle = forms.angle + np.float32(turn)
    wobble = 0.9 * noise(rng, x, y, 38, 2) + 0.35 * noise(rng, x, y, 9)
    across = (x * np.cos(angle) + y * np.sin(angle) + forms.bulge + wobble) / forms.spacing
    distance = np.abs(across - np.round(across)) * forms.spacing
    pressure = 1 + 0.35 * noise(rng, x, y, 16, 2)
    half_width = 0.375 * forms.spacing * np.sqrt(amount) * pressure
    lifted = smoothstep(0.02, 0.08, amount + 0.03 * noise(rng, x, y, 12))
    blunt = 0.5 / scale
    return lifted * smoothstep(half_width + blunt, half_width - blunt, distance)


def _flow_of_ink(rng: np.random.Generator, x: Array, y: Array) -> Array:
    return np.clip(0.9 + 0.16 * noise(rng, x, y, 7, 2), 0, 1)


def _contours(forms: lake.Forms, rng: np.random.Generator, x: Array, y: Array, scale: float) -> Array:
    """Return the outlines of the forms, heavier in the shade and with occasional gaps."""
    lines = blur(edges(forms.area), 1.1 * scale) * 1.1 * scale
    pressure = 0.7 + 0.5 * noise(rng, x, y, 40, 2) + 0.5 * forms.dark
    return smoothstep(0.16, 0.24, lines * np.clip(pressure, 0, 1.4))
