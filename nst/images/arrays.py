"""Images in memory as people have them: Pillow's images, bytes, floats."""

import warnings
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import PIL.Image

from nst.errors import InputError
from nst.images.alpha import with_alpha
from nst.images.decode import from_pillow
from nst.images.profiles import ImageWarning
from nst.images.read import read, upright_srgb
from nst.types import Array, Image, Mask

#: An image in any of the forms that `as_image` takes.
ImageLike = str | Path | PIL.Image.Image | Array


def as_image(name: str, image: ImageLike, alpha: str = "flatten") -> np.ndarray:
    """Return an image as float32 `[h, w, 3]`, RGB, sRGB-encoded, in [0, 1]; `[h, w, 4]` if it has alpha, which is kept.

    Args:
      name: What messages call it.
      image: A path or the name of a sample, an image of Pillow, or an array `[h, w, 3]` of bytes or of floats in
        [0, 1]; floats may be a little beyond, as resampling overshoots. An array `[h, w, 4]` has alpha in the last
        channel, not multiplied into the colors.
      alpha: As in `read`.

    Raises:
      InputError: The image can't be read, an array has another shape, type or range, or alpha is kept and 0 everywhere.
    """
    if isinstance(image, str | Path):
        return read(image, alpha=alpha)
    array = pixels(name, image)
    if array.shape[2] == 4:  # below alpha 0 there may be anything, also NaN
        array = np.where(array[..., 3:] == 0, np.float32(0), array)
    if not (array.min() > -0.5 and array.max() < 1.5):  # False for NaN too
        remedy = (
            "divide by 255"
            if 1.5 <= array.max() <= 255 and array.min() >= 0
            else "give finite values from 0 to 1"
        )
        raise InputError(f"{name} has values from {array.min()} to {array.max()}: {remedy}")
    return with_alpha(name, array, alpha)


def eight_bits(image: Image | Mask) -> np.ndarray:
    """Return an image or a mask of floats as bytes: clipped to [0, 1] and rounded to the nearest of 256 levels."""
    return np.rint(np.clip(np.asarray(image), 0, 1) * 255).astype(np.uint8)


def warn_if_constant(name: str, image: Image) -> None:
    """Warn if an image has one color everywhere: it has no structure, and no style but the color."""
    colors = np.asarray(image)[..., :3].reshape(-1, 3)
    if image.size and (np.ptp(colors, axis=0) == 0).all():
        warnings.warn(f"{name} has one color everywhere: is it the right image?", ImageWarning, stacklevel=3)


def pixels(name: str, image: PIL.Image.Image | Array) -> np.ndarray:
    """Return an image of Pillow or an array as float32, `[h, w, 4]` if it has alpha; values of floats may be any.

    Raises:
      InputError: The array has another shape or type.
    """
    if isinstance(image, PIL.Image.Image):
        if image.mode[0] in "IF":  # Pillow would clip them
            raise InputError(
                f"{name} is of Pillow's mode {image.mode}: scale it to 8 bits, or give an array of floats"
            )
        return upright_srgb(from_pillow(image), name)
    array = np.asarray(image)
    check_array(name, array, channels=(3, 4))
    if not array.size:
        raise InputError(f"{name} is {array.shape}: it has no pixels")
    return array.astype(np.float32) / 255 if array.dtype == np.uint8 else np.asarray(array, np.float32)


def check_array(name: str, array: Array, channels: tuple[int, ...] = (3,)) -> None:
    """Raise InputError unless an array has the shape `[h, w, 3]` and a type of images, bytes or floats.

    Args:
      name: What the message calls it.
      array: The array.
      channels: The numbers of channels that can be used.
    """
    if (remedy := _remedy(array, channels)) is not None:
        raise InputError(f"{name} is {array.dtype} {array.shape}: {remedy}")


def _remedy(array: Array, channels: tuple[int, ...]) -> str | None:
    """Return what to do about the shape or the type of an array; None if it is that of an image."""
    if array.dtype != np.uint8 and not jnp.issubdtype(array.dtype, jnp.floating):
        return "give bytes (uint8) or floats from 0 to 1"
    if array.ndim == 3 and array.shape[2] in channels:
        return None
    if array.ndim == 4:
        return "give one image of the batch, such as [0]"
    if array.ndim == 3 and array.shape[0] == 3:
        return "channels come last, [h, w, 3]: np.moveaxis(image, 0, 2)"
    if array.ndim == 3 and array.shape[2] == 4:
        return "leave transparency out: [..., :3]"
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1):
        return "repeat gray values, [h, w, 3]: np.stack([gray] * 3, axis=-1) for [h, w]"
    return "give an image [h, w, 3]"
