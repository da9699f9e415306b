"""Runs of pictures: what they need, what is refused, what they leave behind."""

import functools
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from nst import features, files, images, record
from nst.errors import InputError, unknown
from nst.images import sets
from nst.losses import STYLE_LOSSES
from nst.optimize import optimiser
from nst.runs import memory
from nst.runs.prepare import Job, Kind
from nst.scale import Resume, Scale, Snapshot
from nst.stylize import plan, stylization
from nst.types import Array, Image

# Beyond it not even the pictures fit into memory, and the system would end the process without a word.
_LARGEST_SIDE = 32_768


class ImageTask(NamedTuple):
    """A run whose pictures are read."""

    config: ConfigDict
    extractor: features.VGG19
    content: Image
    style: Image
    initial: Image
    files: dict[str, Any]

    def snapshots(self, resume: Resume | None) -> Iterator[Snapshot]:
        """The run."""
        return stylization(
            self.content,
            self.style,
            self.initial,
            extractor=self.extractor,
            loss_settings=loss_settings(self.config),
            learning_rate=self.config.optimizer.learning_rate,
            resume=resume,
            **shared(self.config),
        )

    def frame(self, params: Array, path: Path) -> None:
        """What has been reached, as a picture."""
        images.write(path, np.asarray(params))

    def results(self, params: Array, folder: Path, facts: str, output: Path | None) -> None:
        """The picture, and the three side by side."""
        picture = np.asarray(params)
        for path in (folder / "image.png", output):
            if path is not None:
                images.write(path, picture, metadata={"nst": facts})
        sheet = record.sheet(self.content, self.style, np.clip(picture, 0, 1))
        images.write(folder / "sheet.png", sheet)


def inputs(config: ConfigDict, job: Job) -> dict[str, Path]:
    """The pictures that a job reads."""
    paths = {"content": job.content, "style": job.style}
    if _initial_is_a_picture(config):
        paths["init"] = images.list_pictures(config.images.init)[0]
    return paths


def _initial_is_a_picture(config: ConfigDict) -> bool:
    return config.images.init not in ("content", "style", "noise")


def check(config: ConfigDict, jobs: Sequence[Job], limit: int | float) -> features.VGG19:
    """Look at every picture, then load the network and see that they are large enough for it."""
    sizes = shapes(config, jobs, int(limit))
    network = extractor(config)
    for job in jobs:
        content, style = (
            framed(config, "content", sizes[job.content]),
            framed(config, "style", sizes[job.style]),
        )
        check_size(config, network, content, style)
    return network


def shapes(config: ConfigDict, jobs: Sequence[Job], max_pixels: int) -> dict[Path, tuple[int, int]]:
    """Height and width of every picture. Each is read whole, so that a damaged one is found now."""
    paths = {path for job in jobs for path in (job.content, job.style)}
    found = {path: images.read(path, max_pixels=max_pixels).shape[:2] for path in sorted(paths)}
    if _initial_is_a_picture(config):
        images.read(config.images.init, max_pixels=max_pixels)
    return found


def framed(config: ConfigDict, name: str, shape: tuple[int, int]) -> tuple[int, int]:
    """Height and width in which a picture is used: those of a data set share one, so that nothing recompiles.

    Args:
      config: Of the run.
      name: `content` or `style`.
      shape: Height and width of the picture as read.
    """
    if not sets.is_named(config.images[name]):
        return shape
    longest = config.images.size * (config.images.style_scale if name == "style" else 1)
    return images.fit_size(1 / config.images.aspect, 1.0, max(1, round(longest)))


def read(config: ConfigDict, job: Job, extractor: features.VGG19, limit: int | float) -> ImageTask:
    """The pictures of a job."""
    content, style = (
        images.cover(picture, *framed(config, name, picture.shape[:2]))
        for name, path in (("content", job.content), ("style", job.style))
        for picture in [images.read(path, max_pixels=int(limit))]
    )
    initial = images.initial(
        config.images.init, content, style, seed=config.images.seed, max_pixels=int(limit)
    )
    hashes: dict[str, Any] = {
        name: {"path": str(path), "sha256": files.sha256(path)} for name, path in inputs(config, job).items()
    }
    weights = config.features.weights
    hashes["weights"] = {"path": weights, "sha256": features.weights.digest(weights)}
    return ImageTask(config, extractor, content, style, initial, hashes)


