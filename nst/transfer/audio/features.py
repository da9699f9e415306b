"""The extractor of audio: random convolutions over the frames of spectrograms.

Two methods differ in the parameters that are optimized. `spectrogram` optimizes log magnitudes; audio is reconstructed
from them afterwards. `waveform` optimizes the samples, with features at several resolutions.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nst.audio import mel
from nst.errors import InputError, unknown
from nst.transfer.audio.spectrogram import Magnitudes, Samples, Stft, magnitudes, stft
from nst.types import Array, Features

#: `spectrogram` as Ulyanov and Lebedev 2016; `waveform` after Mital 2017 and Caracalla and Roebel 2020.
METHODS = ("spectrogram", "waveform")

#: The frames that a filter spans.
WIDTH = 11

# Features are computed from log(1 + γ |X|). With Ulyanov and Lebedev's γ = 1, everything 40 dB below the peaks hardly
# counts; with γ = 10 results are nearer to the style in every metric. For `waveform`, which has mel bands, 10 gains
# nothing.
_GAMMA = {"spectrogram": 10.0, "waveform": 1.0}

# The minimum unit of a frequency (`scaled`), relative to that of the loudest one. The unit of a silent frequency must
# not be 0.
_LEAST_LEVEL = 1e-6

# Windows of the method `waveform`, samples; each hop is a quarter of its window.
_WINDOWS = (512, 1024, 2048)
_BANDS = 128


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class FilterBank:
    """A view of audio: a spectrogram, optionally in mel bands, and frozen random filters over its frames.

    Attributes:
      stft: The transform of the spectrogram.
      mel: The weight of each bin in each mel band; None for a spectrogram of bins.
      kernel: `[WIDTH · bins, filters]`, or `[WIDTH · bands, filters]` with mel bands.
    """

    stft: Stft
    mel: Float[Array, "bins bands"] | None
    kernel: Float[Array, "_ filters"]


#: The channels that are optimized: half the sum and half the difference of left and right.
CHANNELS = ("mid", "side")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AudioFeatures:
    """The extractor of audio: a layer for each view and channel, such as `conv mid`. See `nst.types.Extractor`.

    A pytree: other filters do not recompile.

    Attributes:
      views: The spectrograms and filters that features are computed from, by name.
      method: One of `METHODS`.
      level: The unit of the parameters of each frequency, `[bins]`, or a scalar for all frequencies; see `scaled`.
    """

    views: dict[str, FilterBank]
    method: str = field(metadata={"static": True})
    level: Float[Array, "*bins"]

    def layers(self, channels: int) -> tuple[str, ...]:
        """Return the names of all layers for audio with 1 channel or 2."""
        return tuple(f"{view} {channel}" for view in self.views for channel in CHANNELS[:channels])

    def __call__(self, x: Array, layers: Sequence[str], reference: Features | None = None) -> Features:
        """Compute features from the parameters that are optimized.

        Args:
          x: Parameters, from `parameters`.
          layers: Names from `layers`, or `energy`.
          reference: Not used, as features are computed in float32.

        Returns:
          Rectified features `[1, frames − 10, filters]` by layer name; `energy` is `[channels, frames, 1]`.
        """
        names = dict.fromkeys(layer.partition(" ")[0] for layer in layers if layer != "energy")
        views = {name: self._view(x, self.views[name]) for name in names}
        return {layer: self._layer(x, layer, views) for layer in layers}

    def _layer(self, x: Array, layer: str, views: Mapping[str, jax.Array]) -> jax.Array:
        if layer == "energy":
            return jnp.asarray(self.energy(x))[..., None]
        view, _, channel = layer.partition(" ")
        i = CHANNELS.index(channel)
        return views[view][i : i + 1]

    def _view(self, x: Array, view: FilterBank) -> jax.Array:
        spectrogram = _mel_spectrogram(x, view) if self.method == "waveform" else x * self.level
        return jax.nn.relu(_over_frames(spectrogram, view.kernel))

    def reference(self, x: Array, layers: Sequence[str]) -> Features:
        """Return an empty dict, as features are computed in float32."""
        return {}

    def freeze(self, layers: Sequence[str]) -> "AudioFeatures":
        """Return the extractor itself: it needs no preparation."""
        return self

    def scaled(self, *inputs: Samples) -> "AudioFeatures":
        """Return the extractor with a unit for the parameters of each frequency.

        The unit is the largest mean square of the frequency's log magnitudes over the inputs, relative to that of the
        loudest frequency. Random filters respond to all frequencies alike, so gradients are as large at frequencies
        that are silent in all inputs. Without units, the optimizer leaves noise there, which hardly changes the loss.
        The units do not change the loss. For the method `waveform`, which optimizes samples, the extractor is returned
        as it is.

        Args:
          inputs: Content, styles and initial audio, `[channels, samples]` each, of any length.
        """
        if self.method == "waveform":
            return self
        each = [_log_magnitudes(jnp.asarray(x), self.longest.stft) for x in inputs]
        level = jnp.max(jnp.stack([jnp.mean(jnp.square(x), axis=(0, 1)) for x in each]), axis=0)
        loudest = jnp.max(level)
        relative = level / jnp.where(loudest > 0, loudest, 1)
        return replace(self, level=jnp.maximum(relative, _LEAST_LEVEL))

    def parameters(self, x: Samples) -> jax.Array:
        """Return the parameters to optimize for audio `[channels, samples]`.

        Returns:
          For `spectrogram`, log(1 + γ |X|) in units of `level`, `[channels, frames, bins]`; for `waveform`, the
          samples.
        """
        if self.method == "waveform":
            return jnp.asarray(x)
        return _log_magnitudes(jnp.asarray(x), self.longest.stft) / self.level

    def energy(self, params: Array) -> Float[Array, "channels frames"]:
        """Return the root mean square of each frame of the longest window, up to a constant factor."""
        stft = self.longest.stft
        size = magnitudes(params, stft) if self.method == "waveform" else self.magnitudes(params)
        # The constant keeps the gradient of the root finite in silent frames.
        return jnp.sqrt(jnp.sum(size**2, axis=-1) + 1e-6) / stft.n_fft

    def magnitudes(self, params: Array) -> Magnitudes:
        """Return |X|, `[channels, frames, bins]`, not negative, from parameters of the method `spectrogram`."""
        return jnp.maximum(jnp.expm1(params * self.level), 0) / _GAMMA["spectrogram"]

    @property
    def longest(self) -> FilterBank:
        """The view with the longest window."""
        return max(self.views.values(), key=lambda view: view.stft.n_fft)


def check(method: str, n_fft: int) -> None:
    """Raise InputError if the method or the window can't be used."""
    if method not in METHODS:
        raise unknown("audio.method", method, METHODS)
    if n_fft % 4 or n_fft < 64:
        raise InputError(f"audio.n_fft = {n_fft}: give a multiple of 4 that is at least 64, such as 2048")


