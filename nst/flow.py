"""Optical flow between frames of a video: where it can be trusted, and images moved along it.

A flow `[h, w, 2]` has, for each position (x, y) of a frame, the displacement (u, v) in pixels to the position in
another frame that shows the same point.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from nst import images
from nst.errors import InputError
from nst.types import Array, Image, Mask
from nst.video import packages

#: A flow, pixels.
Flow = Float[Array, "h w 2"]

# Two frames show the same scene if this share of positions is reliable, and their squared difference there is below
# this share of the variance: in noise, for example, the flow is near 0, which is consistent, but nothing matches.
_LEAST_RELIABLE = 0.25
_MOST_DIFFERENCE = 0.25
_NOISE = (8 / 255) ** 2  # squared difference that is no matter, as in flat frames

Frame = UInt8[np.ndarray, "h w 3"]

_MAGIC = 202021.25  # the first four bytes of Middlebury's files, "PIEH" as a float


def optical_flow(frame: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the flow from a frame to another one.

    By dense inverse search (Kroeger, Timofte, Dai and Van Gool, ECCV 2016) with OpenCV's medium preset.

    Args:
      frame: `[h, w, 3]`, 8 bits.
      other: The same.
    """
    cv2 = packages.cv2()
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    gray = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (frame, other)]
    return method.calc(gray[0], gray[1], None)  # type: ignore[call-overload]


@jax.jit
def reliable(to_earlier: Flow, from_earlier: Flow) -> Mask:
    """Return c: 1 where a flow can be trusted, 0 at disocclusions and motion borders.

    Source: Ruder, Dosovitskiy and Brox 2016, section 5.2 (the conditions of Sundaram, Brox and Keutzer, ECCV 2010).
    Positions that leave the frame have 0, too.

    Args:
      to_earlier: ŵ, from the frame to an earlier one.
      from_earlier: w, from the earlier frame to this one.
    """
    w_hat = jnp.asarray(to_earlier)
    w_tilde, inside = _sampled(jnp.asarray(from_earlier), w_hat, _linear)
    consistent = _square(w_tilde + w_hat) <= 0.01 * (_square(w_tilde) + _square(w_hat)) + 0.5
    down, right = jnp.gradient(w_hat, axis=(0, 1))  # type: ignore[misc]
    smooth = _square(down) + _square(right) <= 0.01 * _square(w_hat) + 0.002
    return (consistent & smooth & inside).astype(jnp.float32)


@jax.jit
def warped(image: Image, flow: Flow) -> Image:
    """Return the image that has at each position p the color of `image` at p + flow(p).

    By cubic convolution (Keys 1981, a = −½): with linear interpolation, results become blurred over many frames.
    Positions outside have the color of the border.
    """
    return _sampled(jnp.asarray(image), jnp.asarray(flow), _cubic)[0]


class Motion(NamedTuple):
    """The motion between two frames.

    Attributes:
      flow: The flow from the first frame to the other one, pixels.
      mask: M, 1 where the flow is `reliable`.
      matched: Whether both frames show the same scene, so that they can be compared.
    """

    flow: Flow
    mask: Mask
    matched: bool


def motion(frame: Frame, later: Frame) -> Motion:
    """Return the motion from a frame to another one."""
    there, back = optical_flow(frame, later), optical_flow(later, frame)
    mask = np.asarray(reliable(there, back))
    candidate = Motion(there, mask, float(np.mean(mask)) >= _LEAST_RELIABLE)
    if not candidate.matched:
        return candidate
    variance = np.var(frame / 255, axis=(0, 1)).mean() + np.var(later / 255, axis=(0, 1)).mean()
    most = max(_MOST_DIFFERENCE * float(variance), _NOISE)
    return candidate._replace(matched=warping_error(frame, later, candidate) <= most)


def warping_error(frame: Frame, later: Frame, motion: Motion) -> float:
    """Return E_warp = Σ M (V_t − V̂_t+1)² / Σ M, of values in [0, 1]; V̂ is the later frame warped to the frame.

    Source: Lai, Huang, Wang, Shechtman, Yumer and Yang, Learning Blind Video Temporal Consistency, ECCV 2018; the mask
    is that of Ruder et al., too. It is the mean over the three channels, where they have the sum.
    """
    moved = warped(later.astype(np.float32) / 255, motion.flow)
    squares = np.mean(np.square(frame.astype(np.float32) / 255 - np.asarray(moved)), axis=2, dtype=np.float64)
    return float(np.sum(motion.mask * squares) / np.sum(motion.mask))


