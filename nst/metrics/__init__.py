"""Metrics of how well an image has the content of one image and the style of another, comparable between methods.

The content image and the style image, each taken as a result, are evaluated as baselines. For each metric of style or
of content one of them is perfect by definition; the other shows what a method that does nothing reaches.
"""

import math
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nst.errors import InputError
from nst.features import NETWORKS, check_layers
from nst.metrics.audio.definitions import AUDIO_METRICS
from nst.metrics.comparison import comparison
from nst.metrics.definitions import (
    BASELINES,
    CFSD_LAYER,
    COSINE_LAYER,
    KEEP_METRICS,
    METRICS,
    WHOLE_IMAGE,
    Metric,
)
from nst.metrics.regions import FORMS, matrix
from nst.metrics.video.definitions import VIDEO_METRICS
from nst.types import Image, Mask, Network, Style

__all__ = [
    "ALL_METRICS",
    "AUDIO_METRICS",
    "BASELINES",
    "HELD_OUT",
    "METRICS",
    "NETWORK",
    "VIDEO_METRICS",
    "Metric",
    "base_name",
    "definition",
    "evaluate",
    "groups",
    "held_out",
    "layers",
    "matrix",
    "names",
]

#: The metrics of images, of audio and of video, by name.
ALL_METRICS: dict[str, Metric] = METRICS | KEEP_METRICS | AUDIO_METRICS | VIDEO_METRICS

#: The network that images are compared in, whatever the network of a run; names of layers are those of this network.
NETWORK = "vgg19"

#: Layers to compare style in, except those that a run has optimized: see `held_out`.
HELD_OUT = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_2")


def base_name(name: str) -> str:
    """Return the name of a metric without the style or the region that it is of."""
    return name.partition(".")[0]


def definition(name: str) -> Metric | None:
    """Return the definition of a metric, such as `ssim` or `palette.style_2`.

    None for other names, and for distances of a region to the style of another one, which have no better value.
    """
    return None if ".region_" in name else ALL_METRICS.get(base_name(name))


def held_out(style_layers: Sequence[str]) -> tuple[str, ...]:
    """Return the layers of `HELD_OUT` whose last convolution is not that of a style layer.

    That of `conv1_2`, `relu1_2` and `pool1`, for example, is the same.

    Raises:
      InputError: A style layer is unknown.
    """
    check_layers(NETWORK, style_layers)
    optimized = {_convolution(layer) for layer in style_layers}
    return tuple(layer for layer in HELD_OUT if _convolution(layer) not in optimized)


def _convolution(layer: str) -> str:
    """Return the last convolution that a layer's features come from: the layer itself, or the last one before it."""
    every = NETWORKS[NETWORK].layers
    before = every[: every.index(layer) + 1]
    return next(name for name in reversed(before) if name.startswith("conv"))


def groups(style_layers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the layers to compare style in, by the suffix of their metrics' names; an empty group is left out.

    The suffix is empty for the layers that are optimized, and `_held_out` for those that are held out.
    """
    every = {"": tuple(style_layers), "_held_out": held_out(style_layers)}
    return {suffix: group for suffix, group in every.items() if group}


def names(style_layers: Sequence[str], *, masked: bool = False, keep: bool = False) -> list[str]:
    """Return the names of the metrics that `evaluate` computes, without styles and regions, in the order of `METRICS`.

    Args:
      style_layers: The layers that were optimized.
      masked: Whether there are several styles, or masks.
      keep: Whether a part of the content is kept.
    """
    style = {f"style_{form}{suffix}" for form in FORMS for suffix in groups(style_layers)}
    left_out = WHOLE_IMAGE if masked else ()
    computed = [name for name in METRICS if name in style or not name.startswith("style_")]
    return [name for name in computed if name not in left_out] + [*(KEEP_METRICS if keep else ())]


def layers(style_layers: Sequence[str]) -> tuple[str, ...]:
    """Return every layer that `evaluate` uses, each once."""
    return tuple(dict.fromkeys((*style_layers, *held_out(style_layers), COSINE_LAYER, CFSD_LAYER)))


def evaluate(
    content: Image,
    style: Image | Sequence[Style],
    results: Mapping[str, Image],
    *,
    extractor: Network,
    style_layers: Sequence[str],
    keep: Mask | None = None,
) -> dict[str, dict[str, float]]:
    """Return every metric of the results and of the baselines.

    With several styles, metrics of style are of each style in its region, by names that end in `.style_1`, `.style_2`,
    …. If the styles have regions, the distances of regions to the other styles are added: see `matrix`. Metrics of
    content leave out what is kept.

    Args:
      content: `[h, w, 3]`. All images are clipped to [0, 1], as files are.
      style: `[h', w', 3]`, in the size to compare in, on which its statistics depend; or several styles with their
        masks. As a baseline for metrics that compare position by position, the styles are resized and cropped to the
        content's size, and each region shows its own.
      results: `[h, w, 3]` by name.
      extractor: The network to compare all images in. Only figures of the same network are comparable.
      style_layers: The layers that were optimized. If there are none, or none is held out, the metrics of that group
        are left out.
      keep: `[h, w]`, 1 where the results are the content itself; None if nothing is kept.

    Returns:
      From name (those of the results, `content` and `style`) to metrics by the names of `METRICS` and `KEEP_METRICS`.

    Raises:
      InputError: A result has another size than the content or the name of a baseline, an image is too small, a layer
        is unknown, a region has no pixel, or a metric is not finite.
    """
    _check_results(results, content)
    styles = [Style(style)] if isinstance(style, np.ndarray | jax.Array) else style
    for each in styles:
        extractor.check((each.image.shape[0], each.image.shape[1]), layers(style_layers))
    compared = comparison(content, styles, keep, extractor, groups(style_layers))
    figures = {name: compared.of_image(np.clip(result, 0, 1)) for name, result in results.items()}
    figures["content"] = compared.of_image(compared.content)
    figures["style"] = compared.of_styles()
    _check_finite(figures)
    order = names(style_layers, masked=compared.masked, keep=keep is not None)
    return {name: _ordered(row, order) for name, row in figures.items()}


def _ordered(row: Mapping[str, float], order: Sequence[str]) -> dict[str, float]:
    return {name: row[name] for base in order for name in row if base_name(name) == base}


def _check_results(results: Mapping[str, Image], content: Image) -> None:
    height, width = content.shape[:2]
    for name, result in results.items():
        if name in BASELINES or result.shape != content.shape:
            raise InputError(
                f"{name}: give a result of {width}×{height} pixels, with a name other than "
                f"{' and '.join(BASELINES)}"
            )


def _check_finite(figures: Mapping[str, Mapping[str, float]]) -> None:
    for name, row in figures.items():
        for metric, value in row.items():
            if not math.isfinite(value):
                raise InputError(
                    f"{metric} of {name} is {value}: check the image, and the weights of the network"
                )
