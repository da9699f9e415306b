"""The library's entry for images: arguments as people have them, checked as the config fields are."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nst import features, images, losses
from nst.errors import InputError, unknown
from nst.guided import Regions, any_masks
from nst.images import ImageLike
from nst.transfer.callback import Callback, followed
from nst.transfer.color import COLORS, finished
from nst.transfer.image import check_inputs, plan, sizes_at, stylization
from nst.transfer.settings import check_arguments, completed
from nst.types import Image, Network, Style


def stylize(
    content: ImageLike,
    style: ImageLike | Style | Sequence[ImageLike | Style],
    *,
    size: int = 256,
    steps: int = 100,
    scales: Sequence[int] = (),
    scale_steps: int = 100,
    init: ImageLike = "content",
    seed: int = 0,
    extractor: Network | str | None = None,
    style_scale: float = 1.0,
    keep: ImageLike | None = None,
    guidance: str = "simple",
    color: str = "style",
    strength: float | None = None,
    optimizer: str = "lbfgs_pyramid",
    learning_rate: float | None = None,
    callback: Callback | None = None,
    **loss_settings: Any,
) -> np.ndarray:
    """Return the content image in the style of another (Gatys, Ecker and Bethge, CVPR 2016).

    Args:
      content: A path, the name of a sample, an image of Pillow, or an array `[h, w, 3]` of bytes or of floats in
        [0, 1].
      style: The same, or a `Style`: an image in these forms with a weight, a scale and masks; or a list of them.
      size: Longest side of the result, pixels.
      steps: Optimization steps at that size.
      scales: Longest sides from coarse to fine, ascending to `size`; by default `size` only.
      scale_steps: Steps at each scale except the last.
      init: `content`, `style`, `noise`, `gray`, or an image in the forms of `content`.
      seed: Seed of noise and of stochastic terms.
      extractor: The network, or its name; by default VGG-19 with average pooling.
      style_scale: Longest side of the style image, in units of `size`.
      keep: A mask with the aspect of the content, `[h, w]` or a gray image: where it is 1 or white, the result is the
        content.
      guidance: How masks reach the layers, one of `nst.masks.GUIDANCE`.
      color: The colors of the result: `style`; `content` (only lightness is transferred); or `match` (the style gets
        the mean and covariance of the content's colors); others are in `nst.transfer.color.COLORS`.
      strength: From 0, the content, to 1, the style alone; about the same for any pair of images. By default the
        weights of content and style apply.
      optimizer: One of `nst.optim.OPTIMIZERS`.
      learning_rate: By default the optimizer's own.
      callback: Called about every two seconds with a `Progress`: the step, the terms of the loss, and the result on
        demand. If it returns True, the transfer stops with the result of that step.
      **loss_settings: Settings of the loss, by the names of the config's group `loss`, that replace the defaults;
        `style_layer_weights=()` gives the style layers equal weights.

    Returns:
      The result, float32 `[h, w, 3]` in [0, 1].

    Raises:
      InputError: An image, a name or a number can't be used.
      RunError: A value became infinite or NaN.

    Example:
      >>> result = nst.stylize("coffee", "strokes", size=64, steps=3)
      >>> result.shape
      (43, 64, 3)
      >>> nst.images.write("coffee.png", result)
    """
    fields = {"size": ("images.size", size), "style_scale": ("images.style_scale", style_scale)}
    fields |= {"seed": ("images.seed", seed), "learning_rate": ("optimizer.learning_rate", learning_rate)}
    fields |= {"steps": ("optimizer.steps", steps), "scale_steps": ("pyramid.steps", scale_steps)}
    fields |= {"scales": ("pyramid.scales", scales)}
    check_arguments(stylize, fields, loss_settings)
    if color not in COLORS:
        raise unknown("color", color, COLORS)
    content = images.as_image("content", content)
    styles = _as_styles(style, content)
    keep_mask = None if keep is None else _mask("keep", keep, content)
    pyramid = plan(size, steps, scales, scale_steps)
    network = features.load(extractor) if isinstance(extractor, str) else extractor or features.load()
    settings = completed(network, loss_settings, optimizer)
    losses.check_strength(settings, strength)
    losses.check_masks(settings, any_masks(styles, Regions(keep=keep_mask)))
    for each in styles:
        scale = style_scale * each.scale
        check_inputs(network, settings, *sizes_at(pyramid[0].size, scale, content.shape, each.image.shape))
        images.warn_if_constant("style", each.image)
    images.warn_if_constant("content", content)
    regions, colors = Regions(keep=keep_mask, guidance=guidance), COLORS[color]
    used = colors.content(content)
    styles = [colors.style(each, content) for each in styles]
    snapshots = stylization(
        used,
        styles,
        images.initial(init, used, styles[0].image, seed=seed),
        extractor=network,
        scales=pyramid,
        style_scale=style_scale,
        regions=regions,
        strength=strength,
        loss_settings=loss_settings,
        optimizer=optimizer,
        learning_rate=learning_rate,
        seed=seed,
    )
    return followed(
        snapshots,
        sum(scale.steps for scale in pyramid),
        callback,
        lambda snapshot: finished(snapshot.image, content, color, regions),
    )


def _as_styles(style: ImageLike | Style | Sequence[ImageLike | Style], content: Image) -> list[Style]:
    if isinstance(style, Style) or not isinstance(style, list | tuple):
        return [as_style(style, content, "style")]  # type: ignore[arg-type]  (no sequence)
    if not style:
        raise InputError("style is empty: give an image, or several")
    return [as_style(each, content, f"style {i}") for i, each in enumerate(style, 1)]


def as_style(style: ImageLike | Style, content: Image, name: str) -> Style:
    """Return a style with its image and masks as arrays.

    Args:
      style: An image in the forms of `nst.images.as_image`, or a `Style` of one, with masks in the forms of
        `nst.images.as_mask`.
      content: `[h, w, 3]`, whose aspect masks of the content have.
      name: What messages call the style.

    Raises:
      InputError: The image, a mask or a number can't be used.
    """
    own = style if isinstance(style, Style) else Style(style)  # type: ignore[arg-type]  (made an array below)
    if not (own.weight >= 0 and own.scale > 0):
        raise InputError(f"{name} has weight {own.weight} and scale {own.scale}: give numbers above 0")
    image = images.as_image(name, own.image)
    mask = None if own.mask is None else _mask(f"the mask of {name}", own.mask, image)
    content_mask = None
    if own.content_mask is not None:
        content_mask = _mask(f"the content mask of {name}", own.content_mask, content)
    return Style(image, own.weight, own.scale, mask, content_mask)


def _mask(name: str, mask: ImageLike, image: Image) -> np.ndarray:
    result = images.as_mask(name, mask)
    images.check_aspect(name, result.shape, image.shape)
    return result
