"""Short-time Fourier transforms as matrix products: differentiable, with the same bits each time.

XLA's own FFT on a CPU sometimes differs in the last bits (docs/archive/optimizers.md). The conventions are librosa's: a
periodic Hann window, frames centered on multiples of the hop, zeros beyond both ends, no normalization by the window.
"""

import functools
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nst.types import Array

#: Audio `[channels, samples]`, and arrays `[channels, frames, bins]` such as magnitudes.
Samples = Float[Array, "_ _"]
Magnitudes = Float[Array, "_ _ _"]

# In units of |X|: it smooths |X| at zero, where the gradient of the root is infinite.
_SMOOTH = 1e-4


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Stft:
    """A short-time Fourier transform, made by `stft`.

    A pytree, so that its bases are arguments of compiled functions: XLA would spend minutes on folding constants of
    some MiB. `cosines` `[n_fft/2 + 1, bins]` and `sines` `[n_fft/2 − 1, bins]` cover half a frame, window included.
    """

    cosines: Array
    sines: Array
    window: Array
    n_fft: int = field(metadata={"static": True})
    hop: int = field(metadata={"static": True})

    @property
    def bins(self) -> int:
        """The number of frequencies, from 0 to half the rate."""
        return self.n_fft // 2 + 1

    def frames(self, samples: int) -> int:
        """Return the number of frames of audio with `samples` samples."""
        return 1 + samples // self.hop


@functools.cache
def stft(n_fft: int, hop: int) -> Stft:
    """Return the transform with a window of `n_fft` samples: an even number, and a multiple of `hop` by 2 or more."""
    half = n_fft // 2
    n = np.arange(n_fft)[:, None]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / n_fft)
    # Whole turns are subtracted in integers, before the angle is rounded.
    angles = 2 * np.pi * ((n * np.arange(half + 1)) % n_fft) / n_fft
    cosines, sines = (window * np.cos(angles))[: half + 1], (window * np.sin(angles))[1:half]
    cosines, sines, window = (jnp.asarray(x, jnp.float32) for x in (cosines, sines, window[:, 0]))
    return Stft(cosines, sines, window, n_fft, hop)


def transform(x: Samples, stft: Stft) -> tuple[Magnitudes, Magnitudes]:
    """Return the real and the imaginary part, each `[channels, frames, bins]`."""
    frames = _frame(x, stft)
    # The window is symmetric about its middle. So the real part follows from the sum of both halves and the imaginary
    # part from their difference, by matrices of half the size.
    half = stft.n_fft // 2
    mirrored = frames[..., :half:-1]  # n_fft − k for k = 1 … half − 1
    even = jnp.concatenate(
        [frames[..., :1], frames[..., 1:half] + mirrored, frames[..., half : half + 1]], axis=-1
    )
    odd = frames[..., 1:half] - mirrored
    return _product(even, stft.cosines), -_product(odd, stft.sines)


def magnitudes(x: Samples, stft: Stft) -> Magnitudes:
    """Return |X|, `[channels, frames, bins]`, smoothed at zero."""
    real, imaginary = transform(x, stft)
    return jnp.sqrt(real**2 + imaginary**2 + _SMOOTH**2) - _SMOOTH


def inverse(real: Magnitudes, imaginary: Magnitudes, stft: Stft, samples: int) -> Samples:
    """Return the audio whose transform is nearest in least squares (Griffin and Lim 1984, equation 6).

    Args:
      real: The real part of the transform, `[channels, frames, bins]`.
      imaginary: The imaginary part.
      stft: The transform.
      samples: The number of samples of the result.
    """
    weights = np.full(stft.bins, 2 / stft.n_fft, np.float32)
    weights[[0, -1]] /= 2
    half = stft.n_fft // 2
    even = _product(real * weights, stft.cosines.T)  # the same in both halves, with the window
    odd = _product(imaginary * weights, -stft.sines.T)
    # The first and the middle sample occur once in a frame, all others of `even` in both halves.
    middle = even[..., half : half + 1]
    frames = jnp.concatenate(
        [even[..., :1], even[..., 1:half] + odd, middle, (even[..., 1:half] - odd)[..., ::-1]], axis=-1
    )
    window = jnp.broadcast_to(stft.window**2, (1, *frames.shape[1:]))
    # At both ends the sum of the squared windows is nearly zero.
    return _overlap_add(frames, stft, samples) / jnp.maximum(_overlap_add(window, stft, samples), 1e-8)


def _product(a: Array, b: Array) -> jax.Array:
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)


def _blocks(stft: Stft, samples: int) -> int:
    """Return the number of hops that all frames together cover."""
    return stft.frames(samples) - 1 + stft.n_fft // stft.hop


def _frame(x: Samples, stft: Stft) -> jax.Array:
    """Cut audio into frames, `[channels, frames, n_fft]`, by slices of whole hops.

    The gradient of slices is a sum; that of indexing would be a scatter.
    """
    channels, samples = x.shape
    blocks, half = _blocks(stft, samples), stft.n_fft // 2
    padded = jnp.pad(x, ((0, 0), (half, blocks * stft.hop - half - samples)))
    hops = padded.reshape(channels, blocks, stft.hop)
    count = stft.frames(samples)
    return jnp.concatenate([hops[:, i : i + count] for i in range(stft.n_fft // stft.hop)], axis=-1)


def _overlap_add(frames: jax.Array, stft: Stft, samples: int) -> jax.Array:
    """Add overlapping frames: the adjoint of `_frame`."""
    channels, count, _ = frames.shape
    parts = jnp.split(frames, stft.n_fft // stft.hop, axis=-1)
    blocks = _blocks(stft, samples)
    padded = [jnp.pad(part, ((0, 0), (i, blocks - count - i), (0, 0))) for i, part in enumerate(parts)]
    hops = functools.reduce(jnp.add, padded)
    half = stft.n_fft // 2
    return hops.reshape(channels, -1)[:, half : half + samples]
