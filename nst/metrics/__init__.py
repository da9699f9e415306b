"""How well a picture has the content of one and the style of another, in figures that compare between methods.

Two baselines always stand beside: the content picture and the style picture, each taken as a result. One is perfect
in style or in content by definition; the other is what a method that does nothing reaches.
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
from nst.metrics.definitions import BASELINES, CFSD_LAYER, COSINE_LAYER, COVERAGE_LAYER, METRICS, Metric
from nst.metrics.sound.definitions import SOUND_METRICS
from nst.metrics.style import Moments
from nst.types import Array, Features, Image, Network

__all__ = [
    "ALL_METRICS",
    "BASELINES",
    "HELD_OUT",
    "METRICS",
    "NETWORK",
    "SOUND_METRICS",
    "Metric",
    "evaluate",
    "groups",
    "held_out",
    "layers",
    "names",
]

#: Those of pictures and those of sounds, by name.
ALL_METRICS: dict[str, Metric] = METRICS | SOUND_METRICS

#: The network that images are compared in, whatever the network of a run; layers are named as in it.
NETWORK = "vgg19"

#: Where style is compared that a run has not optimised, as far as it has not: see `held_out`.
HELD_OUT = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_2")

_FORMS: dict[str, Callable[[Moments, Moments], float]] = {
    "gram": styles.gram,
    "moments": styles.moments,
    "wasserstein": styles.wasserstein,
    "sliced": styles.sliced,
}


def held_out(style_layers: Sequence[str]) -> tuple[str, ...]:
    """Those of `HELD_OUT` whose convolution none of `style_layers` shows: `conv1_2` and `pool1` show `relu1_2`'s."""
    check_layers(NETWORK, style_layers)
    shown = {_convolution(layer) for layer in style_layers}
    return tuple(layer for layer in HELD_OUT if _convolution(layer) not in shown)


def _convolution(layer: str) -> str:
    """The last one that a layer's features come from."""
    every = NETWORKS[NETWORK].layers
    before = every[: every.index(layer) + 1]
    return next(name for name in reversed(before) if name.startswith("conv"))


