"""Brush strokes: paths along a flow, ribbons of bristle marks around them, thick paint and the light on it."""

from typing import NamedTuple

import numpy as np

from tools.paintings.fields import HEIGHT, WIDTH, Array, noise, smoothstep

_POINTS_AT_ONCE = 1_500_000
_SAMPLES_PER_PIXEL = 1.45  # along and across a ribbon, so that no pixel inside is missed, even on diagonals
_BANK = 1024


class Canvas(NamedTuple):
    """Paint on a canvas at `scale` pixels per design pixel: color `[h, w, 3]` and height `[h, w]`."""

    color: Array
    height: Array
    scale: float


class Strokes(NamedTuple):
    """Strokes of one kind of brush, in the order in which they are laid.

    Attributes:
      path: `[n, k, 2]`, points x, y at equal distances.
      reach: `[n]`, the share of the path that is painted.
      width: `[n]`, in design pixels.
      color: `[n, 3]`, the first pigment on the brush.
      streak: `[n, 3]`, the second pigment on the brush.
    """

    path: Array
    reach: Array
    width: Array
    color: Array
    streak: Array


class Bristles(NamedTuple):
    """A brush: design pixels per bristle, dryness at the end of a stroke (0 to 1), thickness of the paint."""

    grain: float
    dryness: float
    body: float


