"""The colors of a result: those of the style, or those of the content."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from nst import images
from nst.guided import Regions
from nst.images import color
from nst.types import Image, Style


def _same(image: Image) -> Image:
    return image


def _style(style: Style, content: Image) -> Style:
    return style


def _result(image: Image, content: Image) -> Image:
    return image


class Color(NamedTuple):
    """A choice of colors: what is done to the inputs and to the result.

    Attributes:
      content: Returns the content as it is optimized.
      style: `style(style, content)` returns the style as it is used; both as read. The content mask of the style is the
        part of the content that counts.
      result: `result(image, content)` returns the result of an optimized image; the content has its size.
    """

    content: Callable[[Image], Image] = _same
    style: Callable[[Style, Image], Style] = _style
    result: Callable[[Image, Image], Image] = _result


def _of_content(space: str) -> Color:
    """Transfer the lightness only, and give the result the colors of the content."""

    def style(style: Style, content: Image) -> Style:
        masks = style.mask, style.content_mask
        return style._replace(image=color.with_lightness(style.image, content, space, *masks))

    return Color(
        partial(color.gray, space=space),
        style,
        lambda image, content: color.recolored(image, content, space),
    )


def _matched(method: str) -> Color:
    """Give the style the mean and covariance of the content's colors before the transfer."""

    def style(style: Style, content: Image) -> Style:
        masks = style.mask, style.content_mask
        return style._replace(image=color.matched(style.image, content, method, *masks))

    return Color(style=style)


#: Choices of colors by name.
COLORS = {
    "style": Color(),
    "content": _of_content("oklab"),
    "content_yiq": _of_content("yiq"),
    "match": _matched("symmetric"),
    "match_pca": _matched("pca"),
    "match_cholesky": _matched("cholesky"),
}


def with_colors(styles: Sequence[Style], content: Image, colors: str, regions: Regions) -> list[Style]:
    """Return styles as they are used; colors of the content are counted where it is visible.

    Args:
      styles: The styles as read, each with an image `[h, w, 3]`.
      content: `[h, w, 3]`, as read.
      colors: One of `COLORS`.
      regions: The parts that are kept or transparent.
    """
    result = []
    for style in styles:
        counted = images.product(style.content_mask, regions.alpha)
        if counted is None or counted.any():  # else this style appears nowhere
            image = COLORS[colors].style(style._replace(content_mask=counted), content).image
            style = style._replace(image=image)
        result.append(style)
    return result


def finished(image: Image, content: Image, colors: str, regions: Regions) -> np.ndarray:
    """Return the result of an optimized image in [0, 1], `[h, w, 4]` if the content has an alpha channel.

    Args:
      image: `[h, w, 3]`, as optimized.
      content: `[h, w, 3]`, as read.
      colors: One of `COLORS`.
      regions: What is kept is the content itself, also after the colors have changed. The alpha channel of the result
        is that of the content.
    """
    result = _colored(image, content, colors, regions)
    if regions.alpha is None:
        return result
    alpha = images.resize_mask(regions.alpha, result.shape[:2])
    return np.concatenate([result, alpha[..., None]], axis=-1)


def _colored(image: Image, content: Image, colors: str, regions: Regions) -> np.ndarray:
    """Return the result of an optimized image without alpha; same arguments as `finished`."""
    choice = COLORS[colors]
    if choice.result is _result:
        return np.clip(np.asarray(image), 0, 1)
    content = np.clip(images.resize(content, *image.shape[:2]), 0, 1)
    result = choice.result(np.clip(np.asarray(image), 0, 1), content)
    if regions.keep is None:
        return np.asarray(result)
    keep = images.resize_mask(regions.keep, content.shape[:2])[..., None]
    return np.asarray(keep * content + (1 - keep) * result, np.float32)
