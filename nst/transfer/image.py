"""Style transfer of one image, with a stage for each scale of a pyramid."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from nst import images, losses, optim, optimize, stages
from nst.errors import InputError, unknown
from nst.guided import WHOLE, Regions, guided
from nst.objective import PARAMETERS, Objective, loss, refreshed, rounds
from nst.stages import Method, Release, Resume, Snapshot, Stage, keep_memory
from nst.strength import calibrated
from nst.transfer.settings import completed
from nst.transfer.styles import regions_at, style_at, styles_of
from nst.types import NO_CHANGES, Array, Image, Network, Pytree, Settings, Style


class Scale(NamedTuple):
    """One level of the pyramid: the longest side in pixels, and the number of steps."""

    size: int
    steps: int


def stylization(
    content: Image,
    style: Image | Sequence[Style],
    initial: Image,
    *,
    extractor: Network,
    scales: Sequence[Scale],
    style_scale: float = 1.0,
    content_factor: float = 1.0,
    regions: Regions = WHOLE,
    strength: float | None = None,
    loss_settings: Settings = NO_CHANGES,
    optimizer: str = "lbfgs_pyramid",
    learning_rate: float | None = None,
    parameters: str = "pixels",
    seed: int = 0,
    every: Sequence[int] = (),
    resume: Resume | None = None,
    release: Release = keep_memory,
) -> Iterator[Snapshot]:
    """Stylize an image from coarse to fine; each scale starts from the resized result of the one before.

    Args:
      content: `[h, w, 3]`, at least as large as the last scale.
      style: `[h', w', 3]`, or several styles.
      initial: `[h, w, 3]`, the initial image of the first scale.
      extractor: The network.
      scales: Scales from coarse to fine; the last one has the size of the result.
      style_scale: Longest side of the style image at each scale, in units of the result's.
      content_factor: Factor by which the content weight changes from each scale to the next.
      regions: What is kept; the mask has the aspect of the content.
      strength: From 0, the content, to 1, the style alone (`nst.strength`); None for the weights in `loss_settings`.
      loss_settings: Settings of the loss that replace the defaults (`completed`).
      optimizer: One of `nst.optim.OPTIMIZERS`.
      learning_rate: By default the optimizer's own.
      parameters: The parameterization of the image, one of `nst.objective.PARAMETERS`.
      seed: Seed of stochastic terms.
      every: Intervals in steps; a snapshot is yielded at least at every multiple of each interval.
      resume: The checkpoint of an earlier run to continue.
      release: Called when much memory has just become free.

    Yields:
      A snapshot at the beginning of each scale, about every two seconds, and at the end of each scale.

    Raises:
      InputError: A setting can't be used, or an image is too small for a layer.
      RunError: A value is not finite; the last good snapshot was yielded before.
    """
    settings = completed(extractor, loss_settings, optimizer)
    extractor = extractor.freeze(losses.layers(settings))
    chain = image_stages(
        content,
        style,
        initial,
        extractor=extractor,
        scales=scales,
        style_scale=style_scale,
        content_factor=content_factor,
        settings=settings,
        parameters=parameters,
        regions=regions,
        strength=strength,
    )
    yield from stages.run(
        chain,
        method(extractor, settings, optimizer, learning_rate, seed),
        every=every,
        resume=resume,
        release=release,
    )


def sides_at(size: int, style_scale: float) -> dict[str, int]:
    """Return the longest side, in pixels, of `content` and `style` at the scale `size`."""
    return {"content": size, "style": max(1, round(size * style_scale))}


def sizes_at(
    size: int, style_scale: float, content: Sequence[int], style: Sequence[int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return height and width of content and style at the scale `size`, given their shapes as read."""
    sides = sides_at(size, style_scale)
    return (
        images.fit_size(content[0], content[1], sides["content"]),
        images.fit_size(style[0], style[1], sides["style"]),
    )


