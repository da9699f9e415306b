"""What a config asks for, and every reason to refuse it before anything is computed."""

import functools
import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from nst import features, files, images, record, writers
from nst.config import validate
from nst.errors import InputError, unknown
from nst.experiment import memory
from nst.images import sets
from nst.losses import STYLE_LOSSES
from nst.optimize import optimiser
from nst.stylize import Scale, plan
from nst.types import Image

# Beyond it not even the pictures fit into memory, and the system would end the process without a word.
_LARGEST_SIDE = 32_768


class Job(NamedTuple):
    """One run: its two pictures, and the directory that it is kept in."""

    content: Path
    style: Path
    folder: Path


class Inputs(NamedTuple):
    """The pictures of one run, and by name the path and SHA-256 of each file read."""

    content: Image
    style: Image
    initial: Image
    files: dict[str, Any]


def ready(
    config: ConfigDict,
    workdir: Path,
    *,
    resume: bool = False,
    output: Path | None = None,
    max_pixels: int,
) -> tuple[list[Job], features.VGG19]:
    """The jobs and the network that a config asks for, with every reason to refuse it looked for.

    The arguments are those of `nst.experiment.run`.

    Raises:
      InputError: Something in it or a picture can't be used.
    """
    validate(config)
    writers.check(config.run.writers)
    found = jobs(config, workdir)
    if output is not None:
        check_output(config, output, found)
    check_folders([job.folder for job in found], resume)
    sizes = shapes(config, found, max_pixels)
    network = extractor(config)
    for job in found:
        content, style = (
            framed(config, "content", sizes[job.content]),
            framed(config, "style", sizes[job.style]),
        )
        check_size(config, network, content, style)
    return found, network


def jobs(config: ConfigDict, workdir: Path) -> list[Job]:
    """One job for each content and style picture: in `workdir`, or in folders of it where there are several."""
    contents, styles = (images.list_pictures(config.images[name]) for name in ("content", "style"))
    if len(contents) * len(styles) == 1:
        return [Job(contents[0], styles[0], workdir)]
    found = [Job(c, s, workdir / f"{c.stem}-{s.stem}") for c, s in itertools.product(contents, styles)]
    if len({job.folder for job in found}) < len(found):
        raise InputError(
            f"{config.images.content}: two pictures share a name up to the extension: rename one"
        )
    return found


def check_output(config: ConfigDict, output: Path, jobs: Sequence[Job]) -> None:
    """Refuse an output of unknown format, one for several results, or one that is a picture read."""
    images.check_output(output)
    if output.is_dir() or not _nearest(output.absolute().parent).is_dir():
        raise InputError(
            f"--output {output} can't be written, a folder or a file is in its place: give another"
        )
    if len(jobs) > 1:
        raise InputError(f"--output {output}: there are {len(jobs)} results: leave it out, look in --workdir")
    if output.exists() and any(output.samefile(path) for path in _paths(config, jobs[0]).values()):
        raise InputError(f"--output {output} is one of the pictures read: give another path")
    if output.absolute() in [jobs[0].folder.absolute() / name for name in record.PICTURES]:
        raise InputError(f"--output {output} is one of the run's own files: give another path")


def check_folders(folders: Sequence[Path], resume: bool) -> None:
    """Refuse to overwrite a run, and to resume where there is none."""
    begun = [folder for folder in folders if (folder / "config.json").exists()]
    if resume and not begun:
        raise InputError(
            f"{folders[0]}: there is no run to resume: leave --resume out, or give its --workdir"
        )
    for folder in folders:
        if not _nearest(folder).is_dir():
            raise InputError(f"{folder} can't be made, a file is in its place: give another --workdir")
        if (resume and folder in begun) or not folder.exists():
            continue
        if any(not path.name.startswith(".") for path in folder.iterdir()):
            raise InputError(f"{folder} is not empty: go on with --resume, or give another --workdir")


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest of its parents that exists."""
    return next(candidate for candidate in (path, *path.absolute().parents) if candidate.exists())


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


def read(config: ConfigDict, job: Job, max_pixels: int) -> Inputs:
    """The pictures of a job."""
    content, style = (
        images.cover(picture, *framed(config, name, picture.shape[:2]))
        for name, path in (("content", job.content), ("style", job.style))
        for picture in [images.read(path, max_pixels=max_pixels)]
    )
    initial = images.initial(
        config.images.init, content, style, seed=config.images.seed, max_pixels=max_pixels
    )
    hashes: dict[str, Any] = {
        name: {"path": str(path), "sha256": files.sha256(path)} for name, path in _paths(config, job).items()
    }
    weights = config.features.weights
    hashes["weights"] = {"path": weights, "sha256": features.weights.digest(weights)}
    return Inputs(content, style, initial, hashes)


def _paths(config: ConfigDict, job: Job) -> dict[str, Path]:
    """The pictures that a job reads."""
    paths = {"content": job.content, "style": job.style}
    if _initial_is_a_picture(config):
        paths["init"] = images.list_pictures(config.images.init)[0]
    return paths


def _initial_is_a_picture(config: ConfigDict) -> bool:
    return config.images.init not in ("content", "style", "noise")


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
