"""A run of images with its images read: what is optimized, and what is written."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from nst import features, files, images, record
from nst.config import fields
from nst.guided import Regions
from nst.images import sets
from nst.runs.guidance import alpha_of, guidance, is_mask, style_factors
from nst.runs.modality import Job, intervals
from nst.runs.styles import style_names
from nst.stages import Release, Resume, Snapshot
from nst.transfer.color import COLORS, finished, with_colors
from nst.transfer.image import Scale, plan, sides_at, stylization
from nst.transfer.styles import visible
from nst.types import Array, Image, Network, Style, Values


class ImageTask(NamedTuple):
    """A run with its images read.

    Attributes:
      config: The config of the run.
      extractor: The network.
      content: The content as read, `[h, w, 4]` if it has an alpha channel that is kept.
      styles: The style images as read, likewise.
      used: The content as it is optimized: without colors if only lightness is transferred.
      guided: The styles as they are used, with their masks.
      regions: What is kept or transparent.
      initial: The initial image of the first scale.
      files: The path and the SHA-256 of each input.
    """

    config: ConfigDict
    extractor: Network
    content: Image
    styles: Sequence[Image]
    used: Image
    guided: Sequence[Style]
    regions: Regions
    initial: Image
    files: dict[str, Any]

    @property
    def steps(self) -> list[int]:
        """The steps of each stage."""
        return steps(dict(fields(self.config)))

    def save_input(self, name: str, folder: Path) -> None:
        """Write an input as the objective sees it: content and style at the last scale, init at the first."""
        images.write(folder / f"{name}.png", as_used(self, name))

    def snapshots(self, resume: Resume | None, release: Release) -> Iterator[Snapshot]:
        """Yield the snapshots of the run, from the beginning or from a checkpoint."""
        return stylization(
            self.used,
            self.guided,
            self.initial,
            regions=self.regions,
            extractor=self.extractor,
            loss_settings=dict(self.config.loss),
            learning_rate=self.config.optimizer.learning_rate,
            seed=self.config.images.seed,
            resume=resume,
            release=release,
            **shared(self.config),
        )

    def frame(self, image: Array, path: Path) -> None:
        """Write an intermediate result."""
        images.write(path, self._finished(image))

    def _finished(self, image: Array) -> np.ndarray:
        return finished(image, self.content[..., :3], self.config.images.color, self.regions)

    def results(self, image: Array, folder: Path, facts: str, output: Path | None) -> None:
        """Write the result, and content, styles and result side by side."""
        pixels = self._finished(image)
        for path in (folder / "image.png", output):
            if path is not None:
                images.write(path, pixels, metadata={"nst": facts})
        sheet = record.sheet(self.content, self.styles, pixels)
        images.write(folder / "sheet.png", sheet)


def as_used(task: ImageTask, name: str) -> np.ndarray:
    """Return an input at the size at which the objective sees it: see `ImageTask.save_input`."""
    sizes = [scale.size for scale in scales(task.config)]
    if name == "init":
        height, width = task.content.shape[:2]
        return images.resize(task.initial, *images.fit_size(height, width, sizes[0]))
    sides = sides_at(sizes[-1], task.config.images.style_scale)
    if is_mask(name):
        side = sides["style" if name.startswith("style") else "content"]
        return images.fit(images.read(task.files[name]["path"]), side)
    if name == "content":
        return images.fit(task.content, sides["content"])
    index = int(name.removeprefix("style_")) - 1 if name != "style" else 0
    factor = style_factors(task.config, len(task.styles))[index]
    return images.fit(task.styles[index], max(1, round(sides["style"] * factor)))


def framed(config: ConfigDict, name: str, shape: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width to crop an image to; images of a data set share a size, so that nothing recompiles.

    Args:
      config: The config of the run.
      name: `content` or `style`.
      shape: Height and width of the image as read.
    """
    if not sets.is_named(config.images[name]):
        return shape
    longest = config.images.size * (config.images.style_scale if name == "style" else 1)
    return images.fit_size(1 / config.images.aspect, 1.0, max(1, round(longest)))


def read(config: ConfigDict, job: Job, extractor: Network, limit: int | float) -> ImageTask:
    """Read the images of a job."""
    content, styles, guided, regions = loaded(config, job, int(limit))
    start = str(job.inputs.get("init", config.images.init))
    colors, opaque = config.images.color, content[..., :3]
    used, guided = COLORS[colors].content(opaque), with_colors(visible(guided), opaque, colors, regions)
    initial = images.initial(
        start,
        used,
        guided[0].image,
        seed=config.images.seed,
        max_pixels=int(limit),
        alpha=alpha_of(config),
    )
    hashes: dict[str, Any] = {
        name: {"path": str(path), "sha256": files.sha256(path)} for name, path in job.inputs.items()
    }
    weights = config.features.weights
    hashes["weights"] = {"path": weights, "sha256": features.weights.digest(weights)}
    return ImageTask(config, extractor, content, styles, used, guided, regions, initial, hashes)


def loaded(config: ConfigDict, job: Job, limit: int) -> tuple[Image, Sequence[Image], list[Style], Regions]:
    """Read the content and the styles of a job; return them with the styles and regions that the masks make.

    Images have an alpha channel, `[h, w, 4]`, if it is kept and their file has one.
    """
    content, *styles = (
        images.cover(image, *framed(config, name.partition("_")[0], image.shape[:2]))
        for name in ("content", *style_names(job.inputs))
        for image in [images.read(job.inputs[name], max_pixels=limit, alpha=alpha_of(config))]
    )
    guided, regions = guidance(config, job.inputs, content, styles, limit)
    return content, styles, guided, regions


def scales(config: ConfigDict) -> list[Scale]:
    """Return the scales of the pyramid of a config."""
    return _plan(dict(fields(config)))


def steps(config: Values) -> list[int]:
    """Return the steps at each scale, given the values of a config by dotted name."""
    return [scale.steps for scale in _plan(config)]


def _plan(values: Values) -> list[Scale]:
    names = ("images.size", "optimizer.steps", "pyramid.scales", "pyramid.steps", "pyramid.first_steps")
    return plan(*(values[name] for name in names))


def shared(config: ConfigDict) -> dict[str, Any]:
    """Return the settings that the runs of a batch share, as keyword arguments of `stylization`."""
    return {
        "scales": scales(config),
        "style_scale": config.images.style_scale,
        "content_factor": config.pyramid.content_factor,
        "strength": config.images.strength,
        "optimizer": config.optimizer.name,
        "parameters": config.optimizer.parameters,
        "every": intervals(config),
    }