def check_inputs(
    extractor: Network,
    settings: Settings,
    content: tuple[int, int],
    style: tuple[int, int],
    names: Mapping[str, str] = NO_CHANGES,
) -> None:
    """Check that inputs are large enough for the layers and the style loss.

    Args:
      extractor: The network.
      settings: Complete settings of the loss.
      content: Height and width of the content at the first scale.
      style: Height and width of the style at the first scale.
      names: What messages call each input; by default `content` and `style`.

    Raises:
      InputError: An image is too small for a layer or for the style loss.
    """
    sizes = {
        "content": (content, losses.layers(settings)),
        "style": (style, losses.layers(settings, "style")),
    }
    for name, (size, layers) in sizes.items():
        try:
            extractor.check(size, layers)
            losses.check_positions(settings, extractor.shapes(size, settings["style_layers"]))
        except InputError as error:
            raise InputError(f"{names.get(name, name)}: {error}") from error


def image_stages(
    content: Image,
    style: Image | Sequence[Style],
    initial: Image,
    *,
    extractor: Network,
    scales: Sequence[Scale],
    style_scale: float,
    content_factor: float = 1.0,
    settings: Settings,
    parameters: str = "pixels",
    regions: Regions = WHOLE,
    strength: float | None = None,
) -> list[Stage]:
    """Return a stage for each scale; `settings` are those of `completed`, the other arguments of `stylization`.

    Raises:
      InputError: `parameters` is unknown, or the strength can't be used.
    """
    losses.check_strength(settings, strength)
    if parameters not in PARAMETERS:
        raise unknown("parameters", parameters, PARAMETERS)

    def stage(level: int, scale: Scale) -> Stage:
        height, width = images.fit_size(content.shape[0], content.shape[1], scale.size)

        def target() -> Objective:
            own = {**settings, "content_weight": settings["content_weight"] * content_factor**level}
            resized = images.resize(content, height, width)
            styles = [style_at(each, scale.size * style_scale, (height, width)) for each in all_styles]
            built = guided(extractor, resized, styles, own, parameters, regions_at(regions, (height, width)))
            if strength is None:
                return built
            sized = images.cover(styles[0].image, height, width)
            return calibrated(
                built, resized, sized, strength, settings, rounds(extractor, losses.layers(settings))
            )

        def begin(previous: Array | None) -> Pytree:
            # At strength 0 the result is the content, not one of a smaller scale.
            start = initial if previous is None or strength == 0 else previous
            return of(images.resize(start, height, width))

        return Stage(scale.steps, jax.eval_shape(of, jnp.zeros((height, width, 3))), target, begin)

    of = jax.jit(PARAMETERS[parameters].of)
    all_styles = styles_of(style)

    return [stage(level, scale) for level, scale in enumerate(scales)]


def method(
    extractor: Network,
    settings: Settings,
    optimizer: str,
    learning_rate: float | None,
    seed: int,
) -> Method:
    """Return the optimization method; `settings` are those of `completed`, the other arguments those of `stylization`.

    Raises:
      InputError: The optimizer is unknown, or does not tolerate a random term.
    """
    random = losses.stochastic(settings)

    return Method(
        optimize.by_vjp(loss),
        optim.optimizer(optimizer, random),
        learning_rate,
        refreshed if rounds(extractor, losses.layers(settings)) else None,
        optimize.keys(seed) if random else None,
        Objective.image,
    )


def plan(
    size: int, steps: int, scales: Sequence[int], scale_steps: int, first_steps: int | None = None
) -> list[Scale]:
    """Return the scales of a run, coarse to fine.

    Args:
      size: The longest side of the result in pixels.
      steps: Steps at the last scale.
      scales: Longest sides that ascend to `size`; empty for `size` only.
      scale_steps: Steps at each scale except the last.
      first_steps: Steps at the first of several scales; by default `scale_steps`.

    Raises:
      InputError: The scales do not ascend to `size`.
    """
    scales = tuple(scales) or (size,)
    if (
        not all(isinstance(side, int) for side in scales)
        or list(scales) != sorted(set(scales))
        or scales[-1] != size
    ):
        raise InputError(f"pyramid.scales {scales}: give longest sides that ascend to images.size, {size}")
    each = [scale_steps if first_steps is None else first_steps] + [scale_steps] * (len(scales) - 2)
    return [Scale(side, n) for side, n in zip(scales[:-1], each, strict=False)] + [Scale(size, steps)]
