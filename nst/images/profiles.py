"""From a picture's own colour space to sRGB, by its ICC profile where it has one."""

import warnings

import imagecodecs
import numpy as np

#: Where an ICC header names the colour space, and the names (ICC.1:2022, table 19).
_SPACE_FIELD = slice(16, 20)
_SPACES = {b"GRAY": "GRAY", b"RGB ": "RGB", b"CMYK": "CMYK", b"Lab ": "LAB"}


class PictureWarning(UserWarning):
    """Something in a picture was passed over; the rest of it was read."""


def to_srgb(color: np.ndarray, space: str, profile: bytes | None, name: str = "picture") -> np.ndarray:
    """Samples in `space` as sRGB, float32 `[h, w, 3]` in [0, 1].

    Samples with a profile are converted by Little CMS with the perceptual intent: 8-bit ones in 8 bits, all
    others in 16 bits. Without a profile, grey and RGB are sRGB already, and CMYK is taken as ideal inks.

    Args:
      color: uint8 or uint16 of full scale, or float32 in [0, 1], `[h, w, channels]`.
      space: GRAY, RGB, CMYK or LAB.
      profile: An ICC profile. One that is broken or describes another space is passed over with a warning.
      name: What the warning calls the picture.
    """
    if space == "LAB":
        return _transform(color, space, imagecodecs.cms_profile("lab4"))
    if profile:
        try:
            if _SPACES.get(profile[_SPACE_FIELD]) == space:
                return _transform(color, space, profile)
            cause = f"is not for {space} pictures"
        except imagecodecs.CmsError:
            cause = "is broken"
        warnings.warn(f"{name}: its ICC profile {cause}: read as sRGB", PictureWarning, stacklevel=2)
    return _without_profile(unit(color), space)


def unit(samples: np.ndarray) -> np.ndarray:
    """Samples as float32 in [0, 1], integers divided by their type's largest."""
    if samples.dtype == np.float32:
        return samples
    return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)


def _transform(color: np.ndarray, space: str, profile: bytes) -> np.ndarray:
    if color.dtype == np.float32:
        color = np.rint(color * 65535).astype(np.uint16)
    # Little CMS shortens its work by tables, which for grey and for 16 bits miss by up to 15 levels of 255.
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