def resized_flow(flow: Flow, size: tuple[int, int]) -> np.ndarray:
    """Return a flow for frames of another size (height, width): resized, in units of the new pixels."""
    height, width, _ = flow.shape
    resized = images.resize(flow, *size)
    return resized * np.array((size[1] / width, size[0] / height), np.float32)


def as_color(flow: Flow, weights: Mask, largest: float) -> np.ndarray:
    """Return a flow as an image: hue for its direction, saturation for its length, black where it is not trusted.

    After Baker, Scharstein, Lewis, Roth, Black and Szeliski, A Database and Evaluation Methodology for Optical Flow,
    IJCV 2011: no motion is white, motion to the right is red, down yellow-green, to the left cyan, up violet.

    Args:
      flow: `[h, w, 2]`, pixels.
      weights: `[h, w]`, 1 where the flow can be trusted, 0 elsewhere.
      largest: The length of fully saturated colors, pixels.

    Returns:
      `[h, w, 3]` in [0, 1].
    """
    u, v = np.moveaxis(np.asarray(flow), -1, 0)
    sixths = np.arctan2(v, u) / (np.pi / 3)
    hue = np.abs((sixths[..., None] - np.array((0, 2, 4)) + 3) % 6 - 3)  # distance to red, green, blue
    saturation = np.minimum(np.hypot(u, v) / largest, 1)[..., None]
    color = 1 - saturation * (1 - np.clip(2 - hue, 0, 1))
    return (color * np.asarray(weights)[..., None]).astype(np.float32)


def read_flo(path: Path) -> np.ndarray:
    """Read a flow from a file of Middlebury's format `.flo`.

    Raises:
      InputError: The file can't be read, or is not a flow.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}): give the flow of each frame") from error
    magic, width, height = struct.unpack_from("<fii", data) if len(data) > 12 else (0.0, 0, 0)
    if magic != _MAGIC or width < 1 or height < 1 or len(data) != 12 + 8 * width * height:
        raise InputError(f"{path} is no flow, or a part of one: give a file in Middlebury's format .flo")
    return np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2).astype(np.float32)


def _square(w: Array) -> Array:
    return jnp.sum(jnp.square(w), axis=-1)


#: Returns indices and weights of the samples that an interpolation at positions takes, given their number.
Kernel = Callable[[Array, int], tuple[list[Array], list[Array]]]


def _sampled(image: Array, flow: Array, kernel: Kernel) -> tuple[Array, Array]:
    """Return `image` at the positions that `flow` leads to, and whether these are inside."""
    height, width, _ = image.shape
    y = jnp.arange(height, dtype=jnp.float32)[:, None] + flow[..., 1]
    x = jnp.arange(width, dtype=jnp.float32)[None, :] + flow[..., 0]
    inside = (y >= 0) & (y <= height - 1) & (x >= 0) & (x <= width - 1)
    rows, row_weights = kernel(y, height)
    columns, column_weights = kernel(x, width)
    result = jnp.zeros((*flow.shape[:2], image.shape[2]))
    for i, a in zip(rows, row_weights, strict=True):
        for j, b in zip(columns, column_weights, strict=True):
            result += (a * b)[..., None] * image[i, j]
    return result, inside


def _linear(x: Array, length: int) -> tuple[list[Array], list[Array]]:
    start, t = _parts(x, length)
    return _indices(start, (0, 1), length), [1 - t, t]


def _cubic(x: Array, length: int) -> tuple[list[Array], list[Array]]:
    start, t = _parts(x, length)
    weights = [
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    ]
    return _indices(start, (-1, 0, 1, 2), length), weights


def _parts(x: Array, length: int) -> tuple[Array, Array]:
    x = jnp.clip(x, 0, length - 1)
    start = jnp.floor(x)
    return start.astype(jnp.int32), x - start


def _indices(start: Array, offsets: tuple[int, ...], length: int) -> list[Array]:
    return [jnp.clip(start + offset, 0, length - 1) for offset in offsets]
