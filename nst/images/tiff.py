"""TIFF of more than 8 bits a sample, which Pillow reduces to 8 or can't read."""

from pathlib import Path

import numpy as np
import tifffile

from nst.errors import InputError
from nst.images.decoded import Decoded, check_size, known_orientation

_ICC_TAG, _ORIENTATION_TAG = 34675, 274
_SPACES = {
    tifffile.PHOTOMETRIC.MINISWHITE: "GRAY",
    tifffile.PHOTOMETRIC.MINISBLACK: "GRAY",
    tifffile.PHOTOMETRIC.RGB: "RGB",
    tifffile.PHOTOMETRIC.SEPARATED: "CMYK",
    tifffile.PHOTOMETRIC.CIELAB: "LAB",
}
_CHANNELS = {"GRAY": 1, "RGB": 3, "CMYK": 4, "LAB": 3}


def decode_deep(path: Path, max_pixels: int) -> Decoded | None:
    """Decode the first page of a TIFF of more than 8 bits a sample; None if it has 8 or fewer.

    Unsigned integers are scaled to the full range of uint16, floats are kept.

    Raises:
      InputError: The image has more than `max_pixels`, is of a rare kind, or has floats that are not finite or outside
        [0, 1].
      ValueError: A strip or tile is missing.
    """
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        assert isinstance(page, tifffile.TiffPage)
        bits = page.bitspersample
        if not isinstance(bits, int) or bits <= 8:
            return None
        check_size(path, page.imagelength, page.imagewidth, max_pixels)
        space = _space(path, page)
        samples = _samples(path, page)
        color, alpha = _separate(samples, _CHANNELS[space], page.extrasamples)
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            color = 1 - color if color.dtype == np.float32 else ~color
        if space == "LAB":
            color = _offset_lab(color)
        orientation = known_orientation(page.tags.valueof(_ORIENTATION_TAG))
        profile = page.tags.valueof(_ICC_TAG)
        return Decoded(color, space, alpha, profile, orientation, len(file.pages) > 1)


def _space(path: Path, page: tifffile.TiffPage) -> str:
    space = _SPACES.get(page.photometric)  # pyright: ignore[reportArgumentType]
    plain = page.axes in ("YX", "YXS", "SYX")
    if space is None or not plain or not _CHANNELS[space] <= page.samplesperpixel <= _CHANNELS[space] + 4:
        raise InputError(f"{path} is a rare kind of TIFF: save it as RGB of 8 or 16 bits")
    if page.dtype is None or page.dtype.kind not in "uf" or (space == "LAB" and page.dtype != np.uint16):
        raise InputError(f"{path} has samples of type {page.dtype}: save it as RGB of 8 or 16 bits")
    return space


def _samples(path: Path, page: tifffile.TiffPage) -> np.ndarray:
    """Return the samples of a page, `[h, w, samples]`, uint16 of full scale or float32."""
    # A segment without bytes stands for zeros in sparse files; in an image it is missing data.
    if not page.dataoffsets or 0 in page.dataoffsets or 0 in page.databytecounts:
        raise ValueError("a strip or tile is missing")
    samples = page.asarray()
    samples = np.moveaxis(samples, 0, 2) if page.axes == "SYX" else samples.reshape(*samples.shape[:2], -1)
    if samples.dtype.kind == "f":
        return _checked(path, samples)
    if page.bitspersample == 16:
        return samples
    full = 2**page.bitspersample - 1
    return np.rint(samples * (65535 / full)).astype(np.uint16)


def _checked(path: Path, samples: np.ndarray) -> np.ndarray:
    if not np.isfinite(samples).all():
        raise InputError(f"{path} has samples that are not finite: repair or mask them first")
    low, high = float(samples.min()), float(samples.max())
    if low < 0 or high > 1:
        raise InputError(f"{path} has samples from {low:g} to {high:g}: scale them to [0, 1], sRGB-encoded")
    return samples.astype(np.float32)


def _separate(
    samples: np.ndarray, channels: int, extra: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return color and alpha. An extra sample of unspecified meaning is not alpha."""
    color = samples[..., :channels]
    if not extra or extra[0] == tifffile.EXTRASAMPLE.UNSPECIFIED:
        return color, None
    full = 1 if samples.dtype == np.float32 else 65535
    alpha = samples[..., channels].astype(np.float32) / full
    if extra[0] == tifffile.EXTRASAMPLE.ASSOCALPHA:
        ratio = color.astype(np.float32) / full / np.maximum(alpha, 1e-6)[..., None]
        color = np.minimum(ratio, 1)
    return color, alpha


def _offset_lab(color: np.ndarray) -> np.ndarray:
    """Convert TIFF's 16-bit Lab (a and b signed, 256 to the unit) to ICC's (a + 128, 257 to the unit)."""
    chroma = (color[..., 1:] ^ np.uint16(0x8000)).astype(np.float32) * (257 / 256)
    return np.concatenate([color[..., :1], np.rint(chroma).astype(np.uint16)], axis=-1)
