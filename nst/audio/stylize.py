"""Style transfer of audio: one stage of the driver that images use. The library's entry."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nst import losses, optimize, optimizers, stages
from nst.audio.features import WIDTH, AudioFeatures, audio_features
from nst.audio.objective import objective
from nst.audio.phase import griffin_lim
from nst.audio.rows import columns, cut, lengthened, noise, rows
from nst.audio.spectrogram import Samples
from nst.config import loss_defaults
from nst.errors import InputError, unknown
from nst.objective import loss
from nst.stages import Method, Release, Resume, Snapshot, Stage, keep_memory
from nst.types import NO_CHANGES, Array, Settings

#: The default optimizer of each method. On samples L-BFGS, which has no line search, may diverge.
OPTIMIZERS = {"spectrogram": "lbfgs", "waveform": "adam"}

# Of Adam on samples, in units of full scale.
_RATE_OF_SAMPLES = 0.002


def default_rate(method: str, optimizer: str) -> float | None:
    """Return the learning rate of an optimizer for a method; None for the optimizer's own."""
    return _RATE_OF_SAMPLES if (method, optimizer) == ("waveform", "adam") else None


def shortest(extractor: AudioFeatures) -> int:
    """Samples that a sound needs for one position of every layer."""
    return (WIDTH - 1) * extractor.longest.stft.hop


def stylization(
    content: Samples,
    style: Samples,
    initial: Samples,
    *,
    extractor: AudioFeatures,
    steps: int,
    loss_settings: Settings = NO_CHANGES,
    optimizer: str = "lbfgs",
    learning_rate: float | None = None,
    seed: int = 0,
    every: Sequence[int] = (),
    resume: Resume | None = None,
    release: Release = keep_memory,
) -> Iterator[Snapshot]:
    """Stylize audio (after Ulyanov and Lebedev, Audio Texture Synthesis and Style Transfer, 2016).

    Args:
      content: `[channels, samples]`, as `rows` gives it.
      style: `[channels, samples]`, of any length.
      initial: `[channels, samples]` as the content, where it starts.
      extractor: What sounds are compared in.
      steps: Optimization steps.
      loss_settings: Settings of the loss that replace the defaults (`nst.audio.objective.objective`).
      optimizer: One of `nst.optimizers.OPTIMIZERS`.
      learning_rate: The optimizer's own by default.
      seed: Of stochastic terms.
      every: A snapshot is yielded at least at the multiples of these step numbers.
      resume: Where an earlier run stood.
      release: Called where much memory has just become free.

    Yields:
      A snapshot where it begins, about every two seconds, and at the end. Its parameters are `sounding`'s.

    Raises:
      RunError: A value is not finite; the last good snapshot was yielded before.
    """
    defaults = loss_defaults("audio")
    for name in loss_settings:
        if name not in defaults:
            raise unknown("setting of the loss", name, defaults)
    named = defaults | dict(loss_settings)
    if named["resample"] is None:
        named["resample"] = optimizers.named(optimizer).stochastic
    settings = losses.checked(named)
    check_style_loss(settings)
    random = losses.stochastic(settings)
    method = Method(
        optimize.by_vjp(loss),
        optimizers.optimizer(optimizer, random),
        learning_rate,
        batch_at=optimize.keys(seed) if random else None,
    )
    stage = Stage(
        steps,
        jax.eval_shape(extractor.parameters, jnp.asarray(initial)),
        objective=lambda: objective(extractor, content, style, settings),
        begin=lambda _: extractor.parameters(initial),
    )
    yield from stages.run([stage], method, every=every, resume=resume, release=release)


def check_style_loss(settings: Settings) -> None:
    """Raise InputError if audio has no such style loss; `settings` are those of `nst.losses.checked`."""
    reason = settings["style_loss"].image_only
    if reason:
        usable = ", ".join(name for name, loss in losses.STYLE_LOSSES.items() if not loss.image_only)
        raise InputError(f"loss.style_loss is not for audio ({reason}): take {usable}")


def sounding(params: Array, extractor: AudioFeatures, initial: Samples, phase_steps: int) -> np.ndarray:
    """Reconstruct audio from what is optimized.

    Args:
      params: A snapshot's image.
      extractor: The run's.
      initial: `[channels, samples]`, whose phases the first ones are.
      phase_steps: Iterations of fast Griffin-Lim, where magnitudes are optimized.

    Returns:
      `[channels, samples]`.
    """
    if extractor.method == "waveform":
        return np.asarray(params)
    wanted = extractor.magnitudes(params)
    return np.asarray(griffin_lim(wanted, jnp.asarray(initial), extractor.longest.stft, phase_steps))


def stylize(
    content: np.ndarray,
    style: np.ndarray,
    rate: int,
    *,
    method: str = "spectrogram",
    steps: int = 100,
    init: str = "content",
    seed: int = 0,
    filters: int = 2048,
    n_fft: int = 2048,
    phase_steps: int = 64,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    **loss_settings: Any,
) -> np.ndarray:
    """Play the content with the sound of the style.

    Args:
      content: `[samples, channels]`, one channel or two.
      style: The same, of any length.
      rate: Of both, Hz.
      method: One of `nst.audio.METHODS`.
      steps: Optimization steps.
      init: `content`, `style` or `noise`.
      seed: Of noise and filters.
      filters: Random ones, of each layer.
      n_fft: Window of the method `spectrogram`, samples.
      phase_steps: Of fast Griffin-Lim.
      optimizer: `lbfgs` or `adam`; by default the one of `OPTIMIZERS` for the method.
      learning_rate: `default_rate` by default.
      **loss_settings: Settings of the loss that replace the defaults of the config's group `loss`.

    Returns:
      `[samples, channels]`, as loud as the content.

    Raises:
      InputError: A name or number that can't be used.
      RunError: A value became infinite or NaN on the way.
    """
    if optimizer is None:
        optimizer = OPTIMIZERS.get(method, "lbfgs")
    if learning_rate is None:
        learning_rate = default_rate(method, optimizer)
    extractor = audio_features(method, n_fft=n_fft, rate=rate, filters=filters, seed=seed)
    content_rows, style_rows = rows(content), rows(style)
    least = shortest(extractor)
    padded = np.pad(content_rows.samples, ((0, 0), (0, max(0, least - content_rows.samples.shape[1]))))
    begin = starting(init, padded, style_rows.samples, seed)
    *_, last = stylization(
        padded,
        lengthened(style_rows.samples, least),
        begin,
        extractor=extractor,
        steps=steps,
        loss_settings=loss_settings,
        optimizer=optimizer,
        learning_rate=learning_rate,
        seed=seed,
    )
    samples = sounding(last.image, extractor, begin, phase_steps)
    return columns(samples[:, : content_rows.samples.shape[1]], content_rows.gain)


def starting(init: str, content: Samples, style: Samples, seed: int) -> np.ndarray:
    """Where the descent begins: `content`, `style` at the content's length, or `noise`; InputError for another."""
    starts = {
        "content": lambda: np.asarray(content),
        "style": lambda: cut(style, *content.shape),
        "noise": lambda: noise(seed, *content.shape),
    }
    if init not in starts:
        raise unknown("init", init, starts)
    return starts[init]()
