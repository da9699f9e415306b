"""Fields over the picture's plane, in design pixels: the same picture at every resolution it is drawn at."""

import numpy as np

#: The size that all compositions are laid out for.
WIDTH, HEIGHT = 1024, 768

_LATTICE = 256

Array = np.ndarray
Number = float | int


def grid(scale: float) -> tuple[Array, Array]:
    """The design coordinates x, y of the pixel centres, `[h, w]` each, at `scale` pixels per design pixel."""
    h, w = round(HEIGHT * scale), round(WIDTH * scale)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    return (x + 0.5) / scale, (y + 0.5) / scale


def smoothstep(low: Number | Array, high: Number | Array, x: Array) -> Array:
    """0 below `low`, 1 above `high`, a cubic between them; falling where `low` > `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def noise(rng: np.random.Generator, x: Array, y: Array, cell: Number, octaves: int = 1) -> Array:
    """Smooth random values in about [-1, 1] that vary over `cell` design pixels, halved with each octave."""
    total = np.zeros(np.broadcast(x, y).shape, np.float32)
    for octave in range(octaves):
        lattice = rng.uniform(-1, 1, (_LATTICE, _LATTICE)).astype(np.float32)
        total += _interpolate(lattice, x * 2**octave / cell, y * 2**octave / cell) / 2**octave
    return total


def _interpolate(lattice: Array, x: Array, y: Array) -> Array:
    i, j = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
    t, s = smoothstep(0, 1, y - i), smoothstep(0, 1, x - j)
    i0, i1, j0, j1 = (index % _LATTICE for index in (i, i + 1, j, j + 1))
    top = lattice[i0, j0] * (1 - s) + lattice[i0, j1] * s
    bottom = lattice[i1, j0] * (1 - s) + lattice[i1, j1] * s
    return top * (1 - t) + bottom * t


def palette(*colours: str) -> Array:
    """Colours written as `"rrggbb"`, as sRGB values in [0, 1], `[n, 3]`."""
    return np.array([list(bytes.fromhex(colour)) for colour in colours], np.float32) / 255


def ramp(colours: Array, tone: Array) -> Array:
    """The colour at `tone` in [0, 1] between the first and the last of `colours` `[n, 3]`."""
    position = np.clip(tone, 0, 1) * (len(colours) - 1)
    low = np.minimum(position.astype(np.int32), len(colours) - 2)
    t = (position - low)[..., None].astype(np.float32)
    return colours[low] * (1 - t) + colours[low + 1] * t


def halve(picture: Array) -> Array:
    """The mean of each 2×2 pixels: `[2h, 2w, 3]` to `[h, w, 3]`."""
    h, w, channels = picture.shape
    return picture.reshape(h // 2, 2, w // 2, 2, channels).mean((1, 3))


def edges(labels: Array) -> Array:
    """1 where a pixel's label differs from the next one's, to the right or below; else 0."""
    found = np.zeros(labels.shape, np.float32)
    found[:, :-1] = labels[:, :-1] != labels[:, 1:]
    found[:-1] = np.maximum(found[:-1], labels[:-1] != labels[1:])
    return found


def blur(values: Array, radius: float) -> Array:
    """Values `[h, w]` smoothed by a Gaussian whose standard deviation is `radius` pixels."""
    reach = int(3 * radius) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for _ in range(2):
        padded = np.pad(values.T, ((reach, reach), (0, 0)), "edge")
        h = values.shape[1]
        values = sum((k * padded[i : i + h] for i, k in enumerate(kernel)), np.zeros(1, np.float32))
    return values
