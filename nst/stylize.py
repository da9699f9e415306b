"""Style transfer of one picture: pyramid × objective × optimiser. The library's entry."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from optax import GradientTransformation

from nst import features, images
from nst.config import LAYER_WEIGHTS, check
from nst.errors import InputError
from nst.objective import Objective, loss, near
from nst.optimize import State, optimiser, start
from nst.scale import Resume, Scale, Snapshot, descend, size_at, snapshot_of, stops_of, target_at
from nst.types import Image

_STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")

#: The default loss: the paper's layers, weighed for weights that are not normalised.
LOSS = {
    "content_layers": ("relu4_2",),
    "style_layers": _STYLE_LAYERS,
    "style_layer_weights": dict(zip(_STYLE_LAYERS, LAYER_WEIGHTS, strict=True)),
    "content_weight": 1.0,
    "style_weight": 6000.0,
    "tv_weight": 1e6,
}


def stylization(
    content: Image,
    style: Image,
    initial: Image,
    *,
    extractor: features.VGG19,
    scales: Sequence[Scale],
    style_scale: float = 1.0,
    loss_settings: Mapping[str, Any] = LOSS,
    optimizer: str = "lbfgs_pyramid",
    learning_rate: float | None = None,
    every: Sequence[int] = (),
    resume: Resume | None = None,
) -> Iterator[Snapshot]:
    """Stylise from coarse to fine, each scale starting from the one before, resampled.

    Args:
      content: `[h, w, 3]`, at least as large as the last scale asks for.
      style: `[h', w', 3]`.
      initial: `[h, w, 3]`, where the first scale starts.
      extractor: The network.
      scales: Coarse to fine; the last one has the size of the result.
      style_scale: The style picture's longest side at each scale, in units of the result's.
      loss_settings: Keyword arguments of `nst.objective.objective`.
      optimizer: One of `nst.optimize.OPTIMIZERS`.
      learning_rate: The optimiser's own by default.
      every: A snapshot is yielded at least at the multiples of these step numbers.
      resume: Where an earlier run stood.

    Yields:
      A snapshot where it begins, about every two seconds, and at the end of each scale.

    Raises:
      RunError: A value is not finite; the last good snapshot was yielded before.
    """
    image, method = initial, optimiser(optimizer)
    extractor = extractor.freeze((*loss_settings["content_layers"], *loss_settings["style_layers"]))
    for i, scale in enumerate(scales):
        done = sum(s.steps for s in scales[:i])
        if resume is not None and i < resume.scale:
            continue
        target = target_at(scale.size, content, style, style_scale, extractor, loss_settings)
        size = size_at(scale.size, content)
        if resume is not None and i == resume.scale:
            begin = resume.restore(_kept(target, method, size))
        else:
            begin = jax.device_put(images.resize(image, *size))
        stops = stops_of(done, scale.steps, every)
        of = near if extractor.precision == "bfloat16" else None
        for state, reference in descend(target, method, learning_rate, begin, stops, loss=loss, near=of):
            yield snapshot_of(i, done, state, reference)
            image = state.params
        image = np.asarray(image)


def _kept(target: Objective, method: GradientTransformation, size: tuple[int, int]) -> Any:
    """The shapes of `Snapshot.kept`."""

    def begin(image: Image) -> tuple[State, Image | None]:
        state = start(loss, image, method, near(target, image))
        return state, image if target.extractor.precision == "bfloat16" else None

    return jax.eval_shape(begin, jax.ShapeDtypeStruct((*size, 3), jnp.float32))


def plan(size: int, steps: int, scales: Sequence[int], scale_steps: int) -> list[Scale]:
    """The pyramid: `scale_steps` at each of `scales` but the last, which is `size` and takes `steps`.

    Raises:
      InputError: The scales do not ascend to `size`.
    """
    scales = tuple(scales) or (size,)
    if list(scales) != sorted(set(scales)) or scales[-1] != size:
        raise InputError(f"pyramid.scales {scales}: give longest sides that ascend to images.size, {size}")
    return [Scale(side, scale_steps) for side in scales[:-1]] + [Scale(size, steps)]


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
    extractor: features.VGG19 | None = None,
    style_scale: float = 1.0,
    optimizer: str = "lbfgs_pyramid",
    learning_rate: float | None = None,
    **loss_settings: Any,
) -> np.ndarray:
    """Paint the content picture in the style of another (Gatys, Ecker and Bethge, CVPR 2016).

    Args:
      content: A path, the name of a sample, or an array `[h, w, 3]` in [0, 1].
      style: The same.
      size: The result's longest side in pixels.
      steps: Optimisation steps at that size.
      scales: Longest sides to pass through, ascending to `size`; none by default.
      scale_steps: Steps at each of those before the last.
      init: `content`, `style`, `noise`, or the path or sample name of a picture.
      seed: Of the noise.
      extractor: VGG-19 with average pooling by default.
      style_scale: The style picture's longest side, in units of `size`.
      optimizer: One of `nst.optimize.OPTIMIZERS`.
      learning_rate: The optimiser's own by default.
      **loss_settings: Keyword arguments of `nst.objective.objective` that replace those of `LOSS`; other style
        layers come with their `style_layer_weights`, or None for equal ones.

    Returns:
      The result, float32 `[h, w, 3]` in [0, 1].

    Raises:
      InputError: A picture, name or number that can't be used.
      RunError: A value became infinite or NaN on the way.
    """
    content, style = _picture("content", content), _picture("style", style)
    loss_settings = LOSS | loss_settings
    numbers = {"images.size": size, "images.style_scale": style_scale, "images.seed": seed}
    numbers |= {"optimizer.steps": steps, "pyramid.steps": scale_steps}
    if learning_rate is not None:
        numbers["optimizer.learning_rate"] = learning_rate
    numbers |= {
        f"loss.{name}": loss_settings[name] for name in ("content_weight", "style_weight", "tv_weight")
    }
    for name, value in numbers.items():
        check(name, value)
    initial = images.initial(init, content, style, seed=seed)
    *_, last = stylization(
        content,
        style,
        initial,
        extractor=extractor or features.load(),
        scales=plan(size, steps, scales, scale_steps),
        style_scale=style_scale,
        loss_settings=loss_settings,
        optimizer=optimizer,
        learning_rate=learning_rate,
    )
    return np.clip(np.asarray(last.state.params), 0, 1)


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