def extractor(config: ConfigDict) -> features.VGG19:
    """The network, after a look at the names that would fail later than its weights are fetched."""
    if config.loss.style_loss not in STYLE_LOSSES:
        raise unknown("config.loss.style_loss", config.loss.style_loss, STYLE_LOSSES)
    optimiser(config.optimizer.name)
    scales(config)
    features.vgg.check_layers(layers(config))
    settings = config.features
    digest = features.weights.digest(settings.weights)  # a file may be another by the next run
    seed = config.images.seed if settings.weights == features.weights.RANDOM else 0
    return _frozen(tuple(sorted(settings.items())), seed, layers(config), digest)


# The runs of a sweep share it: reading, transforming and keeping the filters of one network takes a second or two.
@functools.lru_cache(maxsize=1)
def _frozen(
    settings: tuple[tuple[str, Any], ...], seed: int, layers: tuple[str, ...], digest: Any
) -> features.VGG19:
    return features.load(**dict(settings), seed=seed).freeze(layers)


def scales(config: ConfigDict) -> list[Scale]:
    """The pyramid of a config."""
    return plan(config.images.size, config.optimizer.steps, config.pyramid.scales, config.pyramid.steps)


def steps(config: ConfigDict) -> int:
    """Of all scales."""
    return sum(scale.steps for scale in scales(config))


def size(config: ConfigDict) -> str:
    """What decides how much memory a run takes."""
    return f"images.size={config.images.size}"


def layers(config: ConfigDict) -> tuple[str, ...]:
    """Every layer that the loss looks at."""
    return (*config.loss.content_layers, *config.loss.style_layers)


def check_size(
    config: ConfigDict, extractor: features.VGG19, content: tuple[int, int], style: tuple[int, int]
) -> int:
    """The smallest scale must have features in the deepest layer; a largest that may not fit is warned of.

    Args:
      config: Of the run.
      extractor: The network.
      content: Height and width of the content picture as read.
      style: Height and width of the style picture as read.

    Returns:
      An estimate of the bytes that the run takes.

    Raises:
      InputError: A picture is too small for a layer, or the size beyond what is supported.
    """

    def sizes(scale: Scale) -> tuple[tuple[int, int], tuple[int, int]]:
        style_size = max(1, round(scale.size * config.images.style_scale))
        return images.fit_size(*content, scale.size), images.fit_size(*style, style_size)

    if config.images.size * max(1, config.images.style_scale) > _LARGEST_SIDE:
        raise InputError(
            f"config.images.size = {config.images.size} at style_scale {config.images.style_scale}: "
            f"give at most {_LARGEST_SIDE} pixels a side"
        )
    smallest, largest = sizes(scales(config)[0]), sizes(scales(config)[-1])
    extractor.check(*smallest[0], layers(config))
    extractor.check(*smallest[1], config.loss.style_layers)
    needed = memory.needed(extractor, layers(config), *largest, optimiser(config.optimizer.name))
    free = memory.free()
    if free is not None and needed > free:
        warnings.warn(memory.warning(*largest[0], needed, free), memory.MemoryWarning, stacklevel=2)
    return needed


def shared(config: ConfigDict) -> dict[str, Any]:
    """What runs in lock-step have in common."""
    return {
        "scales": scales(config),
        "style_scale": config.images.style_scale,
        "optimizer": config.optimizer.name,
        "every": (config.run.log_every, config.run.save_every),
    }


def loss_settings(config: ConfigDict) -> dict[str, Any]:
    """Keyword arguments of `nst.objective.objective`."""
    loss = config.loss
    style_layers = tuple(loss.style_layers)
    return {
        "style_loss": loss.style_loss,
        "content_layers": tuple(loss.content_layers),
        "style_layers": style_layers,
        "style_layer_weights": dict(zip(style_layers, loss.style_layer_weights, strict=False)) or None,
        "content_weight": loss.content_weight,
        "style_weight": loss.style_weight,
        "tv_weight": loss.tv_weight,
    }


PICTURES = Kind(
    group="images",
    result="image.png",
    files=record.PICTURES,
    suffix=".png",
    limit=images.MAX_PIXELS,
    remedy=memory.REMEDY,
    find=images.list_pictures,
    each=images.each,
    check_output=images.check_output,
    inputs=inputs,
    check=check,
    read=read,
    steps=steps,
    size=size,
)
