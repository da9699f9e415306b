"""Runs of images: their inputs, checks and results."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from nst import features, files, images, inputs, losses, record
from nst.batched import Trial, stylizations
from nst.config import fields
from nst.errors import InputError, unknown
from nst.guided import Regions, any_masks
from nst.images import sets
from nst.objective import PARAMETERS
from nst.optim import optimizer
from nst.runs import memory
from nst.runs.guidance import (
    MASKS,
    further,
    guidance,
    guides,
    is_mask,
    style_factors,
    style_names,
)
from nst.runs.modality import File, Job, Limit, Modality
from nst.stages import Release, Resume, Snapshot
from nst.transfer.color import COLORS, finished
from nst.transfer.image import Scale, check_inputs, plan, sides_at, sizes_at, stylization
from nst.types import NO_CHANGES, Array, Image, Network, Style, Values

# Larger images do not fit into memory, and the system would kill the process without a message.
_LARGEST_SIDE = 32_768


class ImageTask(NamedTuple):
    """A run with its images read.

    Attributes:
      config: The config of the run.
      extractor: The network.
      content: The content as read.
      styles: The style images as read.
      used: The content as it is optimized: without colors if only lightness is transferred.
      guided: The styles as they are used, with their masks.
      regions: What is kept.
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

    def save_input(self, name: str, folder: Path) -> None:
        """Write an input as the objective sees it: content and style at the last scale, init at the first."""
        images.write(folder / IMAGE.file(name).name, as_used(self, name))

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
        return finished(image, self.content, self.config.images.color, self.regions)

    def results(self, image: Array, folder: Path, facts: str, output: Path | None) -> None:
        """Write the result, and content, style and result side by side."""
        pixels = self._finished(image)
        for path in (folder / "image.png", output):
            if path is not None:
                images.write(path, pixels, metadata={"nst": facts})
        sheet = record.sheet(self.content, self.styles[0], pixels)
        images.write(folder / "sheet.png", sheet)


def as_used(task: ImageTask, name: str) -> np.ndarray:
    """Return an input at the size at which the objective sees it: see `ImageTask.save_input`."""
    sizes = [scale.size for scale in scales(task.config)]
    if name == "init":
        height, width, _ = task.content.shape
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


def find(config: ConfigDict, name: str) -> list[Path]:
    """Return the image files that an input of a config stands for."""
    value = config.images[name]
    words = images.STARTS if name in IMAGE.optional else ()
    if name == "style":
        value = (inputs.several(value) or [""])[0]  # the others are among `further`
    return [] if value in words else images.list_images(value, words)


def check(config: ConfigDict, jobs: Sequence[Job], limit: int | float) -> Network:
    """Read every image, load the network, check that the images are large enough for it, and return it."""
    if config.images.color not in COLORS:
        raise unknown("config.images.color", config.images.color, COLORS)
    losses.check_strength(losses.checked(dict(config.loss)), config.images.strength)
    sizes = shapes(jobs, int(limit))
    network = extractor(config)
    for job in jobs:
        names = {name: f"{name} {path}" for name, path in job.inputs.items()}
        content = framed(config, "content", sizes[job.inputs["content"]])
        styles = style_names(job.inputs)
        for style, factor in zip(styles, style_factors(config, len(styles)), strict=True):
            size = framed(config, "style", sizes[job.inputs[style]])
            check_size(config, network, content, size, names | {"style": names[style]}, factor)
        if guides(config, job.inputs):
            *_, guided, regions = loaded(config, job, int(limit))
            losses.check_masks(losses.checked(dict(config.loss)), any_masks(guided, regions))
    return network


def shapes(jobs: Sequence[Job], max_pixels: int) -> dict[Path, tuple[int, int]]:
    """Return the height and width of every image. Each is decoded completely, to find damaged files early."""
    paths = {path for job in jobs for name, path in job.inputs.items() if not is_mask(name)}
    result = {}
    for path in sorted(paths):
        image = images.read(path, max_pixels=max_pixels)
        images.warn_if_constant(str(path), image)
        result[path] = image.shape[:2]
    return result


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
    colors = COLORS[config.images.color]
    used, guided = colors.content(content), [colors.style(each, content) for each in guided]
    initial = images.initial(start, used, guided[0].image, seed=config.images.seed, max_pixels=int(limit))
    hashes: dict[str, Any] = {
        name: {"path": str(path), "sha256": files.sha256(path)} for name, path in job.inputs.items()
    }
    weights = config.features.weights
    hashes["weights"] = {"path": weights, "sha256": features.weights.digest(weights)}
    return ImageTask(config, extractor, content, styles, used, guided, regions, initial, hashes)


def loaded(config: ConfigDict, job: Job, limit: int) -> tuple[Image, Sequence[Image], list[Style], Regions]:
    """Read the content and the styles of a job; return them with the styles and regions that the masks make."""
    content, *styles = (
        images.cover(image, *framed(config, name.partition("_")[0], image.shape[:2]))
        for name in ("content", *style_names(job.inputs))
        for image in [images.read(job.inputs[name], max_pixels=limit)]
    )
    guided, regions = guidance(config, job.inputs, content, styles, limit)
    return content, styles, guided, regions


