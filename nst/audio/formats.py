"""Audio formats: an allow-list by a file's first bytes, and checks for truncated files."""

import os
import struct
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from nst.errors import InputError
from nst.inputs import beginning

SUPPORTED = "WAV, FLAC, Ogg, MP3, AIFF, CAF or AU"

_SIGNATURES = {b"fLaC": "FLAC", b"OggS": "OGG", b"ID3": "MP3", b"caff": "CAF", b".snd": "AU"}
#: Formats within IFF and RIFF (its little-endian form), by bytes 0 to 3 and 8 to 11.
_KINDS = {(b"RIFF", b"WAVE"): "WAV", (b"FORM", b"AIFF"): "AIFF", (b"FORM", b"AIFC"): "AIFF"}
_HEADER_BYTES = 12


class _Chunks(NamedTuple):
    """The chunks of a format: offset of the first, header, name of the one with the samples, alignment."""

    start: int
    head: struct.Struct  # the chunk's name and its length without this header
    samples: bytes
    align: int


_CHUNKS = {
    "WAV": _Chunks(12, struct.Struct("<4sI"), b"data", 2),
    "AIFF": _Chunks(12, struct.Struct(">4sI"), b"SSND", 2),
    "CAF": _Chunks(8, struct.Struct(">4sq"), b"data", 1),
}
# Lengths that mean an unknown length: programs that write to a pipe can't go back to correct it.
_STREAMED = range(0x7FFF_F000, 2**32)

# The header of an Ogg page (RFC 3533, section 6): capture pattern, version, flags and number of segments.
_PAGE = struct.Struct("<4sBB20xB")
_LAST_PAGE = 4
_LONGEST_PAGE = 65_307


def sniff(path: Path) -> str:
    """Return libsndfile's name of a file's format, by its first bytes.

    Raises:
      InputError: The file can't be read, is empty, or its format is not supported.
    """
    first = beginning(path, _HEADER_BYTES)
    if kind := _KINDS.get((first[:4], first[8:])):
        return kind
    for signature, format in _SIGNATURES.items():
        if first.startswith(signature):
            return format
    if first[0] == 0xFF and first[1:] and first[1] & 0xE6 == 0xE2:  # a frame of MPEG audio, layer III
        return "MP3"
    raise InputError(f"{path} is not an audio file that can be read: convert it to {SUPPORTED}")


def is_cut(file: FileIO, format: str) -> bool:
    """Return whether a file is shorter than its header says: libsndfile would read part of it without an error.

    False for FLAC and MP3: libsndfile knows how many samples these have.
    """
    size = file.seek(0, os.SEEK_END)
    if format == "OGG":
        return _lacks_last_page(file, size)
    end = _end_in_au(file) if format == "AU" else _end_in_chunks(file, _CHUNKS.get(format))
    return end is not None and end > size


def tells_length(file: FileIO) -> bool:
    """Return whether an MP3 has a LAME or Xing header, which counts the samples; without one libsndfile guesses."""
    first = _at(file, 0, 10)
    tag = 0
    if first[:3] == b"ID3":  # its length is four digits in base 128 (ID3v2.4, section 3.1)
        for digit in first[6:]:
            tag = tag << 7 | digit
        tag += len(first)
    frame = _at(file, tag, 40)  # frame header, up to 32 bytes of side information, name of the header
    return b"Xing" in frame or b"Info" in frame


def _end_in_chunks(file: FileIO, chunks: _Chunks | None) -> int | None:
    """Return the offset at which the chunk of samples ends by its header; None if the file does not say it."""
    if chunks is None:
        return None
    offset = chunks.start
    while len(head := _at(file, offset, chunks.head.size)) == chunks.head.size:
        name, length = chunks.head.unpack(head)
        offset += len(head)
        if length < 0 or (name == chunks.samples and length in _STREAMED):
            return None
        if name == chunks.samples:
            return offset + length
        offset += length + -length % chunks.align
    return None


def _end_in_au(file: FileIO) -> int | None:
    """Return the offset at which the samples of an AU file end by its header; None if the file does not say it."""
    head = _at(file, 4, 8)
    if len(head) < 8:
        return None
    start, length = struct.unpack(">II", head)
    return None if length in _STREAMED else start + length


def _lacks_last_page(file: FileIO, size: int) -> bool:
    """Return whether the last Ogg page of a file is cut short, or is not marked as the last of its stream."""
    tail = _at(file, max(0, size - 2 * _LONGEST_PAGE), 2 * _LONGEST_PAGE)
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < _PAGE.size:
        return True
    _, _, flags, count = _PAGE.unpack_from(page)
    return not flags & _LAST_PAGE or len(page) < _PAGE.size + count + sum(page[_PAGE.size :][:count])


def _at(file: FileIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)
