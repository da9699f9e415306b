"""The temporal loss: a frame of a video looks like earlier results, moved along with the scene.

Source: Ruder, Dosovitskiy and Brox, Artistic Style Transfer for Videos, GCPR 2016, equations 7 and 9.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nst.losses.reduction import Total, mean_of, sum_of
from nst.losses.term import Input, Recipe, Term, View
from nst.types import Array


class Earlier(NamedTuple):
    """Earlier results, warped to the frame that is optimized.

    Attributes:
      images: `[n, h, w, 3]`, ω.
      weights: `[n, h, w]`, c: 1 where a position of the frame was visible in the earlier one, 0 elsewhere.
    """

    images: Float[Array, "n h w c"]
    weights: Float[Array, "n h w"]


def temporal_distance(view: View, earlier: Earlier) -> dict[str, Total]:
    """Return Σ c (x − ω)² over all earlier results, and the number of values of the frame; additive over positions.

    The mean is over all positions of the frame, D in equation 7, also those of weight 0.
    """
    x, mask = view.image, view.mask("image")
    c = earlier.weights if mask is None else mask * earlier.weights
    values = jnp.sum(c[..., None] * jnp.square(x - earlier.images))
    n = x.shape[0] * x.shape[1] if mask is None else jnp.sum(mask)
    return {"image": Total(values, jnp.asarray(n * x.shape[2], jnp.float32))}


def _build(inputs: Mapping[str, Input], *, reduction: str = "mean", **_: Any) -> Term:
    earlier = inputs["earlier"]
    assert earlier.masks is not None  # the weights
    local = Earlier(*jax.device_put((np.asarray(earlier.image), np.asarray(earlier.masks["image"]))))
    return Term(temporal_distance, sum_of if reduction == "sum" else mean_of, local=local)


TEMPORAL = Recipe(_build, source="earlier")
