"""Terms that prefer a smooth image."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from nst.errors import unknown
from nst.losses.reduction import Total, mean_of, sum_of
from nst.losses.term import Input, Recipe, Term, View
from nst.types import Array, Image, Mask, Scalar


def total_variation(image: Image, mask: Mask | None = None) -> Scalar:
    """Return Σ (x[i, j+1] − x[i, j])² + (x[i+1, j] − x[i, j])².

    Source: Mahendran and Vedaldi, Understanding Deep Image Representations by Inverting Them, CVPR 2015,
    the regularizer R_V^β with β = 2; here without wrapping around the border, channel by channel.

    Args:
      image: `[h, w, 3]` in [0, 1].
      mask: `[h, w]`, the weight of each pixel's differences to its right and lower neighbors.
    """
    return _sum(jnp.square(_step(image, 1, 0)), mask) + _sum(jnp.square(_step(image, 0, 1)), mask)


def absolute_variation(image: Image, mask: Mask | None = None) -> Scalar:
    """Return Σ |x[i, j+1] − x[i, j]| + |x[i+1, j] − x[i, j]|, as the programs of Johnson and ProGamerGov do.

    Same arguments as `total_variation`.
    """
    return _sum(jnp.abs(_step(image, 1, 0)), mask) + _sum(jnp.abs(_step(image, 0, 1)), mask)


def nine_point_variation(image: Image, mask: Mask | None = None) -> Scalar:
    """Return twice a weighted sum of squared differences: horizontal and vertical ones / 3, diagonal ones / 12.

    Source: TVLoss of crowsonkb/style-transfer-pytorch. The image is padded by repeating its border, so there are
    (h + 1)·(w + 1) differences along each diagonal. Their sum is scaled to h·w, because that program takes means.

    Same arguments as `total_variation`.
    """
    height, width, _ = image.shape
    x = jnp.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
    near = total_variation(image, mask)
    around = None if mask is None else jnp.pad(mask, ((0, 1), (0, 1)), mode="edge")
    diagonals = jnp.square(x[1:, 1:] - x[:-1, :-1]) + jnp.square(x[1:, :-1] - x[:-1, 1:])
    share = height * width / ((height + 1) * (width + 1))
    return 2 * (near / 3 + share * _sum(diagonals, around) / 12)


#: Kinds of total variation by name.
VARIATIONS: dict[str, Callable[[Image, Mask | None], Scalar]] = {
    "squared": total_variation,
    "absolute": absolute_variation,
    "nine_point": nine_point_variation,
}


def _step(image: Image, down: int, right: int) -> Float[Array, "_ _ _"]:
    """Return the difference of each pixel to the next one down and right; the last row or column has none."""
    height, width, _ = image.shape
    return image[down:, right:] - image[: height - down, : width - right]


def _sum(values: Float[Array, "_ _ _"], mask: Mask | None) -> Scalar:
    """Return the sum over the pixels that have a value, weighted by the mask."""
    height, width, _ = values.shape
    return jnp.sum(values if mask is None else mask[:height, :width, None] * values)


def _statistics(kind: str) -> Callable[[View, None], dict[str, Total]]:
    def statistics(view: View, local: None) -> dict[str, Total]:
        mask, image = view.mask("image"), view.image
        pixels = image.shape[0] * image.shape[1] if mask is None else jnp.sum(mask)
        n = jnp.asarray(pixels * image.shape[2], jnp.float32)
        return {"image": Total(VARIATIONS[kind](image, mask), n)}

    return statistics


# Made once, so that equal terms have equal functions.
_STATISTICS = {kind: _statistics(kind) for kind in VARIATIONS}


def _build(
    inputs: Mapping[str, Input], *, variation: str = "squared", tv_reduction: str = "mean", **_: Any
) -> Term:
    return Term(_STATISTICS[variation], sum_of if tv_reduction == "sum" else mean_of)


def _check(*, variation: str = "squared", **_: Any) -> None:
    if variation not in VARIATIONS:
        raise unknown("variation", variation, VARIATIONS)


TOTAL_VARIATION = Recipe(_build, check=_check)
