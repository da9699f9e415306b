"""Short-time Fourier transforms as products with a matrix: differentiable, and of the same bits each time.

XLA's own transform on a CPU now and then has other last bits (docs/archive/optimizers.md). Conventions are librosa's: a
periodic Hann window, frames centred on multiples of the hop, zeros beyond both ends, nothing divided by the window.
"""

import functools
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nst.types import Array

#: `[channels, samples]` and `[channels, frames, bins]`.
Samples = Float[Array, "_ _"]
Magnitudes = Float[Array, "_ _ _"]

# Beside a magnitude of 1, what a root of squares is smoothed by: its slope at zero is infinite.
_SMOOTH = 1e-4


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Stft:
    """A transform, from `stft`. A pytree: in a program its bases would be constants of some MiB, folded for minutes.

    `cosines` `[n_fft/2 + 1, bins]` and `sines` `[n_fft/2 − 1, bins]` are those of half a frame, windowed.
    """

    cosines: Array
    sines: Array
    window: Array
    n_fft: int = field(metadata={"static": True})
    hop: int = field(metadata={"static": True})

    @property
    def bins(self) -> int:
        """Frequencies from 0 to half the rate."""
        return self.n_fft // 2 + 1

    def frames(self, samples: int) -> int:
        """How many frames a sound has."""
        return 1 + samples // self.hop


@functools.cache
def stft(n_fft: int, hop: int) -> Stft:
    """The transform of a window and a hop in samples. The window is even, and the hop divides it twice or more."""
    half = n_fft // 2
    n = np.arange(n_fft)[:, None]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / n_fft)
    # The angle's multiple of a turn is taken out as an integer, before it is rounded.
    angles = 2 * np.pi * ((n * np.arange(half + 1)) % n_fft) / n_fft
    cosines, sines = (window * np.cos(angles))[: half + 1], (window * np.sin(angles))[1:half]
    cosines, sines, window = (jnp.asarray(x, jnp.float32) for x in (cosines, sines, window[:, 0]))
    return Stft(cosines, sines, window, n_fft, hop)


def transform(x: Samples, stft: Stft) -> tuple[Magnitudes, Magnitudes]:
    """Real and imaginary part, each `[channels, frames, bins]`."""
    frames = _framed(x, stft)
    # The window is even around its middle: the sum of both halves has the real part, their difference the imaginary
    # one, and two products of half the size do for one.
    half = stft.n_fft // 2
    mirrored = frames[..., :half:-1]  # n_fft − k for k = 1 … half − 1
    even = jnp.concatenate(
        [frames[..., :1], frames[..., 1:half] + mirrored, frames[..., half : half + 1]], axis=-1
    )
    odd = frames[..., 1:half] - mirrored
    return _product(even, stft.cosines), -_product(odd, stft.sines)


def magnitudes(x: Samples, stft: Stft) -> Magnitudes:
    """|X|, smooth at zero."""
    real, imaginary = transform(x, stft)
    return jnp.sqrt(real**2 + imaginary**2 + _SMOOTH**2) - _SMOOTH


def inverse(real: Magnitudes, imaginary: Magnitudes, stft: Stft, samples: int) -> Samples:
    """The sound whose transform is nearest in squares (Griffin and Lim 1984, equation 6)."""
    weights = np.full(stft.bins, 2 / stft.n_fft, np.float32)
    weights[[0, -1]] /= 2
    half = stft.n_fft // 2
    even = _product(real * weights, stft.cosines.T)  # both halves have it, windowed
    odd = _product(imaginary * weights, -stft.sines.T)
    # The middle and the first sample stand once in `even`, all others of a half twice in a frame.
    middle = even[..., half : half + 1]
    frames = jnp.concatenate(
        [even[..., :1], even[..., 1:half] + odd, middle, (even[..., 1:half] - odd)[..., ::-1]], axis=-1
    )
    window = jnp.broadcast_to(stft.window**2, (1, *frames.shape[1:]))
    # At the ends squared windows add up to next to nothing.
    return _added(frames, stft, samples) / jnp.maximum(_added(window, stft, samples), 1e-8)


def _product(a: Array, b: Array) -> jax.Array:
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)


def _blocks(stft: Stft, samples: int) -> int:
    """Hops that all frames together cover."""
    return stft.frames(samples) - 1 + stft.n_fft // stft.hop


def _framed(x: Samples, stft: Stft) -> jax.Array:
    """Frames by slices of whole hops: their gradient is a sum of slices, that of indices would be a scatter."""
    channels, samples = x.shape
    blocks, half = _blocks(stft, samples), stft.n_fft // 2
    padded = jnp.pad(x, ((0, 0), (half, blocks * stft.hop - half - samples)))
    hops = padded.reshape(channels, blocks, stft.hop)
    count = stft.frames(samples)
    return jnp.concatenate([hops[:, i : i + count] for i in range(stft.n_fft // stft.hop)], axis=-1)


def _added(frames: jax.Array, stft: Stft, samples: int) -> jax.Array:
    """The adjoint of `_framed`: overlapping frames added up."""
    channels, count, _ = frames.shape
    parts = jnp.split(frames, stft.n_fft // stft.hop, axis=-1)
    blocks = _blocks(stft, samples)
    padded = [jnp.pad(part, ((0, 0), (i, blocks - count - i), (0, 0))) for i, part in enumerate(parts)]
    hops = functools.reduce(jnp.add, padded)
    half = stft.n_fft // 2
    return hops.reshape(channels, -1)[:, half : half + samples]
