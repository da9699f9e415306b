"""Style transfer of one image: a stage for each scale of a pyramid. The library's entry."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst import features, images, losses, optimize, optimizers, stages
from nst.config import check, loss_defaults
from nst.errors import InputError, unknown
from nst.objective import PARAMETERS, Objective, loss, objective, refreshed, rounds
from nst.stages import Method, Release, Resume, Snapshot, Stage, keep_memory
from nst.types import NO_CHANGES, Array, Image, Network, Pytree, Settings


class Scale(NamedTuple):
    """One level of the pyramid: the longest side in pixels, and how many steps are taken there."""

    size: int
    steps: int


def stylization(
    content: Image,
    style: Image,
    initial: Image,
    *,
    extractor: Network,
    scales: Sequence[Scale],
    style_scale: float = 1.0,
    content_factor: float = 1.0,
    loss_settings: Settings = NO_CHANGES,
    optimizer: str = "lbfgs_pyramid",
    learning_rate: float | None = None,
    parameters: str = "pixels",
    seed: int = 0,
    every: Sequence[int] = (),
    resume: Resume | None = None,
    release: Release = keep_memory,
) -> Iterator[Snapshot]:
    """Stylize an image from coarse to fine, each scale starting from the one before, resampled.

    Args:
      content: `[h, w, 3]`, at least as large as the last scale asks for.
      style: `[h', w', 3]`.
      initial: `[h, w, 3]`, where the first scale starts.
      extractor: The network.
      scales: Coarse to fine; the last one has the size of the result.
      style_scale: The style's longest side at each scale, in units of the result's.
      content_factor: Factor of the content weight from each scale to the next.
      loss_settings: Settings of the loss that replace the defaults (`completed`).
      optimizer: One of `nst.optimizers.OPTIMIZERS`.
      learning_rate: The optimizer's own by default.
      parameters: What is optimized, one of `nst.objective.PARAMETERS`.
      seed: Of stochastic terms.
      every: A snapshot is yielded at least at the multiples of these step numbers.
      resume: Where an earlier run stood.
      release: Called where much memory has just become free.

    Yields:
      A snapshot where it begins, about every two seconds, and at the end of each scale.

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
    )
    how = method(extractor, settings, optimizer, learning_rate, seed)
    yield from stages.run(chain, how, every=every, resume=resume, release=release)


def completed(network: Network, settings: Settings, optimizer: str = "lbfgs_pyramid") -> dict[str, Any]:
    """Return settings of the loss in the form that terms are built from.

    Args:
      network: Settings that are not given and have no default follow it and the style loss: the layers, their weights
        and the weight of the style.
      settings: Settings that replace the defaults of the config's group `loss`.
      optimizer: What a loss draws at random is drawn anew at each step if the optimizer tolerates it.

    Raises:
      InputError: An unknown setting, or one that can't be used.
    """
    _check_names(settings)
    result = loss_defaults() | dict(settings)
    family = losses.style_loss(result["style_loss"])
    if result["content_layers"] is None:
        result["content_layers"] = losses.content_layers(result["content_loss"], network)
    if result["style_layers"] is None:
        result["style_layers"] = losses.style_layers(family, network)
    if result["style_layer_weights"] is None:
        result["style_layer_weights"] = losses.layer_weights(family, network, result["style_layers"])
    if result["resample"] is None:
        result["resample"] = optimizers.named(optimizer).stochastic
    if result["style_weight"] is None:
        result["style_weight"] = family.weight
    return losses.checked(result)


def _check_names(settings: Settings) -> None:
    defaults = loss_defaults()
    for name in settings:
        if name not in defaults:
            raise unknown("setting of the loss", name, defaults)


def sides_at(size: int, style_scale: float) -> dict[str, int]:
    """Return the longest side of each input, in pixels, at a scale of `size`."""
    return {"content": size, "style": max(1, round(size * style_scale))}


def image_stages(
    content: Image,
    style: Image,
    initial: Image,
    *,
    extractor: Network,
    scales: Sequence[Scale],
    style_scale: float,
    content_factor: float = 1.0,
    settings: Settings,
    parameters: str = "pixels",
) -> list[Stage]:
    """Return a stage for each scale; `settings` are those of `completed`, the other arguments of `stylization`.

    Raises:
      InputError: `parameters` is unknown.
    """
    if parameters not in PARAMETERS:
        raise unknown("parameters", parameters, PARAMETERS)

    def stage(level: int, scale: Scale) -> Stage:
        height, width = images.fit_size(content.shape[0], content.shape[1], scale.size)

        def target() -> Objective:
            sides = sides_at(scale.size, style_scale)
            whole = {"content": content, "style": style}
            inputs = {name: images.fit(whole[name], side) for name, side in sides.items()}
            content_weight = settings["content_weight"] * content_factor**level
            own = {**settings, "content_weight": content_weight}
            return objective(extractor, inputs, own, parameters)

        def begin(previous: Array | None) -> Pytree:
            return of(images.resize(initial if previous is None else previous, height, width))

        return Stage(scale.steps, jax.eval_shape(of, jnp.zeros((height, width, 3))), target, begin)

    of = jax.jit(PARAMETERS[parameters].of)

    return [stage(level, scale) for level, scale in enumerate(scales)]


