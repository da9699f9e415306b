"""Style transfer of audio, as one stage of the driver that images use."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nst import losses, optim, optimize, stages
from nst.audio import AudioLike, as_audio, warn_if_silent
from nst.errors import InputError, unknown
from nst.objective import loss
from nst.stages import Method, Release, Resume, Snapshot, Stage, keep_memory
from nst.transfer.audio.features import WIDTH, AudioFeatures, audio_features
from nst.transfer.audio.objective import objective
from nst.transfer.audio.phase import griffin_lim
from nst.transfer.audio.rows import columns, cut, lengthened, noise, rows
from nst.transfer.audio.spectrogram import Samples
from nst.transfer.audio.styles import as_styles, in_units
from nst.transfer.callback import Callback, followed
from nst.transfer.settings import check_arguments, with_defaults
from nst.types import NO_CHANGES, Array, Settings, Style

#: The default optimizer of each method. On samples L-BFGS, which has no line search, may diverge.
OPTIMIZERS = {"spectrogram": "lbfgs", "waveform": "adam"}

# The learning rate of Adam on samples; 1 is full scale.
_RATE_ON_SAMPLES = 0.002


def default_rate(method: str, optimizer: str) -> float | None:
    """Return the learning rate of an optimizer for a method; None for the optimizer's own."""
    return _RATE_ON_SAMPLES if (method, optimizer) == ("waveform", "adam") else None


def shortest(extractor: AudioFeatures) -> int:
    """Return the minimum number of samples of audio, for which every layer has at least one position."""
    return (WIDTH - 1) * extractor.longest.stft.hop


