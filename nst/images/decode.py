"""Decoding of a file to samples in its own color space."""

from pathlib import Path

import imagecodecs
import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from nst.errors import InputError
from nst.images.decoded import Decoded, check_size, known_orientation
from nst.images.formats import header, quiet, sniff

#: Pillow's mode for each color space, and the spaces of the modes that are not converted to RGB.
_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "LAB": "LAB"}
_SPACES = {"1": "GRAY", "L": "GRAY", "LA": "GRAY", "CMYK": "CMYK", "LAB": "LAB"}

_PNG_BIT_DEPTH = 24  # offset in the file: the IHDR chunk is always the first


def decode(path: Path, max_pixels: int) -> Decoded:
    """Decode the first frame of the image at `path`.

    Raises:
      InputError: The file can't be read, is not an image of a supported format, is truncated or damaged, or
        has more than `max_pixels` according to its header.
    """
    format = sniff(path)
    try:
        with quiet():
            return _DECODERS.get(format, _decode_common)(path, format, max_pixels)
    except InputError:
        raise
    # For damaged files decoders raise almost anything: struct.error, KeyError, OverflowError, MemoryError, …
    except Exception as error:
        raise InputError(
            f"{path} is truncated or damaged ({_reason(error)}): fetch or export it again"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):  # its own text only repeats the path
        return "header not understood"
    text = " ".join(str(error).split())
    return text if " " in text else type(error).__name__  # a KeyError's text is the key alone


def _decode_common(path: Path, format: str, max_pixels: int) -> Decoded:
    with Image.open(path, formats=[format]) as image:
        check_size(path, image.height, image.width, max_pixels)
        return from_pillow(image)


def from_pillow(image: Image.Image) -> Decoded:
    """Decode an image that Pillow has opened or made, its first frame."""
    several = _several(image)
    image.load()
    space = _SPACES.get(image.mode, "RGB")
    color = np.asarray(image.convert(_MODES[space]))
    if space == "LAB":
        color = color ^ np.array([0, 128, 128], np.uint8)  # signed a and b become offset ones
    color = color.reshape(*color.shape[:2], -1)
    return Decoded(color, space, _alpha(image), _profile(image), _orientation(image), several)


def _decode_png(path: Path, format: str, max_pixels: int) -> Decoded:
    if header(path)[_PNG_BIT_DEPTH] != 16:
        return _decode_common(path, format, max_pixels)
    with Image.open(path, formats=[format]) as image:
        check_size(path, image.height, image.width, max_pixels)
        several, profile, orientation = _several(image), _profile(image), _orientation(image)
    # Pillow would reduce 16-bit color to 8 bits, without a warning.
    samples = imagecodecs.png_decode(path.read_bytes())
    samples = samples.reshape(*samples.shape[:2], -1)
    has_alpha = samples.shape[2] in (2, 4)
    color = samples[..., :-1] if has_alpha else samples
    alpha = samples[..., -1].astype(np.float32) / 65535 if has_alpha else None
    return Decoded(color, "GRAY" if color.shape[2] == 1 else "RGB", alpha, profile, orientation, several)


def _decode_tiff(path: Path, format: str, max_pixels: int) -> Decoded:
    from nst.images import tiff  # tifffile takes a tenth of a second to import

    return tiff.decode_deep(path, max_pixels) or _decode_common(path, format, max_pixels)


def _decode_heif(path: Path, format: str, max_pixels: int) -> Decoded:
    try:
        import pillow_heif
    except ImportError as error:
        raise InputError(
            f"{path} is a HEIC image: pip install 'nst[heif]', or convert it to JPEG or PNG"
        ) from error
    pillow_heif.register_heif_opener()
    return _decode_common(path, format, max_pixels)


_DECODERS = {"PNG": _decode_png, "TIFF": _decode_tiff, "HEIF": _decode_heif}


def _several(image: Image.Image) -> bool:
    # The second image of a camera's MPO is a thumbnail or the view of the other eye, not an animation.
    if image.format == "MPO":
        return False
    try:
        return getattr(image, "is_animated", False)
    except Exception:  # a later frame is damaged: the first may be intact
        return True


def _alpha(image: Image.Image) -> np.ndarray | None:
    if not image.has_transparency_data:
        return None
    return np.asarray(image.convert("RGBA").getchannel("A"), np.float32) / 255


def _profile(image: Image.Image) -> bytes | None:
    return image.info.get("icc_profile")


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damaged EXIF raises almost anything: treat it as absent
        return 1
    return known_orientation(value)
