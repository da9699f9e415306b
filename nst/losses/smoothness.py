"""Terms that prefer a smooth image."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from nst.losses.term import Input, Recipe, Term, View
from nst.types import Image, Mask, Scalar


def total_variation(image: Image, mask: Mask | None = None) -> Scalar:
    """Return Σ (x[i, j+1] − x[i, j])² + (x[i+1, j] − x[i, j])².

    Source: Mahendran and Vedaldi, Understanding Deep Image Representations by Inverting Them, CVPR 2015,
    the regularizer R_V^β with β = 2; here without wrapping around the border, channel by channel.

    Args:
      image: `[h, w, 3]` in [0, 1].
      mask: `[h, w]`, the weight of each pixel's differences to its right and lower neighbors.
    """
    down, right = jnp.square(jnp.diff(image, axis=0)), jnp.square(jnp.diff(image, axis=1))
    if mask is not None:
        down, right = mask[:-1, :, None] * down, mask[:, :-1, None] * right
    return jnp.sum(down) + jnp.sum(right)


def _statistics(view: View, local: None) -> Scalar:
    return total_variation(view.image, view.mask("image"))


def _value(statistics: Scalar, target: None) -> Scalar:
    return statistics


def _build(inputs: Mapping[str, Input], **_: Any) -> Term:
    return Term(_statistics, _value)


TOTAL_VARIATION = Recipe(_build)