def audio_features(method: str, *, n_fft: int, rate: int, filters: int, seed: int) -> AudioFeatures:
    """Return an extractor with random filters: Gaussian, scaled by their number of inputs (He et al. 2015).

    Args:
      method: One of `METHODS`.
      n_fft: Window of the method `spectrogram`, samples.
      rate: Sampling rate of the audio, Hz.
      filters: Number of filters in each layer.
      seed: Seed of the filters.

    Raises:
      InputError: The method is unknown, or the window is not a multiple of 4 or below 64.
    """
    check(method, n_fft)
    windows = {"conv": n_fft} if method == "spectrogram" else {f"conv{n}": n for n in _WINDOWS}
    views = {}
    for i, (layer, window) in enumerate(windows.items()):
        transform = stft(window, window // 4)
        bank = (
            None
            if method == "spectrogram"
            else jnp.asarray(mel.filters(rate, transform.bins, _BANDS), jnp.float32)
        )
        height = transform.bins if bank is None else _BANDS
        views[layer] = FilterBank(transform, bank, _drawn(seed, i, WIDTH * height, filters))
    return AudioFeatures(views, method, jnp.ones(()))


def _mel_spectrogram(x: Samples, view: FilterBank) -> Magnitudes:
    """Return log(1 + γ |X|) by mel band, `[channels, frames, bands]`.

    |X| is scaled to a window of 2048 samples, because |X| grows with the length of the window.
    """
    scaled = magnitudes(x, view.stft) * (2048 / view.stft.n_fft)
    assert view.mel is not None  # each view of the method `waveform` has mel bands
    return jnp.log1p(_GAMMA["waveform"] * jnp.matmul(scaled, view.mel, precision=jax.lax.Precision.HIGHEST))


@functools.partial(jax.jit, static_argnums=(2, 3))
def _drawn(seed: Array | int, layer: Array | int, inputs: int, filters: int) -> jax.Array:
    key = jax.random.fold_in(jax.random.key(seed), layer)
    return jax.random.normal(key, (inputs, filters)) * np.sqrt(2 / inputs)


@jax.jit
def _log_magnitudes(x: Samples, stft: Stft) -> Magnitudes:
    return jnp.log1p(_GAMMA["spectrogram"] * magnitudes(x, stft))


def _over_frames(spectrogram: Magnitudes, kernel: Float[Array, "_ filters"]) -> jax.Array:
    """Convolve over frames, without padding, as one matrix product of `WIDTH` concatenated frames and the kernel."""
    frames = spectrogram.shape[1] - WIDTH + 1
    patches = jnp.concatenate([spectrogram[:, i : i + frames] for i in range(WIDTH)], axis=-1)
    return jnp.matmul(patches, kernel, precision=jax.lax.Precision.HIGHEST)
