"""Phases for magnitudes: fast Griffin-Lim."""

import functools

import jax
import jax.numpy as jnp

from nst.audio.spectrogram import Magnitudes, Samples, Stft, inverse, transform

# Perraudin, Balazs and Søndergaard recommend 0.99 (section 4); with 0 it is Griffin and Lim's own.
_MOMENTUM = 0.99


@functools.partial(jax.jit, static_argnames="steps")
def griffin_lim(wanted: Magnitudes, start: Samples, stft: Stft, steps: int) -> Samples:
    """A sound whose magnitudes are near the ones wanted.

    Source: Perraudin, Balazs and Søndergaard, A Fast Griffin-Lim Algorithm, WASPAA 2013, algorithm 2. All channels go
    together, in one compiled scan.

    Args:
      wanted: `[channels, frames, bins]`, not negative.
      start: `[channels, samples]`, the sound whose phases are the first ones.
      stft: The transform of both.
      steps: Iterations, of an inverse transform and a transform each.

    Returns:
      `[channels, samples]`.
    """
    samples = start.shape[1]

    def impose(real: Magnitudes, imaginary: Magnitudes) -> Samples:
        # A bin without a phase yet gets an angle of zero.
        size = jnp.sqrt(real**2 + imaginary**2)
        real, imaginary = jnp.where(size > 0, real, 1.0), jnp.where(size > 0, imaginary, 0.0)
        scale = wanted / jnp.where(size > 0, size, 1.0)
        return inverse(real * scale, imaginary * scale, stft, samples)

    def step(carry: tuple, _: None) -> tuple[tuple, None]:
        (real, imaginary), before = carry
        now = transform(impose(real, imaginary), stft)
        ahead = jax.tree.map(lambda new, old: new + _MOMENTUM * (new - old), now, before)
        return (ahead, now), None

    first = transform(start, stft)
    ((real, imaginary), _), _ = jax.lax.scan(step, (first, first), length=steps)
    return impose(real, imaginary)