def groups(style_layers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The layers that style is compared at, by how the names of their metrics end; without groups that are empty."""
    found = {"": tuple(style_layers), "_held_out": held_out(style_layers)}
    return {place: group for place, group in found.items() if group}


def names(style_layers: Sequence[str]) -> list[str]:
    """The metrics that there are with these layers optimised, in their order."""
    style = {f"style_{form}{place}" for form in _FORMS for place in groups(style_layers)}
    return [name for name in METRICS if name in style or not name.startswith("style_")]


def layers(style_layers: Sequence[str]) -> tuple[str, ...]:
    """Every layer that `evaluate` looks at, each once."""
    return tuple(dict.fromkeys((*style_layers, *held_out(style_layers), COSINE_LAYER, CFSD_LAYER)))


def evaluate(
    content: Image,
    style: Image,
    results: Mapping[str, Image],
    *,
    extractor: Network,
    style_layers: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Every metric of some results, and of the baselines.

    Args:
      content: `[h, w, 3]`. All pictures are clipped to [0, 1], as files are.
      style: `[h', w', 3]`, of the size in which it is to be compared: statistics depend on it. For what is compared
        position by position it is cut to the content's.
      results: By name, each `[h, w, 3]`.
      extractor: The network that all are seen through; the same one for figures that are to compare.
      style_layers: Those optimised. Metrics without a layer are left out: with none optimised, or none held out.

    Returns:
      From the names of the results, `content` and `style`, to figures by the names of `METRICS`.

    Raises:
      InputError: A result of another size, a picture too small, an unknown layer, or a figure that is not finite.
    """
    content, style = np.clip(content, 0, 1), np.clip(style, 0, 1)
    _check_results(results, content)
    extractor.check((style.shape[0], style.shape[1]), layers(style_layers))
    places = groups(style_layers)
    reference, wanted = _look(content, extractor, places), _look(style, extractor, places)

    def row(image: Image, look: _Look, like_style: _Look, like_image: Image) -> dict[str, float]:
        of_style = _style(like_style.moments, wanted.moments, places)
        found = of_style | _content(image, look, content, reference)
        found |= _faults(like_image, style) | _coverage(look, reference, wanted, extractor)
        return {name: found[name] for name in names(style_layers)}

    figures = {}
    for name, result in results.items():
        image = np.clip(result, 0, 1)
        look = _look(image, extractor, places)
        figures[name] = row(image, look, look, image)
    cut = np.clip(images.cover(style, *content.shape[:2]), 0, 1)
    like_content = wanted if style.shape == content.shape else _look(cut, extractor, {})
    figures["content"] = row(content, reference, reference, content)
    figures["style"] = row(cut, like_content, wanted, style)
    _check_finite(figures)
    return figures


def _check_results(results: Mapping[str, Image], content: Image) -> None:
    height, width = content.shape[:2]
    for name, result in results.items():
        if name in BASELINES or result.shape != content.shape:
            raise InputError(
                f"{name}: give a result of {width}×{height} pixels, of a name not in {BASELINES}"
            )


class _Look(NamedTuple):
    """What is compared of one picture."""

    moments: dict[str, Moments]
    features: Features


def _look(image: Image, extractor: Network, places: Mapping[str, tuple[str, ...]]) -> _Look:
    names = tuple(layer for group in places.values() for layer in group)
    drawn, features = _seen(extractor, jnp.asarray(image, jnp.float32), names)
    return _Look({layer: _moments(parts) for layer, parts in drawn.items()}, features)


@jax.jit(static_argnums=2)
def _seen(
    extractor: Network, image: Image, style_layers: tuple[str, ...]
) -> tuple[dict[str, tuple[Array, Array, Array]], Features]:
    """One program for a picture's size: E[f fᵀ], μ and the projections of each style layer; features for content."""
    features = extractor(image, (*style_layers, COSINE_LAYER, CFSD_LAYER))
    drawn = {}
    for layer in style_layers:
        F = features[layer].reshape(-1, features[layer].shape[-1])
        G, M = gram_matrix(features[layer])
        slices = jnp.matmul(F, styles.directions(F.shape[1]), precision="highest").T
        drawn[layer] = (G / M, jnp.mean(F, axis=0), slices)
    return drawn, {layer: features[layer] for layer in (COSINE_LAYER, CFSD_LAYER)}


def _moments(parts: tuple[Array, Array, Array]) -> Moments:
    second, mean, slices = parts
    return Moments(np.asarray(second, np.float64), np.asarray(mean, np.float64), np.sort(slices, axis=1))


def _style(
    x: dict[str, Moments], style: dict[str, Moments], places: Mapping[str, tuple[str, ...]]
) -> dict[str, float]:
    return {
        f"style_{form}{place}": float(np.mean([distance(x[layer], style[layer]) for layer in group]))
        for form, distance in _FORMS.items()
        for place, group in places.items()
    }


def _content(image: Image, look: _Look, content: Image, wanted: _Look) -> dict[str, float]:
    return {
        "content_cosine": contents.cosine(look.features[COSINE_LAYER], wanted.features[COSINE_LAYER]),
        "ssim": contents.ssim(image, content),
        "cfsd": contents.cfsd(look.features[CFSD_LAYER], wanted.features[CFSD_LAYER]),
        "border": contents.border(image, content),
        "tv": float(total_variation(image)) / (image.shape[0] * image.shape[1]),
    }


def _faults(image: Image, style: Image) -> dict[str, float]:
    x, wanted = texture.luminance(image), texture.luminance(style)
    return {
        "mesh": texture.mesh(x, wanted),
        "grid": texture.grid(x),
        "spectrum": texture.spectrum(x, wanted),
        "palette": paint.palette(image, style),
    }


def _coverage(look: _Look, content: _Look, style: _Look, extractor: Network) -> dict[str, float]:
    features = (each.features[COVERAGE_LAYER] for each in (look, content, style))
    return {"coverage": paint.coverage(*features, stride=extractor.stride(COVERAGE_LAYER))}


def _check_finite(figures: Mapping[str, Mapping[str, float]]) -> None:
    for name, row in figures.items():
        for metric, value in row.items():
            if not math.isfinite(value):
                raise InputError(
                    f"{metric} of {name} is {value}: look at the picture, and at the network's weights"
                )
