"""Video files: open them by an allow-list of formats, describe them, and see whether they are cut short."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from nst.errors import InputError
from nst.images.decoded import check_size
from nst.inputs import beginning
from nst.video import packages
from nst.video.clip import Clip
from nst.video.color import orientation

SUPPORTED = "MP4, MOV, MKV, WebM, AVI, MPEG, TS, WMV, FLV, Ogg, MXF, Y4M, GIF or APNG"

# FFmpeg's names. Formats that name other files, such as playlists, are not among them.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,mxf,yuv4mpegpipe,gif,apng"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file as a container of PyAV, and close it.

    Raises:
      InputError: The file can't be read, or is not video of a supported format.
    """
    beginning(path, 1)
    av = packages.av()
    try:
        container = av.open(f"file:{path}", container_options=_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise InputError(
            f"{path} is not video that can be read, or is truncated: fetch it again, or convert it to {SUPPORTED}"
        ) from error
    with container:
        yield container


def video_stream(path: Path, container: Any, max_pixels: int) -> Any:
    """Return the video stream of a container; nothing is decoded.

    Raises:
      InputError: There is none, its codec is unknown, or its frames have more than `max_pixels`.
    """
    av = packages.av()
    cover = av.stream.Disposition.attached_pic  # of a piece of music
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        raise InputError(f"{path} has no video, only {_contents(container)}: give a file with video")
    best = container.streams.best("video")
    stream = best if best in streams else streams[0]
    if stream.codec_context is None:
        raise InputError(f"{path}: the codec of its video is not known to FFmpeg: convert it to H.264")
    check_size(path, stream.codec_context.height, stream.codec_context.width, max_pixels)
    stream.codec_context.options = {"max_pixels": str(max_pixels)}
    stream.thread_type = "AUTO"
    return stream


def describe(path: Path, max_pixels: int) -> Clip:
    """Read the headers of a file and its first frame.

    Raises:
      InputError: As `opened` and `video_stream`, or there is no frame.
    """
    with opened(path) as container:
        stream = video_stream(path, container, max_pixels)
        first = _first_frame(path, container, stream)
        transposed = orientation(first)[0]
        height, width = (first.width, first.height) if transposed else (first.height, first.width)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        return Clip(
            path=path,
            height=height,
            width=width,
            time_base=stream.time_base,
            start=(first.pts or 0) * first.time_base,
            rate=stream.average_rate or stream.guessed_rate or Fraction(25),
            sample_aspect=1 / aspect if transposed else aspect,
            duration=_duration(container, stream, (first.pts or 0) * first.time_base),
            sound=tuple(_codec(track) for track in container.streams.audio),
        )


def stated_end(stream: Any) -> Fraction | None:
    """Return the end of a stream by its tag in Matroska and WebM, seconds from 0; None without one."""
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")
    minutes, _, rest = rest.partition(":")
    try:
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(rest.rstrip("\0"))
    except ValueError:
        return None


def container_end(container: Any) -> Fraction | None:
    """Return the end of the longest stream by the header of a file, in its own time; None if it is not stated."""
    if not container.duration:
        return None
    # Matroska counts from 0, others from the first time stamp.
    start = 0 if container.format.name.startswith("matroska") else container.start_time or 0
    return Fraction(container.duration + start, 1_000_000)


def is_cut(container: Any) -> bool:
    """Return whether a file is shorter than the index in its header says."""
    ends = (entry.pos + entry.size for stream in container.streams for entry in stream.index_entries)
    return max(ends, default=0) > container.size


def _first_frame(path: Path, container: Any, stream: Any) -> Any:
    av = packages.av()
    for packet in container.demux(stream):
        # Recordings of broadcasts begin between two key frames: packets before the first one can't be decoded.
        with contextlib.suppress(av.FFmpegError):
            for frame in packet.decode():
                return frame
    raise InputError(f"{path} has no frames that can be decoded: fetch or export it again")


def _duration(container: Any, stream: Any, start: Fraction) -> Fraction | None:
    if stream.duration:
        return stream.duration * stream.time_base
    end = stated_end(stream) or container_end(container)
    return None if end is None else max(end - start, Fraction(0))


def _codec(stream: Any) -> str:
    context = stream.codec_context
    return "unknown" if context is None else context.codec.canonical_name


def _contents(container: Any) -> str:
    return " and ".join(sorted({stream.type for stream in container.streams})) or "nothing"