def follow(starts: Array, flow: Array, step: Array, count: int) -> Array:
    """Walk along a flow.

    Args:
      starts: `[n, 2]`, points x, y.
      flow: `[HEIGHT, WIDTH, 2]`, unit vectors.
      step: `[n]`, the length of a step.
      count: The number of points of a path.

    Returns:
      Paths `[n, count, 2]`, with their middle at `starts`.
    """
    forward = _walk(starts, flow, step, count - count // 2)
    backward = _walk(starts, flow, -step, count // 2 + 1)
    return np.concatenate([backward[:, :0:-1], forward], axis=1)


def _walk(starts: Array, flow: Array, step: Array, count: int) -> Array:
    points = [starts]
    for _ in range(count - 1):
        points.append(points[-1] + step[:, None] * look_up(flow, points[-1]))
    return np.stack(points, axis=1)


def look_up(field: Array, points: Array) -> Array:
    """Return the values of a field `[HEIGHT, WIDTH, ...]` at points x, y `[..., 2]`; outside, those of the edge."""
    x = np.clip(points[..., 0].astype(np.int32), 0, WIDTH - 1)
    y = np.clip(points[..., 1].astype(np.int32), 0, HEIGHT - 1)
    return field[y, x]


def lay(canvas: Canvas, strokes: Strokes, brush: Bristles, rng: np.random.Generator) -> None:
    """Paint strokes onto the canvas in place, each over the earlier ones."""
    bank = _bristle_bank(rng)
    offsets = rng.integers(0, _BANK, (len(strokes.width), 2))
    lengths = np.linalg.norm(np.diff(strokes.path, axis=1), axis=-1).sum(1)
    density = canvas.scale * _SAMPLES_PER_PIXEL
    u = np.linspace(0, 1, int(lengths.max() * density) + 2, dtype=np.float32)
    v = np.linspace(-1, 1, int(strokes.width.max() * density) + 2, dtype=np.float32)
    chunk = max(1, _POINTS_AT_ONCE // (len(u) * len(v)))
    for first in range(0, len(lengths), chunk):
        part = slice(first, first + chunk)
        chosen = Strokes(*(values[part] for values in strokes))
        _lay_ribbons(
            canvas, chosen, brush, u, v, _bristles(bank, offsets[part], chosen, lengths[part], brush, u, v)
        )


def _bristle_bank(rng: np.random.Generator) -> Array:
    """Return bristle marks `[along, across]` in [0, 1], elongated along the stroke and eight samples wide."""
    along, across = np.mgrid[0:_BANK, 0:_BANK].astype(np.float32)
    marks = noise(rng, across, along / 10, 8) + 0.6 * noise(rng, across, along / 3, 24)
    return smoothstep(-1.2, 1.2, marks)


def _bristles(
    bank: Array, offsets: Array, strokes: Strokes, lengths: Array, brush: Bristles, u: Array, v: Array
) -> Array:
    along = (u * lengths[:, None] / brush.grain * 4).astype(np.int32) + offsets[:, :1]
    across = (v * strokes.width[:, None] / 2 / brush.grain * 8).astype(np.int32) + offsets[:, 1:]
    return bank[along[:, :, None] % _BANK, across[:, None, :] % _BANK]


def _lay_ribbons(canvas: Canvas, strokes: Strokes, brush: Bristles, u: Array, v: Array, marks: Array) -> None:
    x, y = _positions(strokes, u, v, canvas.scale)
    h, w = canvas.height.shape
    progress = u / strokes.reach[:, None]
    # The brush runs dry toward its end: the bristles that carry the least paint stop first.
    wet = marks > brush.dryness * (progress**2)[:, :, None] * (0.35 + 0.65 * np.abs(v))
    inside = wet & (progress <= 1)[:, :, None] & (x >= 0) & (x < w) & (y >= 0) & (y < h)
    stroke, i, j = inside.nonzero()
    marks = marks[inside]
    # NumPy keeps the last value where an index repeats: a later stroke covers an earlier one.
    pixels = y[inside].astype(np.int32) * w + x[inside].astype(np.int32)
    canvas.color.reshape(-1, 3)[pixels] = _pigment(strokes, stroke, marks, v[j])
    height = canvas.height.reshape(-1)
    height[pixels] = 0.4 * height[pixels] + _body(
        strokes.width[stroke], brush, progress[stroke, i], v[j], marks
    )


def _positions(strokes: Strokes, u: Array, v: Array, scale: float) -> tuple[Array, Array]:
    """Return the pixel coordinates x, y, not rounded, of the points of each stroke, `[n, along, across]` each."""
    last = strokes.path.shape[1] - 1
    at = np.minimum((u * last).astype(np.int32), last - 1)
    t = (u * last - at)[:, None]
    center = strokes.path[:, at] * (1 - t) + strokes.path[:, at + 1] * t
    tangents = np.gradient(strokes.path, axis=1)
    tangent = tangents[:, at] * (1 - t) + tangents[:, at + 1] * t
    tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True) + 1e-9
    across = (_half_width(strokes, u)[:, :, None] * v).astype(np.float32)
    x = center[:, :, 0, None] - across * tangent[:, :, 1, None]
    y = center[:, :, 1, None] + across * tangent[:, :, 0, None]
    return x * np.float32(scale), y * np.float32(scale)


def _half_width(strokes: Strokes, u: Array) -> Array:
    """Return half the width along each stroke: round where the brush is set down, tapering where it is lifted."""
    progress = np.clip(u / strokes.reach[:, None], 0, 1)
    return (
        strokes.width[:, None]
        / 2
        * np.sqrt(smoothstep(-0.04, 0.12, progress))
        * smoothstep(1.25, 0.7, progress)
    )


def _pigment(strokes: Strokes, stroke: Array, marks: Array, v: Array) -> Array:
    share = smoothstep(0.45, 0.85, marks + 0.15 * v)[:, None]
    first, second = strokes.color[stroke], strokes.streak[stroke]
    return np.clip((first + (second - first) * share) * (0.9 + 0.2 * marks[:, None]), 0, 1)


def _body(width: Array, brush: Bristles, progress: Array, v: Array, marks: Array) -> Array:
    """Return the height of the paint: ridges at the sides and at the end of a stroke, furrows between bristles."""
    ridges = 0.5 * smoothstep(0.7, 1, np.abs(v)) + 0.5 * smoothstep(0.85, 1, progress)
    return brush.body * np.sqrt(width) * (0.3 + 0.9 * marks + ridges)


def lit(canvas: Canvas, strength: float) -> Array:
    """Return the canvas under light from the upper left, `[h, w, 3]`: shaded slopes and a soft gloss."""
    slope_y, slope_x = np.gradient(canvas.height, 1 / canvas.scale)
    facing = strength * (0.6 * slope_x + 0.8 * slope_y)
    facing = facing / np.sqrt(1 + facing**2)
    shaded = canvas.color * (1 + 0.42 * facing[..., None])
    gloss = 0.2 * smoothstep(0.45, 1.0, facing)[..., None]
    return np.clip(shaded + gloss * (1 - shaded), 0, 1).astype(np.float32)
