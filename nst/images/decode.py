"""From a file to samples in the file's own colour space."""

from pathlib import Path

import imagecodecs
import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from nst.errors import InputError
from nst.images.decoded import Decoded, check_size, known_orientation
from nst.images.formats import header, quiet, sniff

#: Pillow's mode for each colour space, and the spaces of the modes that are not RGB at heart.
_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "LAB": "LAB"}
_SPACES = {"1": "GRAY", "L": "GRAY", "LA": "GRAY", "CMYK": "CMYK", "LAB": "LAB"}

_PNG_BIT_DEPTH = 24  # where the IHDR chunk, always the first, has it


def decode(path: Path, max_pixels: int) -> Decoded:
    """Decode the first frame of the picture at `path`.

    Raises:
      InputError: The file can't be read, is no picture of a supported format, is truncated or damaged, or
        its header announces more than `max_pixels`.
    """
    format = sniff(path)
    try:
        with quiet():
            return _DECODERS.get(format, _decode_common)(path, format, max_pixels)
    except InputError:
        raise
    # On damaged files decoders raise almost anything: struct.error, KeyError, OverflowError, MemoryError, …
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
    with Image.open(path, formats=[format]) as picture:
        check_size(path, picture.height, picture.width, max_pixels)
        several = _several(picture)
        picture.load()
        space = _SPACES.get(picture.mode, "RGB")
        color = np.asarray(picture.convert(_MODES[space]))
        if space == "LAB":
            color = color ^ np.array([0, 128, 128], np.uint8)  # signed a and b become offset ones
        color = color.reshape(*color.shape[:2], -1)
        return Decoded(color, space, _alpha(picture), _profile(picture), _orientation(picture), several)


def _decode_png(path: Path, format: str, max_pixels: int) -> Decoded:
    if header(path)[_PNG_BIT_DEPTH] != 16:
        return _decode_common(path, format, max_pixels)
    with Image.open(path, formats=[format]) as picture:
        check_size(path, picture.height, picture.width, max_pixels)
        several, profile, orientation = _several(picture), _profile(picture), _orientation(picture)
    # Pillow cuts 16-bit colour down to 8 bits without a word.
    samples = imagecodecs.png_decode(path.read_bytes())
    samples = samples.reshape(*samples.shape[:2], -1)
    has_alpha = samples.shape[2] in (2, 4)
    color = samples[..., :-1] if has_alpha else samples
    alpha = samples[..., -1].astype(np.float32) / 65535 if has_alpha else None
    return Decoded(color, "GRAY" if color.shape[2] == 1 else "RGB", alpha, profile, orientation, several)


def _decode_tiff(path: Path, format: str, max_pixels: int) -> Decoded:
    from nst.images import tiff  # tifffile takes a tenth of a second to import

    return tiff.decode_deep(path, max_pixels) or _decode_common(path, format, max_pixels)


_DECODERS = {"PNG": _decode_png, "TIFF": _decode_tiff}


def _several(picture: Image.Image) -> bool:
    # The second picture of a camera's MPO is a thumbnail or another eye's view, not an animation.
    if picture.format == "MPO":
        return False
    try:
        return getattr(picture, "is_animated", False)
    except Exception:  # a later frame is damaged: the first may be whole
        return True


def _alpha(picture: Image.Image) -> np.ndarray | None:
    if not picture.has_transparency_data:
        return None
    return np.asarray(picture.convert("RGBA").getchannel("A"), np.float32) / 255


def _profile(picture: Image.Image) -> bytes | None:
    return picture.info.get("icc_profile")


def _orientation(picture: Image.Image) -> int:
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # broken EXIF raises as variously as broken pictures: go on as if there were none
        return 1
    return known_orientation(value)
