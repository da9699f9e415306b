"""Several styles, masks and kept parts of a run of images: their files, and the styles and regions that they make."""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from nst import images, inputs
from nst.errors import InputError, unknown
from nst.guided import Regions
from nst.images import ImageWarning
from nst.images.sets import is_named
from nst.masks import GUIDANCE
from nst.runs.styles import for_each_style, numbered, other_styles, style_names, style_weights
from nst.types import Image, Mask, Style

#: Fields of the group `images` with one or several masks.
MASKS = ("content_mask", "style_mask", "keep")

# Colors that are nearer are the same region; compression may change a color a little.
_SAME = 30


def further(config: ConfigDict, main: Mapping[str, Path]) -> dict[str, Path]:
    """Return the files of a job beyond its main ones, by name: other styles, and masks.

    Args:
      config: The config of the run.
      main: The files of content and style.

    Raises:
      InputError: A file can't be found.
    """
    result = other_styles("images.style", config.images.style, images.list_images)
    for field in MASKS:
        if field == "keep" and not _is_file(config.images.keep):
            continue
        for i, name in enumerate(inputs.several(config.images[field])):
            if name:
                result[numbered(field, i)] = _mask_file(
                    name, main["content" if field != "style_mask" else "style"]
                )
    return result


def _mask_file(name: str, image: Path) -> Path:
    """Return the file of a mask; of a folder, the one that has the name of the image."""
    paths = images.list_images(name)
    if len(paths) == 1:
        return paths[0]
    same = [path for path in paths if path.stem == image.stem]
    if len(same) != 1:
        raise InputError(f"{name} has no mask named {image.stem}: name each mask as its image")
    return same[0]


def _is_file(keep: str) -> bool:
    """Return whether `images.keep` names a file, not a color."""
    if not keep:
        return False
    try:
        images.color_name(keep)
    except InputError:
        return True
    return False


def is_mask(name: str) -> bool:
    """Return whether an input is a mask."""
    return name == "keep" or "_mask" in name


def style_factors(config: ConfigDict, count: int) -> list[float]:
    """Return the scale of each style, in units of `images.style_scale`."""
    return for_each_style("images.style_scales", config.images.style_scales, count)


def guides(config: ConfigDict, names: Iterable[str]) -> bool:
    """Return whether a job has more than one style, or a field for several styles or regions is set."""
    fields = ("style_weights", "style_scales", "regions", "keep")
    chosen = any(config.images[field] for field in fields) or config.images.guidance != "simple"
    return chosen or len(style_names(names)) > 1 or any(is_mask(name) for name in names)


def plain_styles(config: ConfigDict, styles: Sequence[Image]) -> list[Style]:
    """Return the styles of a job with their weights and scales, without masks.

    Raises:
      InputError: There is another number of weights or scales, or no weight above 0.
    """
    weights = style_weights("images.style_weights", config.images.style_weights, len(styles))
    factors = style_factors(config, len(styles))
    return [
        Style(image, weight, scale) for image, weight, scale in zip(styles, weights, factors, strict=True)
    ]


def alpha_of(config: ConfigDict) -> str:
    """Return whether transparency is kept or flattened, one of `nst.images.ALPHA`.

    Raises:
      InputError: The value of the field is unknown.
    """
    choice = config.images.alpha or "keep"
    if choice not in images.ALPHA:
        raise unknown("config.images.alpha", choice, images.ALPHA)
    return choice


def guidance(
    config: ConfigDict, files: Mapping[str, Path], content: Image, styles: Sequence[Image], limit: int
) -> tuple[list[Style], Regions]:
    """Return the styles of a job with their masks, one for each region that has a style, and the parts without style.

    Args:
      config: The config of the run.
      files: The files of the job by name.
      content: The content as read, `[h, w, 4]` if it has an alpha channel that is kept.
      styles: The style images as read.
      limit: The largest mask to decode, pixels.

    Raises:
      InputError: A mask, a color or a number can't be used.
    """
    if config.images.guidance not in GUIDANCE:
        raise unknown("config.images.guidance", config.images.guidance, GUIDANCE)
    own = plain_styles(config, styles)
    masks = {name: _mask(name, path, content, styles, limit) for name, path in files.items() if is_mask(name)}
    if masks and any(is_named(config.images[name]) for name in ("content", "style")):
        raise InputError("masks need images from files: images of data sets are cropped")
    regions = Regions(guidance=config.images.guidance, alpha=images.split(content)[1])
    content_masks = [mask for name, mask in masks.items() if name.startswith("content_mask")]
    style_masks = [masks.get(numbered("style_mask", i)) for i in range(len(styles))]
    by_color = config.images.regions or not all(images.is_gray(mask.pixels) for mask in content_masks)
    if by_color:
        own, keep = _by_color(config, own, content_masks, style_masks)
        regions = regions._replace(keep=keep)
    else:
        own = _by_gray(own, content_masks, style_masks)
        if config.images.keep and "keep" not in masks:
            raise InputError(
                f"config.images.keep = {config.images.keep}: a color needs a config.images.content_mask with colors"
            )
    if "keep" in masks:
        regions = regions._replace(keep=masks["keep"].gray)
    return own, regions


