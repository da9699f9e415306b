"""The library's entry for images: arguments as people have them, checked as the config fields are."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nst import features, images, losses
from nst.errors import unknown
from nst.guided import Regions, check_inside
from nst.images import ImageLike
from nst.masks import GUIDANCE
from nst.transfer.callback import Callback, followed
from nst.transfer.color import COLORS, finished, with_colors
from nst.transfer.image import check_inputs, plan, sizes_at, stylization
from nst.transfer.settings import check_arguments, completed
from nst.transfer.styles import as_sized_mask, as_styles, check_regions, style_at, visible
from nst.types import Network, Style


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
    alpha: str = "keep",
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
        [0, 1]; `[h, w, 4]` with alpha.
      style: The same, or a `Style`: an image in these forms with a weight, a scale, masks and layers; or a list of
        them.
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
      alpha: `keep`: what is transparent has no style, and its part of a style image does not count; or `flatten`:
        images with alpha are composed on white.
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
      The result, float32 `[h, w, 3]` in [0, 1]; with the alpha channel of the content, if it is kept, `[h, w, 4]`.

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
    named = (("color", color, COLORS), ("guidance", guidance, GUIDANCE), ("alpha", alpha, images.ALPHA))
    for name, value, choices in named:
        if value not in choices:
            raise unknown(name, value, choices)
    content, opacity = images.split(images.as_image("content", content, alpha))
    styles = as_styles(style, content, alpha)
    keep_mask = None if keep is None else as_sized_mask("keep", keep, content)
    regions = Regions(keep_mask, guidance, opacity)
    pyramid = plan(size, steps, scales, scale_steps)
    network = features.load(extractor) if isinstance(extractor, str) else extractor or features.load()
    settings = completed(network, loss_settings, optimizer)
    losses.check_strength(settings, strength)
    check_regions(settings, styles, regions)
    styles = visible(styles)
    for each in styles:
        scale = style_scale * each.scale
        check_inputs(network, settings, *sizes_at(pyramid[0].size, scale, content.shape, each.image.shape))
        images.warn_if_constant("style", each.image)
    last = sizes_at(size, style_scale, content.shape, content.shape)[0]
    check_inside(network, [style_at(each, size * style_scale, last) for each in styles], settings, guidance)
    images.warn_if_constant("content", content)
    used = COLORS[color].content(content)
    styles = with_colors(styles, content, color, regions)
    snapshots = stylization(
        used,
        styles,
        images.initial(init, used, styles[0].image, seed=seed, alpha=alpha),
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
