"""A drawn scene with known motion: a ball rolls over leaves, and the camera pans and zooms.

Both the leaves and the ball are images that a similarity maps to each frame. The flow between any two frames and the
visible positions are therefore known exactly: an oracle for optical flow.
"""

import functools
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.ndimage
from jaxtyping import Bool, Float, UInt8

#: Points x + i y.
_Points = npt.NDArray[np.complex128]

HEIGHT, WIDTH = 180, 320
NUMBER = 48
RATE = Fraction(24)

_MARGIN = 80  # leaves around the first frame, in pixels
_FINE = 2  # samples of the texture of the leaves for each pixel
_RADIUS = 34.0  # of the ball, pixels

_GROUND = np.array([38, 52, 47])
_LEAVES = np.array(
    [
        [92, 122, 84],
        [128, 150, 96],
        [164, 174, 112],
        [201, 190, 128],
        [110, 148, 134],
        [78, 108, 104],
        [214, 160, 106],
    ]
)
_BALL = np.array([[226, 104, 86], [244, 222, 190]])


def frames() -> Iterator[UInt8[np.ndarray, "180 320 3"]]:
    """Yield the images of the scene."""
    for number in range(NUMBER):
        yield _drawn(number)


def flow(i: int, j: int) -> tuple[Float[np.ndarray, "180 320 2"], Bool[np.ndarray, "180 320"]]:
    """Return the motion from frame `i` to frame `j`, and which positions are visible in both.

    Returns:
      The displacement (x, y) of each position of frame `i` in pixels, also where it is hidden or outside frame `j`; and
      a mask, true at positions of frame `i` that are visible in frame `j`.
    """
    points = _grid()
    on_ball = _inside(points, i)
    leaves = _camera(j)(_inverse(_camera(i))(points))
    target: _Points = np.where(on_ball, _ball(j)(_inverse(_ball(i))(points)), leaves)
    slack = 1e-9  # of rounding
    within = (np.abs(target.real - (WIDTH - 1) / 2) <= (WIDTH - 1) / 2 + slack) & (
        np.abs(target.imag - (HEIGHT - 1) / 2) <= (HEIGHT - 1) / 2 + slack
    )
    motion = target - points
    return np.stack([motion.real, motion.imag], axis=2), within & (on_ball | ~_inside(target, j))


class _Similarity(NamedTuple):
    """z ↦ a z + b on points x + i y: a has scale and angle, b the shift."""

    a: complex
    b: complex

    def __call__(self, z: _Points) -> _Points:
        return self.a * z + self.b


def _inverse(map: _Similarity) -> _Similarity:
    return _Similarity(1 / map.a, -map.b / map.a)


def _camera(number: int) -> _Similarity:
    """Return the map from the first frame's leaves to frame `number`: a pan, with a slight zoom about the center."""
    t = number / (NUMBER - 1)
    center = complex(WIDTH - 1, HEIGHT - 1) / 2
    zoom = 1 + 0.12 * t
    eye = center + complex(70 * _eased(t), -14 * np.sin(np.pi * t))
    return _Similarity(complex(zoom), center - zoom * eye)


def _ball(number: int) -> _Similarity:
    """Return the map from the ball, of radius 1 about 0, to frame `number`; it rolls across the frame."""
    t = number / (NUMBER - 1)
    x = 60 + 200 * t
    y = 104 + 26 * np.cos(2 * np.pi * t)
    return _Similarity(_RADIUS * np.exp(1j * (x - 60) / (2 * _RADIUS)), complex(x, y))


def _eased(t: float) -> float:
    return t * t * (3 - 2 * t)


def _grid() -> _Points:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return x + 1j * y


def _inside(points: _Points, number: int) -> np.ndarray:
    return np.abs(_inverse(_ball(number))(points)) < 1


def _drawn(number: int) -> np.ndarray:
    points = _grid()
    on_leaves = _inverse(_camera(number))(points)
    rows, columns = ((part + _MARGIN) * _FINE for part in (on_leaves.imag, on_leaves.real))
    image = np.stack(
        [scipy.ndimage.map_coordinates(channel, [rows, columns], order=1) for channel in _texture()], axis=2
    )
    on_ball = _inverse(_ball(number))(points)
    cover = np.clip((1 - np.abs(on_ball)) * _RADIUS + 0.5, 0, 1)[..., None]
    return np.rint(image * (1 - cover) + _ball_color(on_ball) * cover).clip(0, 255).astype(np.uint8)


def _ball_color(z: _Points) -> np.ndarray:
    """Return the color of the ball at points z of the unit disk: swirling stripes with speckles, darker at its rim."""
    r = np.abs(z)
    stripe = 0.5 + 0.5 * np.tanh(4 * np.sin(5 * np.angle(z) + 3 * r))
    speckle = np.sin(17 * z.real + 5 * z.imag) * np.sin(13 * z.imag - 7 * z.real)
    color = _BALL[0] + (_BALL[1] - _BALL[0]) * stripe[..., None]
    shade = 1 - 0.35 * r**4 + 0.06 * speckle
    return color * shade[..., None]


@functools.cache
def _texture() -> np.ndarray:
    """Return the leaves as `[3, rows, columns]`: overlapping ellipses, ever smaller ones on top."""
    generator = np.random.default_rng(7)
    shape = _FINE * (HEIGHT + 2 * _MARGIN), _FINE * (WIDTH + 2 * _MARGIN)
    image = np.broadcast_to(_GROUND, (*shape, 3)).astype(np.float32)
    for length, number in ((64, 200), (40, 500), (24, 800), (12, 600)):
        for _ in range(number):
            _draw_leaf(image, generator, length * generator.uniform(0.7, 1.2))
    image = scipy.ndimage.gaussian_filter(image, (0.7, 0.7, 0))  # against stairs at the rims of leaves
    grain = scipy.ndimage.gaussian_filter(generator.standard_normal(shape), 1.2)
    image += 9 * (grain / grain.std())[..., None]
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def _draw_leaf(image: np.ndarray, generator: np.random.Generator, length: float) -> None:
    """Draw a leaf of some length, in samples, with a shadow at its rim, a midrib and veins."""
    center = generator.uniform(0, 1, 2) * image.shape[:2]
    top, left = (center - length).clip(0).astype(int)
    part = image[top : int(center[0] + length) + 1, left : int(center[1] + length) + 1]
    y, x = np.mgrid[: part.shape[0], : part.shape[1]] + np.array([top, left])[:, None, None]
    z: _Points = (
        (x - center[1] + 1j * (y - center[0])) / length * np.exp(1j * generator.uniform(0, 2 * np.pi))
    )
    half = 0.42 * (1 - z.real**2)  # half its width along the midrib
    across = np.abs(z.imag) / np.maximum(half, 1e-6)
    inside = (np.abs(z.real) < 1) & (across < 1)
    color = _LEAVES[generator.choice(len(_LEAVES), p=[0.2, 0.2, 0.17, 0.1, 0.14, 0.14, 0.05])]
    veins = 0.05 * np.sin(24 * (z.real - 0.6 * np.abs(z.imag)))
    light = generator.uniform(0.8, 1.12) * (1 + 0.12 * z.imag + veins) * (1 - 0.35 * across**6)
    light = np.where(np.abs(z.imag) < 0.02, 1.18, light)
    part[inside] = (color * light[..., None])[inside]
