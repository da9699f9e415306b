"""Runs of sounds: what they need, what is refused, what they leave behind."""

import functools
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from nst import audio, files, record, sounds
from nst.audio.spectrogram import magnitudes
from nst.errors import InputError, unknown
from nst.losses import STYLE_LOSSES
from nst.metrics.sound import spectral_convergence
from nst.optimize import OPTIMIZERS, optimiser
from nst.runs import memory
from nst.runs.prepare import Job, Kind
from nst.scale import Resume, Snapshot
from nst.sounds import Sound
from nst.types import Array

# Beside what is counted: libraries, and what compiling takes.
_REST = 400 * 2**20

_REMEDY = "shorten the sounds, lower audio.filters, or take optimizer.name=adam, which keeps no history"

# Where a sound starts that is not one itself.
_STARTS = ("content", "style", "noise")


class AudioTask(NamedTuple):
    """A run whose sounds are read: as `nst.audio.rows` has them, `samples` of the content's."""

    config: ConfigDict
    extractor: audio.Ear
    content: Array
    style: Array
    initial: Array
    samples: int
    gains: tuple[float, float]  # content's, style's
    files: dict[str, Any]

    def snapshots(self, resume: Resume | None) -> Iterator[Snapshot]:
        """The run."""
        config = self.config
        return audio.stylization(
            self.content,
            self.style,
            self.initial,
            extractor=self.extractor,
            steps=config.optimizer.steps,
            loss_settings=dict(config.loss),
            optimizer=config.optimizer.name,
            learning_rate=config.optimizer.learning_rate,
            every=(config.run.log_every, config.run.save_every),
            resume=resume,
        )

    def frame(self, params: Array, path: Path) -> None:
        """What has been reached, as a sound."""
        sounds.write(path, self._sound(self._sounding(params)))

    def results(self, params: Array, folder: Path, facts: str, output: Path | None) -> None:
        """The sound, both inputs as used, and what all three look like."""
        x = self._sounding(params)
        found = self._sound(x)
        content, style = (
            Sound(audio.columns(given, gain), self.config.audio.rate)
            for given, gain in zip((self.content[:, : self.samples], self.style), self.gains, strict=True)
        )
        for path in (folder / "audio.wav", output):
            if path is not None:
                sounds.write(path, found)
        if self.extractor.method == "spectrogram":
            record.write_json(folder / "phase.json", self._phase(params, x))
        sounds.write(folder / "content.wav", content)
        sounds.write(folder / "style.wav", style)
        audio.picture.write(folder / "spectrogram.png", found)
        audio.picture.write(folder / "content.png", content)
        audio.picture.write(folder / "style.png", style)
        named = [("content", content), ("style", style), ("result", found)]
        audio.picture.write_sheet(folder / "sheet.png", named)

    def _phase(self, params: Array, x: Array) -> dict[str, Any]:
        """How far the sound's magnitudes are from those that were asked for."""
        reached = np.asarray(magnitudes(x, self.extractor.longest.stft))
        found = spectral_convergence(reached, np.asarray(self.extractor.magnitudes(params)))
        return {"steps": self.config.audio.phase_steps, "spectral_convergence": found}

    def _sounding(self, params: Array) -> np.ndarray:
        return audio.sounding(params, self.extractor, self.initial, self.config.audio.phase_steps)

    def _sound(self, x: Array) -> Sound:
        return Sound(audio.columns(x[:, : self.samples], self.gains[0]), self.config.audio.rate)


def inputs(config: ConfigDict, job: Job) -> dict[str, Path]:
    """The sounds that a job reads."""
    paths = {"content": job.content, "style": job.style}
    if config.audio.init not in _STARTS:
        paths["init"] = sounds.list_sounds(config.audio.init)[0]
    return paths


