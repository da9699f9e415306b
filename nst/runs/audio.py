"""Runs of audio: their inputs, checks and results."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from nst import audio, files, losses, record
from nst.audio import Audio
from nst.config import fields
from nst.errors import InputError, unknown
from nst.metrics.audio import spectral_convergence
from nst.optim import OPTIMIZERS, optimizer
from nst.runs import memory
from nst.runs.modality import File, Job, Limit, Modality, intervals
from nst.runs.styles import first_style, other_styles, style_names, style_weights
from nst.stages import Release, Resume, Snapshot
from nst.transfer import audio as transfer
from nst.transfer.audio.spectrogram import magnitudes
from nst.types import Array, Style, Values

# Bytes of libraries and of compilation.
_REST = 400 * 2**20

_REMEDY = "shorten the audio, lower audio.filters, or take optimizer.name=adam, which keeps no history"

# Values of `audio.init` that are not files.
_STARTS = ("content", "style", "noise")


class AudioTask(NamedTuple):
    """A run with its audio read.

    `content`, `styles` and `initial` are `[channels, samples]`, as `nst.transfer.audio.rows` returns them. `samples` is
    the length of the content before it is padded to the shortest length that the filters need.
    """

    config: ConfigDict
    extractor: transfer.AudioFeatures
    content: Array
    styles: Sequence[Style]
    initial: Array
    samples: int
    gains: Mapping[str, float]  # factor that brought each input to a common level, by name
    files: dict[str, Any]

    @property
    def steps(self) -> list[int]:
        """The steps of each stage."""
        return steps(dict(fields(self.config)))

    def save_input(self, name: str, folder: Path) -> None:
        """Write an input as the objective sees it, and its spectrogram."""
        file, sound = AUDIO.file(name), self._input(name)
        audio.write(folder / file.name, sound)
        if file.preview:
            transfer.plot.write(folder / file.preview, sound)

    def snapshots(self, resume: Resume | None, release: Release) -> Iterator[Snapshot]:
        """Yield the snapshots of the run, from the beginning or from a checkpoint."""
        config = self.config
        return transfer.stylization(
            self.content,
            self.styles,
            self.initial,
            extractor=self.extractor,
            steps=config.optimizer.steps,
            loss_settings=dict(config.loss),
            optimizer=config.optimizer.name,
            learning_rate=config.optimizer.learning_rate,
            every=intervals(config),
            seed=config.audio.seed,
            resume=resume,
            release=release,
        )

    def frame(self, image: Array, path: Path) -> None:
        """Write an intermediate result."""
        audio.write(path, self._sound(self._reconstruct(image)))

    def results(self, image: Array, folder: Path, facts: str, output: Path | None) -> None:
        """Write the result and its spectrogram, and the spectrograms of content, styles and result side by side."""
        x = self._reconstruct(image)
        result = self._sound(x)
        for path in (folder / "audio.wav", output):
            if path is not None:
                audio.write(path, result)
        if self.extractor.method == "spectrogram":
            record.write_json(folder / "phase.json", self._phase(image, x))
        transfer.plot.write(folder / "spectrogram.png", result)
        named = [(name, self._input(name)) for name in ("content", *style_names(self.files))]
        transfer.plot.write_sheet(folder / "sheet.png", [*named, ("result", result)])

    def _phase(self, params: Array, x: Array) -> dict[str, Any]:
        """Return how far the magnitudes of the audio are from those that were optimized."""
        actual = np.asarray(magnitudes(x, self.extractor.longest.stft))
        convergence = spectral_convergence(actual, np.asarray(self.extractor.magnitudes(params)))
        return {"steps": self.config.audio.phase_steps, "spectral_convergence": convergence}

    def _reconstruct(self, params: Array) -> np.ndarray:
        return transfer.sounding(params, self.extractor, self.initial, self.config.audio.phase_steps)

    def _sound(self, x: Array) -> Audio:
        return Audio(transfer.columns(x[:, : self.samples], self.gains["content"]), self.config.audio.rate)

    def _input(self, name: str) -> Audio:
        styles = dict(zip(style_names(self.files), self.styles, strict=True))
        whole = {"content": self.content, "init": self.initial}
        x = styles[name].image if name in styles else whole[name][:, : self.samples]
        return Audio(transfer.columns(x, self.gains[name]), self.config.audio.rate)


def find(config: ConfigDict, name: str) -> list[Path]:
    """Return the audio files that an input of a config stands for."""
    value = config.audio[name]
    words = _STARTS if name in AUDIO.optional else ()
    if name == "style":
        value = first_style(value)
    return [] if value in words else audio.list_audio(value, words)


def further(config: ConfigDict, main: Mapping[str, Path]) -> dict[str, Path]:
    """Return the files of all styles but the first, by name."""
    return other_styles("audio.style", config.audio.style, audio.list_audio)


def _weights(config: ConfigDict, names: Iterable[str]) -> list[float]:
    """Return the weight of each style among the inputs `names`."""
    return style_weights("audio.style_weights", config.audio.style_weights, len(style_names(names)))


def check(config: ConfigDict, jobs: Sequence[Job], limit: int | float) -> transfer.AudioFeatures:
    """Check the settings and that every file can be read; return the extractor with its random filters."""
    settings = losses.checked(dict(config.loss))
    transfer.check_style_loss(settings)
    random = losses.stochastic(settings)
    names = [name for name, optimizer in OPTIMIZERS.items() if not optimizer.image_only]
    if config.optimizer.name not in names:
        raise unknown("optimizer for audio", config.optimizer.name, names)
    optimizer(config.optimizer.name, random)
    if not 2000 <= config.audio.rate <= 192_000:
        raise InputError(f"config.audio.rate = {config.audio.rate}: give 2000 to 192000 Hz")
    transfer.features.check(config.audio.method, config.audio.n_fft)
    if config.audio.method == "waveform" and config.optimizer.name == "lbfgs":
        raise InputError(
            "config.optimizer.name = lbfgs: with audio.method=waveform its steps may raise the loss: "
            "leave it unset, or take adam, the default of this method"
        )
    for job in jobs:
        _weights(config, job.inputs)
    contents = {job.inputs["content"] for job in jobs}
    styles = {job.inputs[name] for job in jobs for name in style_names(job.inputs)}
    shapes = {}
    for path in sorted({path for job in jobs for path in job.inputs.values()}):
        samples = audio.read(path, rate=config.audio.rate, max_seconds=float(limit)).samples
        audio.warn_if_silent(str(path), samples)
        shapes[path] = samples.shape
    settings = config.audio
    extractor = _drawn(settings.method, settings.n_fft, settings.rate, settings.filters, settings.seed)
    content, style = (max(shapes[path] for path in paths) for paths in (contents, styles))
    seconds = [samples[0] / settings.rate for samples in (content, style)]
    what = f"{seconds[0]:.0f} seconds of content and {seconds[1]:.0f} of style"
    memory.check(what, _needed(extractor, config.optimizer.name, content, style), _REMEDY)
    return extractor


# Cached for the runs of a sweep: drawing 23 million numbers takes a second.
@functools.lru_cache(maxsize=1)
def _drawn(method: str, n_fft: int, rate: int, filters: int, seed: int) -> transfer.AudioFeatures:
    return transfer.audio_features(method, n_fft=n_fft, rate=rate, filters=filters, seed=seed)


def _needed(
    extractor: transfer.AudioFeatures, method: str, content: tuple[int, int], style: tuple[int, int]
) -> int:
    """Estimate the bytes that a run takes: filters, their inputs and outputs, and the optimizer's history."""

    def activations(samples: int, channels: int) -> int:
        """Count the bytes of the inputs and outputs of the filters."""
        return 4 * sum(
            channels * view.stft.frames(samples) * sum(view.kernel.shape) for view in extractor.views.values()
        )

    filters = memory.held(extractor)
    params = jax.eval_shape(extractor.parameters, jax.ShapeDtypeStruct(content[::-1], jnp.float32))
    state = memory.held(jax.eval_shape(optimizer(method).init, params))
    return _REST + 2 * filters + state + max(3 * activations(*content), activations(*style))


