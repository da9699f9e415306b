"""Metrics of how well an image has the content of one image and the style of another, comparable between methods.

The content image and the style image, each taken as a result, are evaluated as baselines. For each metric of style or
of content one of them is perfect by definition; the other shows what a method that does nothing reaches.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst import images
from nst.errors import InputError
from nst.features import NETWORKS, check_layers
from nst.losses import gram_matrix, total_variation
from nst.metrics import content as contents
from nst.metrics import paint, texture
from nst.metrics import style as styles
from nst.metrics.audio.definitions import AUDIO_METRICS
from nst.metrics.definitions import BASELINES, CFSD_LAYER, COSINE_LAYER, COVERAGE_LAYER, METRICS, Metric
from nst.metrics.style import Moments
from nst.metrics.video.definitions import VIDEO_METRICS
from nst.types import Array, Features, Image, Network

__all__ = [
    "ALL_METRICS",
    "AUDIO_METRICS",
    "BASELINES",
    "HELD_OUT",
    "METRICS",
    "NETWORK",
    "VIDEO_METRICS",
    "Metric",
    "evaluate",
    "groups",
    "held_out",
    "layers",
    "names",
]

#: The metrics of images, of audio and of video, by name.
ALL_METRICS: dict[str, Metric] = METRICS | AUDIO_METRICS | VIDEO_METRICS

#: The network that images are compared in, whatever the network of a run; names of layers are those of this network.
NETWORK = "vgg19"

#: Layers to compare style in, except those that a run has optimized: see `held_out`.
HELD_OUT = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_2")

_FORMS: dict[str, Callable[[Moments, Moments], float]] = {
    "gram": styles.gram,
    "moments": styles.moments,
    "wasserstein": styles.wasserstein,
    "sliced": styles.sliced,
}


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


def names(style_layers: Sequence[str]) -> list[str]:
    """Return the names of the metrics that `evaluate` computes for these style layers, in the order of `METRICS`."""
    style = {f"style_{form}{suffix}" for form in _FORMS for suffix in groups(style_layers)}
    return [name for name in METRICS if name in style or not name.startswith("style_")]


def layers(style_layers: Sequence[str]) -> tuple[str, ...]:
    """Return every layer that `evaluate` uses, each once."""
    return tuple(dict.fromkeys((*style_layers, *held_out(style_layers), COSINE_LAYER, CFSD_LAYER)))


def evaluate(
    content: Image,
    style: Image,
    results: Mapping[str, Image],
    *,
    extractor: Network,
    style_layers: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Return every metric of the results and of the baselines.

    Args:
      content: `[h, w, 3]`. All images are clipped to [0, 1], as files are.
      style: `[h', w', 3]`, in the size to compare in, on which its statistics depend. As a baseline for metrics that
        compare position by position, it is resized and cropped to the content's size.
      results: `[h, w, 3]` by name.
      extractor: The network to compare all images in. Only figures of the same network are comparable.
      style_layers: The layers that were optimized. If there are none, or none is held out, the metrics of that group
        are left out.

    Returns:
      From name (those of the results, `content` and `style`) to metrics by the names of `METRICS`.

    Raises:
      InputError: A result has another size than the content or the name of a baseline, an image is too small, a layer
        is unknown, or a metric is not finite.
    """
    content, style = np.clip(content, 0, 1), np.clip(style, 0, 1)
    _check_results(results, content)
    extractor.check((style.shape[0], style.shape[1]), layers(style_layers))
    by_suffix = groups(style_layers)
    reference, target = _measure(content, extractor, by_suffix), _measure(style, extractor, by_suffix)

    # `image` has the content's size, `measured` is measured from it. `whole_image` and `whole` are the same, except for
    # the style as a baseline: there they are those of the style image before it is cropped.
    def row(image: Image, measured: _Measured, whole: _Measured, whole_image: Image) -> dict[str, float]:
        of_style = _style(whole.moments, target.moments, by_suffix)
        values = of_style | _content(image, measured, content, reference)
        values |= _faults(whole_image, style) | _coverage(measured, reference, target, extractor)
        return {name: values[name] for name in names(style_layers)}

    figures = {}
    for name, result in results.items():
        image = np.clip(result, 0, 1)
        measured = _measure(image, extractor, by_suffix)
        figures[name] = row(image, measured, measured, image)
    cropped = np.clip(images.cover(style, *content.shape[:2]), 0, 1)
    measured = target if style.shape == content.shape else _measure(cropped, extractor, {})
    figures["content"] = row(content, reference, reference, content)
    figures["style"] = row(cropped, measured, target, style)
    _check_finite(figures)
    return figures