def check(config: ConfigDict, jobs: Sequence[Job], limit: int | float) -> audio.Ear:
    """Look at every sound, then draw the filters."""
    if config.loss.style_loss not in STYLE_LOSSES:
        raise unknown("config.loss.style_loss", config.loss.style_loss, STYLE_LOSSES)
    if config.optimizer.name not in OPTIMIZERS or config.optimizer.name == "lbfgs_pyramid":
        names = [name for name in OPTIMIZERS if name != "lbfgs_pyramid"]
        raise unknown("optimizer of a sound", config.optimizer.name, names)
    if not 2000 <= config.audio.rate <= 192_000:
        raise InputError(f"config.audio.rate = {config.audio.rate}: give 2000 to 192000 Hz")
    audio.features.check(config.audio.method, config.audio.n_fft)
    if config.audio.method == "waveform" and config.optimizer.name == "lbfgs":
        raise InputError(
            "config.optimizer.name = lbfgs: on samples its steps may lead up: "
            "take configs/audio.py:waveform, which has adam"
        )
    named = {(name, path) for job in jobs for name, path in inputs(config, job).items()}
    shapes = {
        path: sounds.read(path, rate=config.audio.rate, max_seconds=float(limit)).samples.shape
        for path in sorted({path for _, path in named})
    }
    settings = config.audio
    ear = _drawn(settings.method, settings.n_fft, settings.rate, settings.filters, settings.seed)
    content, style = (max(shapes[path] for name, path in named if name == x) for x in ("content", "style"))
    needed, free = _needed(ear, config.optimizer.name, content, style), memory.free()
    if free is not None and needed > free:
        told = (
            f"{content[0] / settings.rate:.0f} and {style[0] / settings.rate:.0f} seconds of sound need about"
        )
        told += f" {memory.gib(needed)} and {memory.gib(free)} are free: {_REMEDY}"
        warnings.warn(told, memory.MemoryWarning, stacklevel=2)
    return ear


# The runs of a sweep share it: drawing 23 million numbers takes a second.
@functools.lru_cache(maxsize=1)
def _drawn(method: str, n_fft: int, rate: int, filters: int, seed: int) -> audio.Ear:
    return audio.ear(method, n_fft=n_fft, rate=rate, filters=filters, seed=seed)


def _needed(ear: audio.Ear, method: str, content: tuple[int, int], style: tuple[int, int]) -> int:
    """An estimate of the bytes that a run takes: filters, what they see and say, and the optimiser's history."""

    def seen(samples: int, channels: int) -> int:
        """What filters see and say."""
        return 4 * sum(
            channels * view.stft.frames(samples) * sum(view.kernel.shape) for view in ear.views.values()
        )

    filters = memory.held(ear)
    params = jax.eval_shape(ear.parameters, jax.ShapeDtypeStruct(content[::-1], jnp.float32))
    state = memory.held(jax.eval_shape(optimiser(method).init, params))
    return _REST + 2 * filters + state + max(3 * seen(*content), seen(*style))


def steps(config: ConfigDict) -> int:
    """Of the whole run."""
    return config.optimizer.steps


def size(config: ConfigDict) -> str:
    """What decides how much memory a run takes."""
    return f"{config.audio.content} with audio.filters={config.audio.filters}"


def read(config: ConfigDict, job: Job, extractor: audio.Ear, limit: int | float) -> AudioTask:
    """The sounds of a job."""
    paths = inputs(config, job)
    found = {
        name: audio.rows(sounds.read(path, rate=config.audio.rate, max_seconds=float(limit)).samples)
        for name, path in paths.items()
    }
    content, style = found["content"], found["style"]
    least = audio.shortest(extractor)
    samples = content.samples.shape[1]
    padded = np.pad(content.samples, ((0, 0), (0, max(0, least - samples))))
    if "init" in found:
        initial = audio.cut(found["init"].samples, *padded.shape)
    else:
        initial = audio.starting(config.audio.init, padded, style.samples, config.audio.seed)
    hashes = {name: {"path": str(path), "sha256": files.sha256(path)} for name, path in paths.items()}
    return AudioTask(
        config,
        extractor,
        content=padded,
        style=audio.lengthened(style.samples, least),
        initial=initial,
        samples=samples,
        gains=(content.gain, style.gain),
        files=hashes,
    )


SOUNDS = Kind(
    group="audio",
    result="audio.wav",
    files=(
        "audio.wav",
        "content.wav",
        "style.wav",
        "sheet.png",
        "spectrogram.png",
        "content.png",
        "style.png",
        "curve.png",
    ),
    suffix=".wav",
    limit=sounds.MAX_SECONDS,
    remedy=_REMEDY,
    find=sounds.list_sounds,
    each=sounds.each,
    check_output=sounds.check_output,
    inputs=inputs,
    check=check,
    read=read,
    steps=steps,
    size=size,
)
