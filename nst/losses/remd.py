"""The losses of STROTSS, in the paper's symbols.

Source: Kolkin, Salavon and Shakhnarovich, Style Transfer by Relaxed Optimal Transport and Self-Similarity, CVPR 2019.
Both compare hypercolumns: the features of several layers at random positions of the image, with its color. Positions
are drawn anew at each step, so an optimizer has to tolerate a random loss.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nst.losses.gram import product
from nst.losses.term import Input, Term, View
from nst.types import Array, Features, Pytree, Scalar

#: The layers of a hypercolumn, which has 2179 values with the color, as in the authors' program.
LAYERS = (
    "relu1_1",
    "relu1_2",
    "relu2_1",
    "relu2_2",
    "relu3_1",
    "relu3_2",
    "relu3_3",
    "relu4_3",
    "relu5_3",
)

#: Sides of the grids of points: 1024 points of the image at each step, as in the authors' program, and 4900 points of
#: the style (5000 in the authors' program).
SIDE, STYLE_SIDE = 32, 70


class Hypercolumns(NamedTuple):
    """Features at some positions of an image.

    Attributes:
      F: Features of all layers and the color, one row for each position.
      color: The color alone.
    """

    F: Float[Array, "m d"]
    color: Float[Array, "m 3"]


def hypercolumns(
    image: Float[Array, "h w 3"], features: Features, layers: Sequence[str], points: Float[Array, "m 2"]
) -> Hypercolumns:
    """Return the hypercolumns at points of an image.

    Args:
      image: RGB in [0, 1].
      features: By layer; each is interpolated between its positions.
      layers: The layers of a hypercolumn.
      points: Row and column of each point, as fractions of height and width.
    """
    color = _sampled(image, points)
    columns = [_sampled(features[layer], points) for layer in layers]
    return Hypercolumns(jnp.concatenate([*columns, color], -1), color)


def _sampled(features: Float[Array, "h w n"], points: Float[Array, "m 2"]) -> Float[Array, "m n"]:
    """Interpolate features at points, between the four nearest positions."""
    size = jnp.array(features.shape[:2])
    place = jnp.clip(points * size - 0.5, 0, size - 1)
    low = jnp.floor(place).astype(jnp.int32)
    high = jnp.minimum(low + 1, size - 1)
    down, right = (place - low).T[:, :, None]
    top = (1 - right) * features[low[:, 0], low[:, 1]] + right * features[low[:, 0], high[:, 1]]
    bottom = (1 - right) * features[high[:, 0], low[:, 1]] + right * features[high[:, 0], high[:, 1]]
    return (1 - down) * top + down * bottom


def random_points(key: jax.Array, side: int) -> Float[Array, "m 2"]:
    """Return row and column, from 0 to 1, of a random point in each cell of a grid of side × side."""
    cells = jnp.stack(jnp.meshgrid(jnp.arange(side), jnp.arange(side), indexing="ij"), -1).reshape(-1, 2)
    return (cells + jax.random.uniform(key, cells.shape)) / side


def cosine_distances(A: Float[Array, "m d"], B: Float[Array, "k d"]) -> Float[Array, "m k"]:
    """Return 1 − cos of each row of A with each row of B (equation 3)."""

    def unit(x: Array) -> Array:
        return x / jnp.sqrt(jnp.sum(jnp.square(x), 1, keepdims=True) + 1e-12)

    return 1 - product(unit(A).T, unit(B).T)


def euclidean_distances(A: Float[Array, "m d"], B: Float[Array, "k d"]) -> Float[Array, "m k"]:
    """Return the root of the mean squared difference between each row of A and each row of B."""
    squares = jnp.sum(jnp.square(A), 1)[:, None] + jnp.sum(jnp.square(B), 1) - 2 * product(A.T, B.T)
    return jnp.sqrt(jnp.maximum(squares, 0) / A.shape[1] + 1e-8)


def relaxed_distance(distances: Float[Array, "m k"]) -> Scalar:
    """Return the relaxed earth mover's distance (equation 2).

    It is the larger of two means: that of the minimum of each row, and that of the minimum of each column.
    """
    return jnp.maximum(jnp.mean(jnp.min(distances, 1)), jnp.mean(jnp.min(distances, 0)))


class StyleTarget(NamedTuple):
    """Hypercolumns of the style, their moments, and the weight of the palette."""

    columns: Hypercolumns
    mean: Float[Array, " d"]
    covariance: Float[Array, "d d"]
    palette_weight: Scalar


def style_distance(x: Hypercolumns, target: StyleTarget) -> Scalar:
    """Return ℓ_r + ℓ_m + ℓ_p / max(α, 1) (section 2.3).

    ℓ_p adds cosine and Euclidean distances of colors, as the authors' program does. That program also rotates colors to
    another orthonormal basis, which changes neither distance.
    """
    mean, covariance = _moments(x.F)
    moments = jnp.mean(jnp.abs(mean - target.mean)) + jnp.mean(jnp.abs(covariance - target.covariance))
    shapes = relaxed_distance(cosine_distances(x.F, target.columns.F))
    colors = x.color, target.columns.color
    palette = relaxed_distance(cosine_distances(*colors) + euclidean_distances(*colors))
    return shapes + moments + target.palette_weight * palette


def _moments(F: Float[Array, "m d"]) -> tuple[Float[Array, " d"], Float[Array, "d d"]]:
    mean = jnp.mean(F, 0)
    return mean, product(F - mean, F - mean) / len(F)


def self_similarity_distance(x: Hypercolumns, content: Hypercolumns) -> Scalar:
    """Return how much the cosine distances between positions differ from those of the content (equation 6).

    Each column of distances is divided by its sum. The mean absolute difference is multiplied by the number of
    positions, so that it does not depend on that number.
    """

    def normalized(F: Array) -> Array:
        distances = cosine_distances(F, F)
        return distances / jnp.maximum(jnp.sum(distances, 0), 1e-6)

    return len(x.F) * jnp.mean(jnp.abs(normalized(x.F) - normalized(content.F)))


@functools.cache
def _result_statistics(layers: tuple[str, ...]) -> Callable[[View, None], Hypercolumns]:
    """Return the function for the statistics of the image: hypercolumns at points drawn by the key of the step."""

    def statistics(view: View, local: None) -> Hypercolumns:
        assert view.key is not None
        return hypercolumns(view.image, view.features, layers, random_points(view.key, SIDE))

    return statistics


@functools.cache
def _style_target(layers: tuple[str, ...]) -> Callable[[View, None], StyleTarget]:
    def target(view: View, local: None) -> StyleTarget:
        points = random_points(jax.random.key(0), STYLE_SIDE)
        columns = hypercolumns(view.image, view.features, layers, points)
        return StyleTarget(columns, *_moments(columns.F), jnp.ones(()))

    return target


def style(
    inputs: Mapping[str, Input],
    *,
    style_layers: Sequence[str],
    content_weight: float = 0.0,
    style_weight: float = 1.0,
    **_: Any,
) -> Term:
    """Build the style term. The weight of the palette is 1 / max(α, 1), with α = content_weight / style_weight."""
    layers = tuple(style_layers)
    target = inputs["style"].measure(_style_target(layers), layers)
    palette = np.float32(1 / max(content_weight / style_weight, 1))
    target = target._replace(palette_weight=jax.device_put(palette))
    return Term(_result_statistics(layers), style_distance, layers, target=target, additive=False)


class Pair(NamedTuple):
    """Hypercolumns of the image and of the content at the same points."""

    x: Hypercolumns
    content: Hypercolumns


@functools.cache
def _pair_statistics(layers: tuple[str, ...]) -> Callable[[View, Pytree], Pair]:
    def statistics(view: View, content: tuple[Array, Features]) -> Pair:
        assert view.key is not None
        points = random_points(view.key, SIDE)
        x = hypercolumns(view.image, view.features, layers, points)
        return Pair(x, hypercolumns(*content, layers, points))

    return statistics


def _image_and_features(view: View, local: None) -> tuple[Array, Features]:
    return view.image, view.features


def _pair_distance(statistics: Pair, target: None) -> Scalar:
    return self_similarity_distance(*statistics)


def self_similarity(inputs: Mapping[str, Input], *, content_layers: Sequence[str], **_: Any) -> Term:
    """Build the content term, the self-similarity loss of the paper; same arguments as `Recipe.build`."""
    layers = tuple(content_layers)
    content = inputs["content"].measure(_image_and_features, layers)
    return Term(_pair_statistics(layers), _pair_distance, layers, local=content, additive=False)