def _check_results(results: Mapping[str, Image], content: Image) -> None:
    height, width = content.shape[:2]
    for name, result in results.items():
        if name in BASELINES or result.shape != content.shape:
            raise InputError(
                f"{name}: give a result of {width}×{height} pixels, with a name other than "
                f"{' and '.join(BASELINES)}"
            )


class _Measured(NamedTuple):
    """The features of one image that are compared, and the moments of its style layers."""

    moments: dict[str, Moments]
    features: Features


def _measure(image: Image, extractor: Network, by_suffix: Mapping[str, tuple[str, ...]]) -> _Measured:
    names = tuple(layer for group in by_suffix.values() for layer in group)
    moments, features = _compute(extractor, jnp.asarray(image, jnp.float32), names)
    return _Measured({layer: _moments(parts) for layer, parts in moments.items()}, features)


@jax.jit(static_argnums=2)
def _compute(
    extractor: Network, image: Image, style_layers: tuple[str, ...]
) -> tuple[dict[str, tuple[Array, Array, Array]], Features]:
    """Return E[f fᵀ], μ and the projections of each style layer, and the content features, in one compiled program."""
    features = extractor(image, (*style_layers, COSINE_LAYER, CFSD_LAYER))
    moments = {}
    for layer in style_layers:
        F = features[layer].reshape(-1, features[layer].shape[-1])
        G, M = gram_matrix(features[layer])
        slices = jnp.matmul(F, styles.directions(F.shape[1]), precision="highest").T
        moments[layer] = (G / M, jnp.mean(F, axis=0), slices)
    return moments, {layer: features[layer] for layer in (COSINE_LAYER, CFSD_LAYER)}


def _moments(parts: tuple[Array, Array, Array]) -> Moments:
    second, mean, slices = parts
    return Moments(np.asarray(second, np.float64), np.asarray(mean, np.float64), np.sort(slices, axis=1))


def _style(
    x: dict[str, Moments], style: dict[str, Moments], by_suffix: Mapping[str, tuple[str, ...]]
) -> dict[str, float]:
    return {
        f"style_{form}{suffix}": float(np.mean([distance(x[layer], style[layer]) for layer in group]))
        for form, distance in _FORMS.items()
        for suffix, group in by_suffix.items()
    }


def _content(image: Image, measured: _Measured, content: Image, target: _Measured) -> dict[str, float]:
    return {
        "content_cosine": contents.cosine(measured.features[COSINE_LAYER], target.features[COSINE_LAYER]),
        "ssim": contents.ssim(image, content),
        "cfsd": contents.cfsd(measured.features[CFSD_LAYER], target.features[CFSD_LAYER]),
        "border": contents.border(image, content),
        "tv": float(total_variation(image)) / (image.shape[0] * image.shape[1]),
    }


def _faults(image: Image, style: Image) -> dict[str, float]:
    x, target = texture.luminance(image), texture.luminance(style)
    return {
        "mesh": texture.mesh(x, target),
        "grid": texture.grid(x),
        "spectrum": texture.spectrum(x, target),
        "palette": paint.palette(image, style),
    }


def _coverage(
    measured: _Measured, content: _Measured, style: _Measured, extractor: Network
) -> dict[str, float]:
    features = (each.features[COVERAGE_LAYER] for each in (measured, content, style))
    return {"coverage": paint.coverage(*features, stride=extractor.stride(COVERAGE_LAYER))}


def _check_finite(figures: Mapping[str, Mapping[str, float]]) -> None:
    for name, row in figures.items():
        for metric, value in row.items():
            if not math.isfinite(value):
                raise InputError(
                    f"{metric} of {name} is {value}: check the image, and the weights of the network"
                )
