"""Phase reconstruction by fast Griffin-Lim."""

import functools

import jax
import jax.numpy as jnp

from nst.transfer.audio.spectrogram import Magnitudes, Samples, Stft, inverse, transform

# α: Perraudin, Balazs and Søndergaard recommend 0.99 (section 4); with 0 it is the algorithm of Griffin and Lim.
_MOMENTUM = 0.99


@functools.partial(jax.jit, static_argnames="steps")
def griffin_lim(magnitudes: Magnitudes, start: Samples, stft: Stft, steps: int) -> Samples:
    """Return audio whose transform has nearly the given magnitudes.

    Source: Perraudin, Balazs and Søndergaard, A Fast Griffin-Lim Algorithm, WASPAA 2013, algorithm 2. All channels are
    computed together, in one compiled scan.

    Args:
      magnitudes: `[channels, frames, bins]`, not negative.
      start: `[channels, samples]`, audio whose phases are the initial ones.
      stft: The transform of both.
      steps: Iterations; each is one inverse transform and one transform.

    Returns:
      `[channels, samples]`.
    """
    samples = start.shape[1]

    def impose(real: Magnitudes, imaginary: Magnitudes) -> Samples:
        # A bin of magnitude zero has no phase: it gets phase zero.
        size = jnp.sqrt(real**2 + imaginary**2)
        real, imaginary = jnp.where(size > 0, real, 1.0), jnp.where(size > 0, imaginary, 0.0)
        scale = magnitudes / jnp.where(size > 0, size, 1.0)
        return inverse(real * scale, imaginary * scale, stft, samples)

    def step(carry: tuple, _: None) -> tuple[tuple, None]:
        (real, imaginary), before = carry
        now = transform(impose(real, imaginary), stft)
        ahead = jax.tree.map(lambda new, old: new + _MOMENTUM * (new - old), now, before)
        return (ahead, now), None

    first = transform(start, stft)
    ((real, imaginary), _), _ = jax.lax.scan(step, (first, first), length=steps)
    return impose(real, imaginary)
