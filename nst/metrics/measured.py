"""Measurements of one image: features of the content layers, and moments of the style layers by region."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst import masks
from nst.losses import gram_matrix
from nst.metrics.definitions import CFSD_LAYER, COSINE_LAYER
from nst.metrics.style import Moments, directions, ordered
from nst.types import Array, Features, Image, Mask, Network


class Measured(NamedTuple):
    """The features of one image that are compared, and the moments of its style layers, by region and layer."""

    moments: list[dict[str, Moments]]
    features: Features


def measure(
    image: Image, extractor: Network, style_layers: Sequence[str], regions: Sequence[Mask | None] = (None,)
) -> Measured:
    """Compute the features of an image and the moments of its regions.

    Args:
      image: `[h, w, 3]`.
      extractor: The network.
      style_layers: The layers to compute moments of.
      regions: `[h, w]`, the weight of each pixel, None for the whole image. A region without a position in a layer has
        no moments of that layer.
    """
    layers = tuple(dict.fromkeys(style_layers))
    by_layer = [
        dict.fromkeys(layers) if region is None else masks.to_layers(region, extractor, layers)
        for region in regions
    ]
    sums, slices, features = _compute(extractor, jnp.asarray(image, jnp.float32), layers, by_layer)
    moments = [
        {
            layer: _moments(sums[i][layer], np.asarray(slices[layer]), weights)
            for layer, weights in region.items()
            if weights is None or np.any(weights)
        }
        for i, region in enumerate(by_layer)
    ]
    return Measured(moments, features)


@jax.jit(static_argnums=2)
def _compute(
    extractor: Network,
    image: Image,
    style_layers: tuple[str, ...],
    regions: Sequence[Mapping[str, Mask | None]],
) -> tuple[list[dict[str, tuple[Array, Array]]], dict[str, Array], Features]:
    """Return E[f fᵀ] and μ by region and layer, the projections of each layer, and the content features."""
    features = extractor(image, (*style_layers, COSINE_LAYER, CFSD_LAYER))
    slices = {}
    for layer in style_layers:
        F = _flat(features[layer])
        slices[layer] = jnp.matmul(F, directions(F.shape[1]), precision="highest").T
    sums = [{layer: _means(features[layer], region[layer]) for layer in style_layers} for region in regions]
    return sums, slices, {layer: features[layer] for layer in (COSINE_LAYER, CFSD_LAYER)}


def _means(features: Array, mask: Mask | None) -> tuple[Array, Array]:
    """Return E[f fᵀ] and μ of a region, NaN if it has no position."""
    G, M = gram_matrix(features, mask)
    weights = None if mask is None else jnp.ravel(mask)
    return G / M, jnp.average(_flat(features), axis=0, weights=weights)


def _flat(features: Array) -> Array:
    return features.reshape(-1, features.shape[-1])


def _moments(means: tuple[Array, Array], slices: np.ndarray, mask: Mask | None) -> Moments:
    second, mean = (np.asarray(each, np.float64) for each in means)
    return Moments(second, mean, *ordered(slices, None if mask is None else np.ravel(mask)))
