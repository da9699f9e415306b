"""A run of video with its inputs read: what is optimized, and what is written."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from nst import audio, features, files, flow, images, video
from nst.guided import WHOLE
from nst.runs.guidance import plain_styles
from nst.runs.image_task import scales
from nst.runs.modality import Job, intervals
from nst.runs.styles import style_names
from nst.stages import Release, Resume, Snapshot
from nst.transfer.audio import stylize_audio
from nst.transfer.color import finished
from nst.transfer.image import sides_at
from nst.transfer.video import Frames, Index, Motion, flow_size, frame_size, steps, stylization
from nst.types import Array, Audio, Image, Network, Style

# Frames of the sheet.
_SHOWN = 4

# Sampling rate of stylized sound, Hz, as in configs of audio.
_RATE = 22_050


@dataclass(frozen=True)
class VideoTask:
    """A run with its inputs read.

    Attributes:
      config: The config of the run.
      extractor: The network.
      clip: The description of the content.
      frames: The frames on disk.
      index: Their index.
      size: Height and width of the result.
      styles: The styles as they are used.
      inputs: The files by name.
      limit: The largest image to decode, pixels.
      files: The path and the SHA-256 of each input.
    """

    config: ConfigDict
    extractor: Network
    clip: video.Clip
    frames: Frames
    index: Index
    size: tuple[int, int]
    styles: Sequence[Style]
    inputs: dict[str, Path]
    limit: int
    files: dict[str, Any]

    @property
    def steps(self) -> list[int]:
        """The steps of each stage."""
        return steps(self.index, scales(self.config), motion(self.config))

    def save_input(self, name: str, folder: Path) -> None:
        """Write an input as the run uses it; of the content also the first frame."""
        if name == "content":
            images.write(folder / "content.png", next(self._contents()))
            video.write(
                folder / "content.mp4", self._timed(self._contents()), clip=self.clip, sound=self._own_sound()
            )
        elif name == "audio_style":
            audio.write(folder / "audio_style.wav", audio.read(self.inputs[name]))
        else:
            images.write(folder / f"{name}.png", self._image(name))

    def _image(self, name: str) -> np.ndarray:
        if name == "init":
            return self._initial(images.read(self.frames.content(0)))
        index = style_names(self.inputs).index(name)
        side = sides_at(max(self.size), self.config.images.style_scale)["style"]
        style = self.styles[index]
        return images.fit(style.image, max(1, round(side * style.scale)))

    def _initial(self, content: Image) -> np.ndarray:
        start = str(self.inputs.get("init", self.config.images.init))
        seed = self.config.images.seed
        return images.initial(start, content, self.styles[0].image, seed=seed, max_pixels=self.limit)

    def snapshots(self, resume: Resume | None, release: Release) -> Iterator[Snapshot]:
        """Yield the snapshots of the run, from the beginning or from a checkpoint."""
        config = self.config
        return stylization(
            self.frames,
            self.index,
            self.styles,
            self.size,
            self._initial,
            extractor=self.extractor,
            scales=scales(config),
            motion=motion(config),
            style_scale=config.images.style_scale,
            content_factor=config.pyramid.content_factor,
            color=config.images.color,
            loss_settings=dict(config.loss),
            optimizer=config.optimizer.name,
            learning_rate=config.optimizer.learning_rate,
            seed=config.images.seed,
            every=intervals(config),
            resume=resume,
            release=release,
        )

    def frame(self, image: Array, path: Path) -> None:
        """Write an intermediate result: the frame that is being stylized, before its colors are finished."""
        images.write(path, np.asarray(image))

    def results(self, image: Array, folder: Path, facts: str, output: Path | None) -> None:
        """Write the video with its sound, and frames of content and result one above the other."""
        sound = self._sound(folder)
        for path in (folder / "video.mp4", output):
            if path is not None:
                video.write(path, self._timed(self._results()), clip=self.clip, sound=sound)
        if self._uses_flow:
            video.write(folder / "flow.mp4", self._timed(self._motions()), clip=self.clip)
        images.write(folder / "video.png", next(self._results()))
        images.write(folder / "sheet.png", self._sheet())
        self.frames.clear()
        for i in range(1, self.config.video.passes):
            shutil.rmtree(folder / f"pass_{i}", ignore_errors=True)

    def _sheet(self) -> np.ndarray:
        count = len(self.index.times)
        numbers = sorted({round(i * (count - 1) / (_SHOWN - 1)) for i in range(_SHOWN)})
        rows = [np.concatenate([each(i) for i in numbers], axis=1) for each in (self._content, self._result)]
        return np.concatenate(rows)

    def _content(self, number: int) -> np.ndarray:
        return images.resize(images.read(self.frames.content(number)), *self.size)

    def _result(self, number: int) -> np.ndarray:
        result = images.read(self.frames.result(number, self.config.video.passes))
        return finished(result, self._content(number), self.config.images.color, WHOLE)

    def _contents(self) -> Iterator[np.ndarray]:
        return (self._content(number) for number in range(len(self.index.times)))

    def _results(self) -> Iterator[np.ndarray]:
        return (self._result(number) for number in range(len(self.index.times)))

    @property
    def _uses_flow(self) -> bool:
        return self.config.video.start_from == "warped" or bool(self.config.loss.temporal_weight)

    def _motions(self) -> Iterator[np.ndarray]:
        """Yield the motion from the frame before to each frame as a color, black where it is not trusted."""
        numbers = range(len(self.index.times))
        largest = max(1.0, *(_length(*self._motion(number)) for number in numbers))
        return (flow.as_color(*self._motion(number), largest) for number in numbers)

    def _motion(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the motion to a frame and where it is trusted: nowhere in the first frame of a scene."""
        other = self.index.neighbor(number, 1)
        if other is None:
            return np.zeros((*self.size, 2), np.float32), np.zeros(self.size, np.float32)
        to_earlier, weights = self.frames.flow(number, other, self.size, self.index)
        return -to_earlier, weights

    def _timed(self, frames: Iterator[np.ndarray]) -> Iterator[video.Frame]:
        for image, time, duration in zip(frames, self.index.times, self.index.durations, strict=True):
            yield video.Frame(images.eight_bits(image), time, duration)

    def _own_sound(self) -> video.Sound | None:
        """Return the sound of the content, of the times that are used."""
        return video.Sound(self.clip.path, **self._times) if self.clip.sound else None

    @property
    def _times(self) -> dict[str, Any]:
        return {"start": self.config.video.start, "end": self.config.video.end}

    def _sound(self, folder: Path) -> video.Sound | Audio | None:
        """Return the sound of the result; a stylized one is computed once."""
        if self.config.video.audio == "none" or not self.clip.sound:
            return None
        if self.config.video.audio == "copy":
            return self._own_sound()
        path = folder / "audio.wav"
        if not path.exists():
            own = video.sound_of(self.clip.path, _RATE, **self._times)
            style = audio.read(self.inputs["audio_style"], rate=_RATE)
            result = stylize_audio(own, style, _RATE, seed=self.config.images.seed)
            audio.write(path, Audio(np.asarray(result), _RATE))
        return audio.read(path)


