"""The formats of images that are read: an allow-list, by the first bytes of a file."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from nst.errors import InputError
from nst.inputs import beginning, silent_stderr

SUPPORTED = "PNG, JPEG, WebP, TIFF, AVIF, HEIC, BMP and GIF"

#: The first bytes of each format but WebP, AVIF and HEIC (see `sniff`). No other file reaches Pillow, which would start
#: Ghostscript for an EPS file.
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}

#: Brands of ISO base media files (ISO/IEC 23000-12): the images of iPhones and of AVIF.
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"
)

_HEADER_BYTES = 32


def sniff(path: Path) -> str:
    """Return Pillow's name of a file's format by its first bytes; raise InputError if it is not supported."""
    first = header(path)
    if first[:4] == b"RIFF" and first[8:12] == b"WEBP":
        return "WEBP"
    if first[4:8] == b"ftyp":
        brands = [first[8:12], *(first[i : i + 4] for i in range(16, len(first), 4))]
        known = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
        if known:
            return "AVIF" if "AVIF" in known else "HEIF"
    for signature, format in _SIGNATURES.items():
        if first.startswith(signature):
            return format
    raise InputError(f"{path} is not an image that can be read: supported are {SUPPORTED}")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence the decoders, and disable Pillow's limit of pixels in favor of ours.

    Errors are reported by our own messages. All of these settings are global, so they are restored.
    """
    limit, disabled = Image.MAX_IMAGE_PIXELS, logging.root.manager.disable
    try:
        Image.MAX_IMAGE_PIXELS = None
        logging.disable(logging.CRITICAL)
        with warnings.catch_warnings(action="ignore"), silent_stderr():
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
        logging.disable(disabled)


def header(path: Path) -> bytes:
    """Return the first 32 bytes of a file, or all of a shorter one; raise InputError if it is empty or unreadable."""
    return beginning(path, _HEADER_BYTES)