def method(
    extractor: Network,
    settings: Settings,
    optimizer: str,
    learning_rate: float | None,
    seed: int,
) -> Method:
    """Return how stages are minimized; `settings` are those of `completed`, the other arguments of `stylization`.

    Raises:
      InputError: There is no such optimizer, or it does not go with a term.
    """
    random = losses.stochastic(settings)

    return Method(
        optimize.by_vjp(loss),
        optimizers.optimizer(optimizer, random),
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
      scales: Longest sides that ascend to `size`; none for `size` alone.
      scale_steps: Steps at each scale but the last.
      first_steps: Steps at the first of several scales; `scale_steps` by default.

    Raises:
      InputError: The scales do not ascend to `size`.
    """
    scales = tuple(scales) or (size,)
    if list(scales) != sorted(set(scales)) or scales[-1] != size:
        raise InputError(f"pyramid.scales {scales}: give longest sides that ascend to images.size, {size}")
    each = [scale_steps if first_steps is None else first_steps] + [scale_steps] * (len(scales) - 2)
    return [Scale(side, n) for side, n in zip(scales[:-1], each, strict=False)] + [Scale(size, steps)]


def stylize(
    content: str | Path | Image,
    style: str | Path | Image,
    *,
    size: int = 256,
    steps: int = 100,
    scales: Sequence[int] = (),
    scale_steps: int = 100,
    init: str = "content",
    seed: int = 0,
    extractor: Network | None = None,
    style_scale: float = 1.0,
    optimizer: str = "lbfgs_pyramid",
    learning_rate: float | None = None,
    **loss_settings: Any,
) -> np.ndarray:
    """Paint the content image in the style of another (Gatys, Ecker and Bethge, CVPR 2016).

    Args:
      content: A path, the name of a sample, or an array `[h, w, 3]` in [0, 1].
      style: The same.
      size: The result's longest side in pixels.
      steps: Optimization steps at that size.
      scales: Longest sides to pass through, ascending to `size`; none by default.
      scale_steps: Steps at each of those before the last.
      init: `content`, `style`, `noise`, `gray`, or the path or sample name of an image.
      seed: Of the noise, and of stochastic terms.
      extractor: VGG-19 with average pooling by default.
      style_scale: The style's longest side, in units of `size`.
      optimizer: One of `nst.optimizers.OPTIMIZERS`.
      learning_rate: The optimizer's own by default.
      **loss_settings: Settings of the loss, by the names of the config's group `loss`, that replace the defaults;
        `style_layer_weights=()` weighs the style layers equally.

    Returns:
      The result, float32 `[h, w, 3]` in [0, 1].

    Raises:
      InputError: An image, name or number that can't be used.
      RunError: A value became infinite or NaN on the way.
    """
    content, style = _picture("content", content), _picture("style", style)
    numbers = {"images.size": size, "images.style_scale": style_scale, "images.seed": seed}
    numbers |= {"optimizer.steps": steps, "pyramid.steps": scale_steps}
    if learning_rate is not None:
        numbers["optimizer.learning_rate"] = learning_rate
    _check_names(loss_settings)
    numbers |= {f"loss.{name}": value for name, value in loss_settings.items() if name.endswith("_weight")}
    for name, value in numbers.items():
        check(name, value)
    pyramid = plan(size, steps, scales, scale_steps)
    initial = images.initial(init, content, style, seed=seed)
    optimizers.optimizer(optimizer)
    *_, last = stylization(
        content,
        style,
        initial,
        extractor=extractor or features.load(),
        scales=pyramid,
        style_scale=style_scale,
        loss_settings=loss_settings,
        optimizer=optimizer,
        learning_rate=learning_rate,
        seed=seed,
    )
    return np.clip(np.asarray(last.image), 0, 1)


def _picture(name: str, picture: str | Path | Image) -> np.ndarray:
    """The array itself, or what the path or name stands for."""
    if isinstance(picture, str | Path):
        return images.read(picture)
    array = np.asarray(picture)
    if (
        array.ndim != 3
        or array.shape[2] != 3
        or not array.size
        or not np.issubdtype(array.dtype, np.floating)
    ):
        raise InputError(
            f"{name} is {array.dtype} {array.shape}: give floats [h, w, 3]; divide integers by 255"
        )
    if not (array.min() > -0.5 and array.max() < 1.5):  # NaN neither; resampling overshoots a little
        raise InputError(
            f"{name} has values from {array.min()} to {array.max()}: give finite values from 0 to 1"
        )
    return array
