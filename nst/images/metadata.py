"""Text inside images: how a result was made. No time stamps, so that equal runs give equal bytes."""

import json
import struct
import zlib
from pathlib import Path

from PIL import ExifTags, Image

from nst.errors import InputError
from nst.images.formats import quiet, sniff


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return one chunk of a PNG (ISO/IEC 15948, 5.3)."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png_text(metadata: dict[str, str]) -> bytes:
    """Return the chunks for `metadata`: international text, not compressed (ISO/IEC 15948, 11.3.4.5)."""
    return b"".join(
        png_chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode())
        for keyword, text in metadata.items()
    )


def description(metadata: dict[str, str]) -> str:
    """Return `metadata` as JSON in ASCII: the ImageDescription of TIFF and EXIF can hold nothing else."""
    return json.dumps(metadata, ensure_ascii=True)


def exif(metadata: dict[str, str]) -> bytes:
    """Return an EXIF block with `metadata` as its ImageDescription."""
    block = Image.Exif()
    block[ExifTags.Base.ImageDescription] = description(metadata)
    return block.tobytes()


def read_metadata(path: str | Path) -> dict[str, str]:
    """Return the metadata that `write` put into an image.

    For an image of another program: the texts of a PNG; an empty dict for any other format.

    Raises:
      InputError: The file is not an image.
    """
    path = Path(path)
    format = sniff(path)
    try:
        with quiet(), Image.open(path, formats=[format]) as image:
            if format == "PNG":
                return dict(getattr(image, "text", {}))
            text = image.getexif().get(ExifTags.Base.ImageDescription, "")
    except Exception as error:
        raise InputError(f"{path} is truncated or damaged: fetch or export it again") from error
    return _parse(str(text))


def _parse(text: str) -> dict[str, str]:
    try:
        metadata = json.loads(text)
    except ValueError:
        return {}
    is_ours = isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())
    return metadata if is_ours else {}
