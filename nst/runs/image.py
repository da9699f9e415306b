"""Runs of images: their files, checks and batches."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from nst import features, images, inputs, losses
from nst.batched import Trial, stylizations
from nst.errors import InputError, unknown
from nst.guided import check_inside, free
from nst.losses.box import bounding_box
from nst.objective import PARAMETERS
from nst.optim import optimizer
from nst.runs import memory
from nst.runs.guidance import (
    MASKS,
    alpha_of,
    further,
    guides,
    is_mask,
    style_factors,
)
from nst.runs.image_task import ImageTask, framed, loaded, read, scales, shared, steps
from nst.runs.modality import File, Job, Limit, Modality
from nst.runs.styles import first_style, style_names
from nst.stages import Release, Snapshot
from nst.transfer.color import COLORS
from nst.transfer.image import check_inputs, sizes_at
from nst.transfer.styles import check_regions, style_at, visible
from nst.types import NO_CHANGES, Network

# Larger images do not fit into memory, and the system would kill the process without a message.
_LARGEST_SIDE = 32_768


def find(config: ConfigDict, name: str) -> list[Path]:
    """Return the image files that an input of a config stands for."""
    value = config.images[name]
    words = images.STARTS if name in IMAGE.optional else ()
    if name == "style":
        value = first_style(value)
    return [] if value in words else images.list_images(value, words)


def check_output(config: ConfigDict, path: Path) -> None:
    """Raise InputError if a result can't be written, or would lose the transparency that the config asks for."""
    images.check_output(path, alpha=config.images.alpha == "keep")


def check(config: ConfigDict, jobs: Sequence[Job], limit: int | float) -> Network:
    """Read every image, load the network, check that the images are large enough for it, and return it."""
    if config.images.color not in COLORS:
        raise unknown("config.images.color", config.images.color, COLORS)
    losses.check_strength(losses.checked(dict(config.loss)), config.images.strength)
    sizes = shapes(jobs, int(limit), alpha_of(config))
    network = extractor(config)
    for job in jobs:
        names = {name: f"{name} {path}" for name, path in job.inputs.items()}
        content = framed(config, "content", sizes[job.inputs["content"]][:2])
        styles, largest, shares = style_names(job.inputs), [], []
        for style, factor in zip(styles, style_factors(config, len(styles)), strict=True):
            size = framed(config, "style", sizes[job.inputs[style]][:2])
            largest.append(
                check_size(config, network, content, size, names | {"style": names[style]}, factor)
            )
        have_alpha = any(sizes[job.inputs[name]][2] == 4 for name in ("content", *styles))
        if have_alpha or guides(config, job.inputs):
            *_, guided, regions = loaded(config, job, int(limit))
            check_regions(losses.checked(dict(config.loss)), guided, regions)
            side, last = config.images.size * config.images.style_scale, scales(config)[-1].size
            sized = [style_at(style, side, images.fit_size(*content, last)) for style in visible(guided)]
            check_inside(network, sized, losses.checked(dict(config.loss)), regions.guidance)
            masks = [mask for mask in free(guided, regions) if mask is not None]
            shares = [bounding_box(mask).mask.size / mask.size for mask in masks]
        check_memory(config, network, content, largest, shares)
    return network


def shapes(jobs: Sequence[Job], max_pixels: int, alpha: str) -> dict[Path, tuple[int, int, int]]:
    """Return the shape of every image, `[h, w, 4]` if it has an alpha channel that is kept.

    Each is decoded completely, to find damaged files early.
    """
    paths = {path for job in jobs for name, path in job.inputs.items() if not is_mask(name)}
    result = {}
    for path in sorted(paths):
        image = images.read(path, max_pixels=max_pixels, alpha=alpha)
        images.warn_if_constant(str(path), image)
        height, width, channels = image.shape
        result[path] = height, width, channels
    return result


def extractor(config: ConfigDict) -> Network:
    """Load the network. Names that would fail later are checked first, before weights are downloaded."""
    optimizer(config.optimizer.name, losses.stochastic(losses.checked(dict(config.loss))))
    parameters = config.optimizer.get("parameters", "pixels")  # a video has no such field
    if parameters not in PARAMETERS:
        raise unknown("optimizer.parameters", parameters, PARAMETERS)
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
) -> tuple[int, int]:
    """Check that the smallest scale has features in every layer, and return the size of the style at the largest.

    Args:
      config: The config of the run.
      extractor: The network.
      content: Height and width of the content image.
      style: Height and width of the style image.
      names: What messages call each input.
      factor: The scale of this style, in units of `images.style_scale`.

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
    return largest[1]


def check_memory(
    config: ConfigDict,
    extractor: Network,
    content: tuple[int, int],
    styles: Sequence[tuple[int, int]],
    regions: Sequence[float] = (),
) -> None:
    """Warn if the largest scale may not fit into memory.

    Args:
      config: The config of the run.
      extractor: The network.
      content: Height and width of the content image.
      styles: Height and width of each style at the largest scale.
      regions: As in `nst.runs.memory.needed`.
    """
    height, width = images.fit_size(*content, config.images.size)
    chosen = optimizer(config.optimizer.name)
    needed = memory.needed(extractor, layers(config), (height, width), styles, chosen, regions)
    remedy = memory.remedy(memory.largest(config.images.size, needed))
    plural = "s" if len(regions) > 1 else ""
    what = f"{width}×{height} pixels" + (f" with masks of {len(regions)} style{plural}" if regions else "")
    memory.check(what, needed, remedy)


def batch_key(config: ConfigDict) -> str | None:
    """Return the size of the content as used, whether a part is transparent, and the number of styles, as text.

    None unless the content is one image that can be read.
    """
    try:
        (path,) = images.list_images(config.images.content)
        height, width, transparent = _seen(path, alpha_of(config))
        size = images.fit_size(*framed(config, "content", (height, width)), config.images.size)
        return f"{size} {transparent} {len(inputs.several(config.images.style))}"
    except (InputError, OSError, ValueError):
        return None


@functools.cache
def _seen(path: Path, alpha: str) -> tuple[int, int, bool]:
    """Return the height and width of an image, and whether a part of it is transparent and stays so."""
    image, opacity = images.split(images.read(path, alpha=alpha))
    return image.shape[0], image.shape[1], opacity is not None and bool(opacity.min() < 1)


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
    each=lambda name, value: images.each(value),
    check_output=check_output,
    check=check,
    read=read,
    steps=steps,
    size=size,
    batch_key=batch_key,
    batched=batched,
)