def stylization(
    content: Samples,
    style: Samples | Sequence[Style],
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
      content: `[channels, samples]`, mono or mid and side, from `rows`.
      style: The same, of any length and with either number of channels; or several styles.
      initial: The initial audio, of the shape of the content.
      extractor: The feature extractor.
      steps: Optimization steps.
      loss_settings: Settings of the loss that replace the defaults (`nst.transfer.audio.objective.objective`).
      optimizer: One of `nst.optim.OPTIMIZERS`.
      learning_rate: By default the optimizer's own.
      seed: Seed of stochastic terms.
      every: Intervals in steps; a snapshot is yielded at least at every multiple of each interval.
      resume: The checkpoint of an earlier run to continue.
      release: Called when much memory has just become free.

    Yields:
      A snapshot at the start, about every two seconds, and at the end. `sounding` reconstructs audio from its image.

    Raises:
      InputError: A setting can't be used.
      RunError: A value is not finite; the last good snapshot was yielded before.
    """
    settings = losses.checked(with_defaults(loss_settings, optimizer, "audio"))
    check_style_loss(settings)
    random = losses.stochastic(settings)
    method = Method(
        optimize.by_vjp(loss),
        optim.optimizer(optimizer, random),
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
    """Raise InputError if the style loss is not for audio; `settings` are those of `nst.losses.checked`."""
    reason = settings["style_loss"].image_only
    if reason:
        usable = ", ".join(name for name, loss in losses.STYLE_LOSSES.items() if not loss.image_only)
        raise InputError(f"loss.style_loss is not for audio ({reason}): take {usable}")


def sounding(params: Array, extractor: AudioFeatures, initial: Samples, phase_steps: int) -> np.ndarray:
    """Reconstruct audio from optimized parameters.

    Args:
      params: The `image` of a snapshot, which for audio is the parameters.
      extractor: The extractor of the run.
      initial: `[channels, samples]`, audio whose phases are the initial ones.
      phase_steps: Iterations of fast Griffin-Lim, for the method `spectrogram`.

    Returns:
      `[channels, samples]`.
    """
    if extractor.method == "waveform":
        return np.asarray(params)
    magnitudes = extractor.magnitudes(params)
    return np.asarray(griffin_lim(magnitudes, jnp.asarray(initial), extractor.longest.stft, phase_steps))


def stylize_audio(
    content: AudioLike,
    style: AudioLike | Style | Sequence[AudioLike | Style],
    rate: int,
    *,
    method: str = "spectrogram",
    steps: int = 100,
    init: str = "content",
    seed: int = 0,
    filters: int = 2048,
    n_fft: int = 2048,
    phase_steps: int = 64,
    scaled: bool = True,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    callback: Callback | None = None,
    **loss_settings: Any,
) -> np.ndarray:
    """Return the content with the timbre of the style, or of a mixture of several.

    Args:
      content: A path, the name of a sample, `Audio`, or an array of the rate `rate`: `[samples]` or
        `[samples, channels]`, one channel, or left and right; integers are scaled to a full scale of ±1.
      style: The same, of any length, or a `Style`: audio in these forms with a weight; or a list of them.
      rate: Sampling rate of the result, Hz; files and `Audio` are resampled to it.
      method: One of `nst.transfer.audio.METHODS`.
      steps: Optimization steps.
      init: `content`, `style` (the first of several) or `noise`.
      seed: Seed of noise, of the filters and of stochastic terms.
      filters: Number of random filters in each layer.
      n_fft: Window of the method `spectrogram`, samples.
      phase_steps: Iterations of fast Griffin-Lim, for the method `spectrogram`.
      scaled: Whether magnitudes are optimized in a unit for each frequency, so that silent frequencies stay silent
        (`AudioFeatures.scaled`).
      optimizer: One of `nst.optim.OPTIMIZERS` that is not `image_only`; by default the one that suits the method
        (`nst.transfer.audio.stylize.OPTIMIZERS`).
      learning_rate: By default that of `default_rate`.
      callback: Called about every two seconds with a `Progress`: the step, the terms of the loss, and the result on
        demand. If it returns True, the transfer stops with the result of that step.
      **loss_settings: Settings of the loss that replace the defaults of the config's group `loss`.

    Returns:
      `[samples, channels]`, as loud as the content.

    Raises:
      InputError: A name or a number can't be used.
      RunError: A value became infinite or NaN.

    Example:
      >>> result = nst.stylize_audio("melody", "bells", 8000, steps=2, filters=16, phase_steps=2)
      >>> result.shape[1]  # mono, as the content is
      1
      >>> gain = nst.audio.write("styled.wav", nst.audio.Audio(result, 8000))
    """
    fields = {"rate": ("audio.rate", rate), "seed": ("audio.seed", seed), "n_fft": ("audio.n_fft", n_fft)}
    fields |= {"filters": ("audio.filters", filters), "phase_steps": ("audio.phase_steps", phase_steps)}
    fields |= {
        "steps": ("optimizer.steps", steps),
        "learning_rate": ("optimizer.learning_rate", learning_rate),
    }
    check_arguments(stylize_audio, fields, loss_settings, "audio")
    content, styles = as_audio("content", content, rate), as_styles(style, rate)
    warn_if_silent("content", content)
    for each in styles:
        warn_if_silent("style", each.image)
    if optimizer is None:
        optimizer = OPTIMIZERS.get(method, "lbfgs")
    if learning_rate is None:
        learning_rate = default_rate(method, optimizer)
    extractor = audio_features(method, n_fft=n_fft, rate=rate, filters=filters, seed=seed)
    content_rows = rows(content)
    styles = [each._replace(image=rows(each.image).samples) for each in styles]
    least = shortest(extractor)
    padded = np.pad(content_rows.samples, ((0, 0), (0, max(0, least - content_rows.samples.shape[1]))))
    begin = starting(init, padded, styles[0].image, seed)
    styles = [each._replace(image=lengthened(each.image, least)) for each in styles]
    if scaled:
        extractor = in_units(extractor, padded, styles, begin)
    snapshots = stylization(
        padded,
        styles,
        begin,
        extractor=extractor,
        steps=steps,
        loss_settings=loss_settings,
        optimizer=optimizer,
        learning_rate=learning_rate,
        seed=seed,
    )

    def result(snapshot: Snapshot) -> np.ndarray:
        samples = sounding(snapshot.image, extractor, begin, phase_steps)
        return columns(samples[:, : content_rows.samples.shape[1]], content_rows.gain)

    return followed(snapshots, steps, callback, result)


def starting(init: str, content: Samples, style: Samples, seed: int) -> np.ndarray:
    """Return the initial audio for an `init`: `content`, `style` (at the content's length) or `noise`.

    Raises:
      InputError: The `init` is unknown.
    """
    starts = {
        "content": lambda: np.asarray(content),
        "style": lambda: cut(style, *content.shape),
        "noise": lambda: noise(seed, *content.shape),
    }
    if init not in starts:
        raise unknown("init", init, starts)
    return starts[init]()
