"""Conversion from the color space of an image to sRGB, by its ICC profile if it has one."""

import warnings

import imagecodecs
import numpy as np

#: The field of an ICC header that names the color space, and the names (ICC.1:2022, table 19).
_SPACE_FIELD = slice(16, 20)
_SPACES = {b"GRAY": "GRAY", b"RGB ": "RGB", b"CMYK": "CMYK", b"Lab ": "LAB"}


class ImageWarning(UserWarning):
    """A part of an image was left out, such as a broken profile; the rest was used."""


def to_srgb(color: np.ndarray, space: str, profile: bytes | None, name: str = "image") -> np.ndarray:
    """Convert samples in `space` to sRGB, float32 `[h, w, 3]` in [0, 1].

    Samples with a profile are converted by Little CMS with the perceptual intent: 8-bit ones in 8 bits, all
    others in 16 bits. Without a profile, gray and RGB are taken as sRGB, and CMYK as ideal inks.

    Args:
      color: uint8 or uint16 of full scale, or float32 in [0, 1], `[h, w, channels]`.
      space: GRAY, RGB, CMYK or LAB.
      profile: An ICC profile. One that is broken or of another space is ignored with a warning.
      name: The name of the image in the warning.
    """
    if space == "LAB":
        return _transform(color, space, imagecodecs.cms_profile("lab4"))
    if profile:
        try:
            if _SPACES.get(profile[_SPACE_FIELD]) == space:
                return _transform(color, space, profile)
            cause = f"is not for {space} images"
        except imagecodecs.CmsError:
            cause = "is broken"
        warnings.warn(f"{name}: its ICC profile {cause}: it is ignored", ImageWarning, stacklevel=2)
    return _without_profile(unit(color), space)


def unit(samples: np.ndarray) -> np.ndarray:
    """Return samples as float32 in [0, 1]; integers are divided by the maximum of their type."""
    if samples.dtype == np.float32:
        return samples
    return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)


def _transform(color: np.ndarray, space: str, profile: bytes) -> np.ndarray:
    if color.dtype == np.float32:
        color = np.rint(color * 65535).astype(np.uint16)
    # Little CMS optimizes by tables, whose error for gray and for 16 bits is up to 15 levels of 255.
    exact = space == "GRAY" or color.dtype != np.uint8
    converted = imagecodecs.cms_transform(
        np.ascontiguousarray(color[..., 0] if space == "GRAY" else color),
        profile,
        imagecodecs.cms_profile("srgb"),
        colorspace=space.lower(),
        outcolorspace="rgb",
        intent=imagecodecs.CMS.INTENT.PERCEPTUAL,
        flags=imagecodecs.CMS.FLAGS.NOOPTIMIZE if exact else 0,
    )
    return unit(converted)


def _without_profile(color: np.ndarray, space: str) -> np.ndarray:
    if space == "CMYK":
        return (1 - color[..., :3]) * (1 - color[..., 3:])
    return np.repeat(color, 3, axis=-1) if space == "GRAY" else color