class _MaskFile(NamedTuple):
    """A mask as read: its path and its pixels `[h, w, 3]`."""

    path: str
    pixels: np.ndarray

    @property
    def gray(self) -> np.ndarray:
        return images.as_mask(self.path, self.pixels)

    @property
    def labels(self) -> dict[str, np.ndarray]:
        return images.labels(self.path, self.pixels)


def _mask(name: str, path: Path, content: Image, styles: Sequence[Image], limit: int) -> _MaskFile:
    """Read a mask and check that it has the aspect of its image."""
    image = content
    if name.startswith("style_mask"):
        number = name.removeprefix("style_mask").removeprefix("_") or "1"
        if int(number) > len(styles):
            raise InputError(f"{path}: there are {len(styles)} styles: give a mask for each at most")
        image = styles[int(number) - 1]
    pixels = images.read(path, max_pixels=limit)
    images.check_aspect(str(path), pixels.shape, image.shape)
    return _MaskFile(str(path), pixels)


def _by_gray(
    styles: Sequence[Style], content_masks: Sequence[_MaskFile], style_masks: Sequence[_MaskFile | None]
) -> list[Style]:
    """Return the styles with gray masks: one of the content for each, or none."""
    if content_masks and len(content_masks) != len(styles):
        raise InputError(
            f"there are {len(content_masks)} content masks for {len(styles)} styles: give one for each, or one image "
            "whose colors are the regions, and their colors by config.images.regions"
        )
    regions = [mask.gray for mask in content_masks] or [None] * len(styles)
    return [
        style._replace(mask=mask and mask.gray, content_mask=region)
        for style, mask, region in zip(styles, style_masks, regions, strict=True)
    ]


def _by_color(
    config: ConfigDict,
    styles: Sequence[Style],
    content_masks: Sequence[_MaskFile],
    style_masks: Sequence[_MaskFile | None],
) -> tuple[list[Style], Mask | None]:
    """Return a style for each colored region of the content, and the region that is kept."""
    if len(content_masks) != 1:
        raise InputError(
            "config.images.regions are colors of one content mask: give it by config.images.content_mask"
        )
    (content_mask,) = content_masks
    regions = content_mask.labels
    keep = None
    if config.images.keep and not _is_file(config.images.keep):
        keep = _nearest(images.color_name(config.images.keep), regions, "config.images.keep")
    pairs = _named(config, styles, style_masks, regions) or _matched(styles, style_masks, regions, keep)
    left = [color for color in regions if color != keep and color not in {color for color, _ in pairs}]
    if left:
        raise InputError(
            f"{content_mask.path} has regions without a style, {', '.join(left)}: name them in "
            "config.images.regions, in the order of the styles, or keep one by config.images.keep"
        )
    guided = [style._replace(content_mask=regions[color]) for color, style in pairs]
    return guided, None if keep is None else regions[keep]


def _named(
    config: ConfigDict,
    styles: Sequence[Style],
    style_masks: Sequence[_MaskFile | None],
    regions: Mapping[str, Mask],
) -> list[tuple[str, Style]]:
    """Return each style with the region that `images.regions` names; empty if none are named."""
    colors = config.images.regions
    if colors and len(colors) != len(styles):
        raise InputError(
            f"config.images.regions has {len(colors)} colors for {len(styles)} styles: give one for each"
        )
    named = [_nearest(images.color_name(color), regions, "config.images.regions") for color in colors]
    return [
        (color, style._replace(mask=mask and mask.gray))
        for color, style, mask in zip(named, styles, style_masks, strict=bool(colors))
    ]


def _matched(
    styles: Sequence[Style],
    style_masks: Sequence[_MaskFile | None],
    regions: Mapping[str, Mask],
    keep: str | None,
) -> list[tuple[str, Style]]:
    """Return a style for each color that the content mask and a style mask share."""
    pairs = []
    for style, mask in zip(styles, style_masks, strict=True):
        if mask is None:
            raise InputError(
                f"which of the regions {', '.join(regions)} gets which style? Name their colors in "
                "config.images.regions, in the order of the styles, or give a style mask with the same colors"
            )
        for color, part in mask.labels.items():
            same = min(regions, key=lambda other, color=color: _distance(color, other))
            if _distance(color, same) > _SAME or same == keep:
                warnings.warn(
                    f"{mask.path}: no region of the content has its color {color}", ImageWarning, stacklevel=2
                )
            else:
                pairs.append((same, style._replace(mask=part)))
    return pairs


def _nearest(color: str, regions: Mapping[str, Mask], field: str) -> str:
    """Return the color of a region that a user names, up to rounding."""
    nearest = min(regions, key=lambda other: _distance(color, other))
    if _distance(color, nearest) > _SAME:
        raise InputError(f"{field} names {color}: the content mask has only {', '.join(regions)}")
    return nearest


def _distance(a: str, b: str) -> float:
    """Return the Euclidean distance of two colors `#rrggbb`, in bytes."""
    first, second = ([*bytes.fromhex(color.removeprefix("#"))] for color in (a, b))
    return math.dist(first, second)
