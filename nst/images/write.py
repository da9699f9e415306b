"""Writing of images in the format of the file's extension; equal images give equal bytes."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np
import PIL.Image

from nst.errors import InputError
from nst.files import user_path, write_bytes
from nst.images import metadata as texts
from nst.images.alpha import flatten
from nst.images.arrays import pixels
from nst.images.profiles import ImageWarning
from nst.types import Array

_PNG_HEADER_BYTES = 33  # the signature and the IHDR chunk
_EXIF_BYTES = 65_000  # a segment of JPEG holds little more
_PERCEPTUAL = b"\0"


def _png(samples: np.ndarray, metadata: dict[str, str], quality: int) -> bytes:
    encoded = imagecodecs.png_encode(samples)
    chunks = texts.png_chunk(b"sRGB", _PERCEPTUAL) + texts.png_text(metadata)
    return bytes(encoded[:_PNG_HEADER_BYTES]) + chunks + bytes(encoded[_PNG_HEADER_BYTES:])


def _tiff(samples: np.ndarray, metadata: dict[str, str], quality: int) -> bytes:
    import tifffile  # takes a tenth of a second: only for such files

    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        samples,
        photometric="rgb",
        compression="zlib",
        predictor=True,
        description=texts.description(metadata),
        metadata=None,
        software=False,
    )
    return stream.getvalue()


def _jpeg(samples: np.ndarray, metadata: dict[str, str], quality: int) -> bytes:
    exif = texts.exif(metadata)
    if len(exif) > _EXIF_BYTES:
        warnings.warn("the metadata is longer than JPEG allows and is left out", ImageWarning, stacklevel=3)
        exif = b""
    # Halved chroma blurs the edges of saturated strokes.
    return _pillow(samples, "JPEG", quality=quality, subsampling="4:4:4", exif=exif)


def _webp(samples: np.ndarray, metadata: dict[str, str], quality: int) -> bytes:
    return _pillow(samples, "WEBP", quality=quality, exif=texts.exif(metadata))


def _pillow(samples: np.ndarray, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(samples).save(stream, format, **options)
    return stream.getvalue()


class _Format(NamedTuple):
    encode: Callable[[np.ndarray, dict[str, str], int], bytes]
    bits: tuple[int, ...]
    longest: int  # side, in pixels
    alpha: bool = True  # whether it can hold transparency


_PNG = _Format(_png, (8, 16), 2**31 - 1)
_TIFF = _Format(_tiff, (8, 16), 2**31 - 1)
_JPEG = _Format(_jpeg, (8,), 65_500, alpha=False)
_WEBP = _Format(_webp, (8,), 16_383)
_FORMATS = {".png": _PNG, ".jpg": _JPEG, ".jpeg": _JPEG, ".webp": _WEBP, ".tif": _TIFF, ".tiff": _TIFF}


def check_output(path: str | Path, *, bits: int = 8, longest: int = 1, alpha: bool = False) -> None:
    """Raise InputError before a run for an output that `write` would refuse after it.

    Args:
      path: The file to write.
      bits: Bits per sample.
      longest: The longest side of the image in pixels.
      alpha: Whether transparency has to be written; `write` would flatten the image.

    Raises:
      InputError: The extension is unknown, or its format does not support the bits, the size or transparency.
    """
    format = _FORMATS.get(Path(path).suffix.lower())
    if format is None:
        raise InputError(f"{path}: unknown extension of an output: choose from {', '.join(_FORMATS)}")
    if bits not in format.bits:
        choices = " or ".join(map(str, format.bits))
        raise InputError(f"{path}: {bits} bits cannot be written: choose {choices}, or .png or .tiff with 16")
    if longest > format.longest:
        raise InputError(
            f"{path}: a side of {longest} pixels is over the format's {format.longest}: choose .png"
        )
    if alpha and not format.alpha:
        raise InputError(f"{path}: the format has no transparency: choose .png, .webp or .tiff")


def write(
    path: str | Path,
    image: PIL.Image.Image | Array,
    *,
    bits: int = 8,
    metadata: dict[str, str] | None = None,
    quality: int = 95,
) -> None:
    """Write an image in the format of the extension, completely or not at all.

    Args:
      path: Ends in .png, .jpg, .jpeg, .webp, .tif or .tiff.
      image: An image of Pillow, or an array `[h, w, 3]`, sRGB-encoded: bytes, or floats, which are clipped to [0, 1]
        and rounded to the nearest level, halves to even. With alpha, `[h, w, 4]`, the file has it, too; for JPEG the
        image is composed on white, with an `ImageWarning`.
      bits: Bits per sample: 8, or 16 for PNG and TIFF.
      metadata: Texts to store in the file, such as the config of a run; `read_metadata` returns them.
      quality: Quality of JPEG and WebP, up to 100.

    Raises:
      InputError: As in `check_output`, or the image has values that are not finite.

    Example:
      >>> nst.images.write("coffee.png", nst.images.read("coffee"), metadata={"Comment": "a cup"})
    """
    path = user_path(path)
    values = pixels(str(path), image)
    check_output(path, bits=bits, longest=max(values.shape))
    if not np.isfinite(values).all():
        raise InputError(f"{path}: the image has values that are not finite: it is not written")
    encode, _, _, has_alpha = _FORMATS[path.suffix.lower()]
    if values.shape[2] == 4 and not has_alpha:
        if values[..., 3].min() < 1:
            warnings.warn(
                f"{path}: the format has no transparency, so the image is on white: .png, .webp and .tiff have it",
                ImageWarning,
                stacklevel=2,
            )
        values = flatten(values)
    levels = 2**bits - 1
    samples = np.rint(np.clip(values, 0, 1) * levels).astype(np.uint8 if bits == 8 else np.uint16, order="C")
    write_bytes(path, encode(samples, metadata or {}, quality))