def _length(motion: np.ndarray, weights: np.ndarray) -> float:
    """Return the length that few trusted motions exceed, pixels."""
    return float(np.percentile(np.hypot(*np.moveaxis(motion, -1, 0)) * weights, 99))


def read(config: ConfigDict, job: Job, extractor: Network, limit: int | float) -> VideoTask:
    """Read the inputs of a job, and write the frames of its content into its folder."""
    path = job.inputs["content"]
    clip = video.probe(path, max_pixels=int(limit))
    size = frame_size(clip.height, clip.width, config.images.size)
    flows = None if config.video.flow == "dis" else files.user_path(config.video.flow)
    frames = Frames(job.folder, flows)
    twice = flow_size((clip.height, clip.width), size)
    own = span(config, int(limit))
    key = f"{files.sha256(path)} {own} {twice}"
    index = frames.indexed(video.read(path, **own), twice, key)
    read_styles = [images.read(job.inputs[name], max_pixels=int(limit)) for name in style_names(job.inputs)]
    hashes: dict[str, Any] = {
        name: {"path": str(file), "sha256": files.sha256(file)} for name, file in job.inputs.items()
    }
    if flows is not None:
        hashes["flow"] = {"path": str(flows), "sha256": files.sha256(flows)}
    weights = config.features.weights
    hashes["weights"] = {"path": weights, "sha256": features.weights.digest(weights)}
    styles = plain_styles(config, read_styles)
    return VideoTask(
        config, extractor, clip, frames, index, size, styles, dict(job.inputs), int(limit), hashes
    )


def span(config: ConfigDict, limit: int) -> dict[str, Any]:
    """Return which frames of a clip are read, as keyword arguments of `nst.video.read`.

    Args:
      config: The config of the run.
      limit: The largest frame to decode, pixels.
    """
    own = config.video
    return {
        "start": own.start,
        "end": own.end,
        "every": own.every,
        "allow_truncated": own.allow_truncated,
        "max_pixels": limit,
    }


def motion(config: ConfigDict) -> Motion:
    """Return how the frames of a config follow from earlier ones."""
    own = config.video
    return Motion(own.steps, own.tolerance, tuple(own.earlier), own.start_from, own.passes)