def steps(config: Values) -> list[int]:
    """Return the steps of the only stage, given the values of a config by dotted name."""
    return [int(config["optimizer.steps"])]


def size(config: ConfigDict) -> str:
    """Return the settings that decide how much memory a run takes."""
    return f"{config.audio.content} with audio.filters={config.audio.filters}"


def read(config: ConfigDict, job: Job, extractor: transfer.AudioFeatures, limit: int | float) -> AudioTask:
    """Read the audio of a job."""
    rows = {
        name: transfer.rows(audio.read(path, rate=config.audio.rate, max_seconds=float(limit)).samples)
        for name, path in job.inputs.items()
    }
    content, styles = rows["content"], [rows[name].samples for name in style_names(rows)]
    least = transfer.shortest(extractor)
    samples = content.samples.shape[1]
    padded = np.pad(content.samples, ((0, 0), (0, max(0, least - samples))))
    if "init" in rows:
        initial = transfer.cut(rows["init"].samples, *padded.shape)
    else:
        initial = transfer.starting(config.audio.init, padded, styles[0], config.audio.seed)
    weights = _weights(config, rows)
    longer = [Style(transfer.lengthened(x, least), w) for x, w in zip(styles, weights, strict=True)]
    if config.audio.scaled:
        extractor = transfer.in_units(extractor, padded, longer, initial)
    hashes = {name: {"path": str(path), "sha256": files.sha256(path)} for name, path in job.inputs.items()}
    return AudioTask(
        config,
        extractor,
        content=padded,
        styles=longer,
        initial=initial,
        samples=samples,
        gains={name: each.gain for name, each in rows.items()},
        files=hashes,
    )


AUDIO = Modality(
    name="audio",
    group="audio",
    inputs={name: File(f"{name}.wav", f"{name}.png") for name in ("content", "style")},
    optional={"init": File("init.wav")},
    further=further,
    result=File("audio.wav", "spectrogram.png"),
    config="configs/audio.py",
    limit=Limit("max_seconds", audio.MAX_SECONDS, "Refuse longer audio."),
    remedy=_REMEDY,
    find=find,
    each=lambda name, value: audio.each(value),
    check_output=lambda config, path: audio.check_output(path),
    check=check,
    read=read,
    steps=steps,
    size=size,
)
