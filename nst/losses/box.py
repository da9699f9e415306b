"""The part of a layer in which a style term compares features: a mask, cropped to its bounding box.

Positions outside the box have weight 0, so that statistics are exact, and several regions cost little more than one.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst.types import Array, Mask

# The sides of a box are multiples of this fraction of the layer, so that regions of nearly the same size share their
# compiled programs. Its place is an argument of the program.
_PARTS = 16


class Box(NamedTuple):
    """A part of a layer, and the weight of each of its positions.

    Attributes:
      start: Row and column of its first position.
      mask: `[h, w]`, the weight of each position of the box.
    """

    start: Array
    mask: Mask


def whole(mask: Mask) -> Box:
    """Return a mask that is not cropped."""
    return Box(np.zeros(2, np.int32), mask)


def bounding_box(mask: Mask, least: int = 1) -> Box:
    """Return the part of a mask that has weights above 0; of an empty mask, a part with weights of 0.

    Args:
      mask: `[h, w]`, the weight of each position of a layer.
      least: Side of the windows of positions that are compared: the box has all windows around weights above 0.
    """
    pixels = np.asarray(mask, np.float32)
    (top, height), (left, width) = (_extent(pixels.max(axis), least) for axis in (1, 0))
    return Box(np.array([top, left], np.int32), pixels[top : top + height, left : left + width])


def _extent(weights: np.ndarray, least: int) -> tuple[int, int]:
    """Return start and length of the shortest interval, of a permitted length, that contains all weights above 0."""
    places, total = np.flatnonzero(weights), weights.size
    first, last = (places[0], places[-1]) if places.size else (0, 0)
    start, end = max(0, int(first) - least // 2), min(total, int(last) + 1 + least // 2)
    unit = -(-total // _PARTS)
    length = min(total, -(-max(end - start, least) // unit) * unit)
    return min(start, total - length), length


def crop(array: Array, box: Box) -> Array:
    """Return the part of an array `[h, w, …]` that is in a box."""
    height, width = box.mask.shape
    if array.shape[:2] == (height, width):
        return array
    start = [box.start[0], box.start[1], *[0] * (array.ndim - 2)]
    return jax.lax.dynamic_slice(jnp.asarray(array), start, (height, width, *array.shape[2:]))
