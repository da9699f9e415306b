"""The styles of a transfer: as people give them, and at the size of a scale."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from nst import images, losses
from nst.config import check
from nst.errors import InputError
from nst.guided import Regions, any_masks
from nst.images import ImageLike
from nst.types import Array, Audio, Image, Mask, Settings, Style


def each_style(style: Any, read: Callable[[Style, str], Style]) -> list[Style]:
    """Return the styles of a transfer with what they hold as arrays.

    Args:
      style: One style or a sequence of several; each a `Style`, or what its `image` may be.
      read: `read(style, name)` returns a style with arrays; messages call it `name`.

    Raises:
      InputError: There is no style, all weights are 0, or a style can't be read.
    """
    if isinstance(style, Style | Audio) or not isinstance(style, list | tuple):
        return [read(_as_tuple(style), "style")]
    if not style:
        raise InputError("style is empty: give one, or several")
    styles = [read(_as_tuple(each), f"style {i}") for i, each in enumerate(style, 1)]
    if not any(each.weight for each in styles):
        raise InputError("the weights of all styles are 0: give one above 0")
    return styles


def _as_tuple(style: Any) -> Style:
    return style if isinstance(style, Style) else Style(style)


def as_styles(
    style: ImageLike | Style | Sequence[ImageLike | Style], content: Image, alpha: str = "flatten"
) -> list[Style]:
    """Return the styles of a transfer with their images and masks as arrays.

    Args:
      style: An image in the forms of `nst.images.as_image`, a `Style` of one with masks in the forms of
        `nst.images.as_mask`, or several of these.
      content: `[h, w, 3]`, whose aspect the masks of the content have.
      alpha: One of `nst.images.ALPHA`; where it is kept, images of styles may be `[h, w, 4]`.

    Raises:
      InputError: An image, a mask or a number can't be used.
    """
    return each_style(style, lambda own, name: _as_style(own, content, name, alpha))


def _as_style(own: Style, content: Image, name: str, alpha: str) -> Style:
    check("images.style_weights", (own.weight,), label=f"the weight of {name}")
    check("images.style_scales", (own.scale,), label=f"the scale of {name}")
    image = images.as_image(name, own.image, alpha)
    mask = None if own.mask is None else as_sized_mask(f"the mask of {name}", own.mask, image)
    content_mask = None
    if own.content_mask is not None:
        content_mask = as_sized_mask(f"the content mask of {name}", own.content_mask, content)
    return Style(image, own.weight, own.scale, mask, content_mask)


def check_regions(settings: Settings, styles: Sequence[Style], regions: Regions) -> None:
    """Raise InputError if a term of the loss can't leave out what is masked or transparent.

    Args:
      settings: The settings that `nst.losses.checked` returns.
      styles: The styles with their images as read, `[h, w, 3]` or `[h, w, 4]`.
      regions: The parts that are kept or transparent.
    """
    alphas = [regions.alpha, *(images.split(style.image)[1] for style in styles)]
    transparent = any(alpha is not None and alpha.min() < 1 for alpha in alphas)
    losses.check_masks(settings, any_masks(styles, regions), transparent)


def visible(styles: Sequence[Style]) -> list[Style]:
    """Return styles of images `[h, w, 3]`, with masks that leave out what is transparent.

    Raises:
      InputError: Nothing is left.
    """
    result = []
    for style in styles:
        image, alpha = images.split(style.image)
        mask = images.product(style.mask, alpha)
        if mask is not None and not mask.any():
            raise InputError("a style mask leaves only what is transparent in its image: give another mask")
        result.append(style._replace(image=image, mask=mask))
    return result


def as_sized_mask(name: str, mask: ImageLike, image: Image) -> np.ndarray:
    """Return a mask as `nst.images.as_mask` does, after a check that it has the aspect of its image.

    Args:
      name: What messages call it.
      mask: In the forms of `nst.images.as_mask`.
      image: `[h, w, 3]`.

    Raises:
      InputError: The mask can't be used.
    """
    result = images.as_mask(name, mask)
    images.check_aspect(name, result.shape, image.shape)
    return result


def styles_of(style: Array | Sequence[Style]) -> list[Style]:
    """Return the styles of a transfer; an array is a style of weight 1."""
    return [Style(style)] if isinstance(style, np.ndarray | jax.Array) else list(style)


def style_at(style: Style, side: float, content: tuple[int, int]) -> Style:
    """Return a style at one scale.

    Args:
      style: The style.
      side: Longest side of a style image of scale 1, pixels.
      content: Height and width of the content at this scale.
    """
    image = images.fit(style.image, max(1, round(side * style.scale)))
    mask = _resized(style.mask, image.shape[:2])
    return style._replace(image=image, mask=mask, content_mask=_resized(style.content_mask, content))


def regions_at(regions: Regions, size: tuple[int, int]) -> Regions:
    """Return regions with their masks resized to `size` (height, width)."""
    return regions._replace(keep=_resized(regions.keep, size), alpha=_resized(regions.alpha, size))


def _resized(mask: Mask | None, size: tuple[int, int]) -> np.ndarray | None:
    return None if mask is None else images.resize_mask(mask, size)
