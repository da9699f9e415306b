"""Fields over the plane of a painting, in design pixels, so that a painting is the same at every resolution."""

import numpy as np

#: The size that all compositions are laid out for.
WIDTH, HEIGHT = 1024, 768

_LATTICE = 256

Array = np.ndarray
Number = float | int


def grid(scale: float) -> tuple[Array, Array]:
    """Return the design coordinates x, y of pixel centers, `[h, w]` each, at `scale` pixels per design pixel."""
    h, w = round(HEIGHT * scale), round(WIDTH * scale)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    return (x + 0.5) / scale, (y + 0.5) / scale


def smoothstep(low: Number | Array, high: Number | Array, x: Array) -> Array:
    """Return 0 below `low`, 1 above `high`, and a cubic between them; it falls if `low` > `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def noise(rng: np.random.Generator, x: Array, y: Array, cell: Number, octaves: int = 1) -> Array:
    """Return smooth random values in about [-1, 1].

    They vary over `cell` design pixels; each further octave has half the cell and half the amplitude.
    """
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


def palette(*colors: str) -> Array:
    """Convert colors written as `"rrggbb"` to sRGB values in [0, 1], `[n, 3]`."""
    return np.array([list(bytes.fromhex(color)) for color in colors], np.float32) / 255


def ramp(colors: Array, tone: Array) -> Array:
    """Interpolate `colors` `[n, 3]` at `tone`, which is 0 at the first color and 1 at the last."""
    position = np.clip(tone, 0, 1) * (len(colors) - 1)
    low = np.minimum(position.astype(np.int32), len(colors) - 2)
    t = (position - low)[..., None].astype(np.float32)
    return colors[low] * (1 - t) + colors[low + 1] * t


def halve(image: Array) -> Array:
    """Return the mean of each 2×2 pixels: `[2h, 2w, 3]` to `[h, w, 3]`."""
    h, w, channels = image.shape
    return image.reshape(h // 2, 2, w // 2, 2, channels).mean((1, 3))


def edges(labels: Array) -> Array:
    """Return 1 where the label of a pixel differs from that of the next one to the right or below; else 0."""
    changes = np.zeros(labels.shape, np.float32)
    changes[:, :-1] = labels[:, :-1] != labels[:, 1:]
    changes[:-1] = np.maximum(changes[:-1], labels[:-1] != labels[1:])
    return changes


def blur(values: Array, radius: float) -> Array:
    """Smooth values `[h, w]` by a Gaussian whose standard deviation is `radius` pixels."""
    reach = int(3 * radius) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for _ in range(2):
        padded = np.pad(values.T, ((reach, reach), (0, 0)), "edge")
        h = values.shape[1]
        values = sum((k * padded[i : i + h] for i, k in enumerate(kernel)), np.zeros(1, np.float32))
    return values