def extractor(config: ConfigDict) -> Network:
    """Load the network. Names that would fail later are checked first, before weights are downloaded."""
    optimizer(config.optimizer.name, losses.stochastic(losses.checked(dict(config.loss))))
    if config.optimizer.parameters not in PARAMETERS:
        raise unknown("optimizer.parameters", config.optimizer.parameters, PARAMETERS)
    scales(config)
    features.check_layers(config.features.network, layers(config))
    settings = config.features
    named = dict(settings)
    features.check_options(named.pop("network"), **named)
    digest = features.weights.digest(settings.weights)  # a file may have changed by the next run
    seed = config.images.seed if features.is_drawn(settings.network, settings.weights) else 0
    return _frozen(tuple(sorted(settings.items())), seed, layers(config), digest)


# Cached for the runs of a sweep: reading and transforming the filters of a network takes a second or two.
@functools.lru_cache(maxsize=1)
def _frozen(
    settings: tuple[tuple[str, Any], ...], seed: int, layers: tuple[str, ...], digest: Any
) -> Network:
    named = dict(settings)
    return features.load(named.pop("network"), **named, seed=seed).freeze(layers)


def scales(config: ConfigDict) -> list[Scale]:
    """Return the scales of the pyramid of a config."""
    return _plan(dict(fields(config)))


def steps(config: Values) -> list[int]:
    """Return the steps at each scale, given the values of a config by dotted name."""
    return [scale.steps for scale in _plan(config)]


def _plan(values: Values) -> list[Scale]:
    names = ("images.size", "optimizer.steps", "pyramid.scales", "pyramid.steps", "pyramid.first_steps")
    return plan(*(values[name] for name in names))


def size(config: ConfigDict) -> str:
    """Return the setting that decides how much memory a run takes."""
    return f"images.size={config.images.size}"


def layers(config: ConfigDict) -> tuple[str, ...]:
    """Return every layer that the loss reads."""
    return losses.layers(losses.checked(dict(config.loss)))


def check_size(
    config: ConfigDict,
    extractor: Network,
    content: tuple[int, int],
    style: tuple[int, int],
    names: Mapping[str, str] = NO_CHANGES,
    factor: float = 1.0,
) -> int:
    """Check that the smallest scale has features in every layer; warn if the largest may not fit into memory.

    Args:
      config: The config of the run.
      extractor: The network.
      content: Height and width of the content image.
      style: Height and width of the style image.
      names: What messages call each input.
      factor: The scale of this style, in units of `images.style_scale`.

    Returns:
      An estimate of the bytes that the run takes.

    Raises:
      InputError: An image is too small for a layer, or `images.size` is larger than supported.
    """
    style_scale = config.images.style_scale * factor
    if config.images.size * max(1, style_scale) > _LARGEST_SIDE:
        raise InputError(
            f"config.images.size = {config.images.size} with images.style_scale = {style_scale}: "
            f"the longest side of content and style can have at most {_LARGEST_SIDE} pixels"
        )
    smallest, largest = (
        sizes_at(scale.size, style_scale, content, style) for scale in (scales(config)[0], scales(config)[-1])
    )
    check_inputs(extractor, losses.checked(dict(config.loss)), *smallest, names)
    needed = memory.needed(extractor, layers(config), *largest, optimizer(config.optimizer.name))
    height, width = largest[0]
    remedy = memory.remedy(memory.largest(config.images.size, needed))
    memory.check(f"{width}×{height} pixels", needed, remedy)
    return needed


def batch_key(config: ConfigDict) -> str | None:
    """Return the size of the content as used and the number of styles, as text.

    None unless the content is one image that can be read.
    """
    try:
        (path,) = images.list_images(config.images.content)
        size = images.fit_size(*framed(config, "content", _shape(path)), config.images.size)
        return f"{size} {len(inputs.several(config.images.style))}"
    except (InputError, OSError, ValueError):
        return None


@functools.cache
def _shape(path: Path) -> tuple[int, int]:
    height, width, _ = images.read(path).shape
    return height, width


def batched(tasks: Sequence[ImageTask], extractor: Network, release: Release) -> Iterator[list[Snapshot]]:
    """Run several tasks in one compiled call."""
    trials = [
        Trial(
            task.used,
            task.guided,
            task.initial,
            task.config.optimizer.learning_rate,
            dict(task.config.loss),
            task.config.images.seed,
            task.regions,
        )
        for task in tasks
    ]
    return stylizations(trials, extractor=extractor, release=release, **shared(tasks[0].config))


def shared(config: ConfigDict) -> dict[str, Any]:
    """Return the settings that the runs of a batch share, as keyword arguments of `stylization`."""
    return {
        "scales": scales(config),
        "style_scale": config.images.style_scale,
        "content_factor": config.pyramid.content_factor,
        "strength": config.images.strength,
        "optimizer": config.optimizer.name,
        "parameters": config.optimizer.parameters,
        "every": (config.run.log_every, config.run.save_every),
    }


IMAGE = Modality(
    name="image",
    group="images",
    inputs={name: File(f"{name}.png", f"{name}.png") for name in ("content", "style")},
    optional={"init": File("init.png", "init.png")},
    masks={name: File(f"{name}.png", f"{name}.png") for name in MASKS},
    further=further,
    result=File("image.png", "image.png"),
    config="configs/base.py",
    limit=Limit("max_pixels", images.MAX_PIXELS, "Refuse larger images."),
    remedy=memory.remedy(),
    find=find,
    each=images.each,
    check_output=images.check_output,
    check=check,
    read=read,
    steps=steps,
    size=size,
    batch_key=batch_key,
    batched=batched,
)
