"""Writing of video: codec and container by the extension, exact times, equal bytes for equal frames."""

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst.errors import InputError
from nst.files import replacing, user_path
from nst.types import Audio
from nst.video import folder, gif, packages
from nst.video.clip import FOLDER_RATE, Clip, Frame, VideoWarning
from nst.video.sound import Sound, added

# Without a clip, seconds: divides frames of 24, 25, 30, 50 and 60 per second, and of 24/1.001 and so on.
_TIME_BASE = Fraction(1, 360_000)

# Threads of the encoder: the bytes depend on their number, and with four x264 once gave other bytes for equal frames.
# Encoding takes a hundredth of the time of stylizing.
_THREADS = 1
_HD_LINES = 720  # BT.709 from here on, as players expect
_BT709, _BT601, _LIMITED = 1, 6, 1  # ITU-T H.273, tables 2 to 4, as FFmpeg numbers them


class _Format(NamedTuple):
    """A container, its encoder, and the options of both."""

    container: str
    encoder: str
    options: dict[str, str]
    container_options: dict[str, str]


# Neither B-frames nor mbtree, which would save a third of the bytes: with these defaults the output of x264 depends on
# memory that it does not initialize (core 165), and the quality of frames alternates. Without mbtree key frames need a
# higher quality than its default, or a still picture changes after them.
_X264 = "mbtree=0:rc-lookahead=0:ipratio=4"
_H264 = "libx264", {"crf": "16", "preset": "medium", "bf": "0", "x264-params": _X264}
_FORMATS = {
    ".mp4": _Format("mp4", *_H264, {"movflags": "+faststart"}),
    ".mov": _Format("mov", *_H264, {"movflags": "+faststart"}),
    ".mkv": _Format("matroska", *_H264, {}),
    ".webm": _Format("webm", "libvpx-vp9", {"crf": "18", "b": "0", "cpu-used": "3"}, {}),
    ".gif": _Format("gif", "gif", {}, {}),
}


def check_output(path: str | Path) -> None:
    """Raise InputError, before a run, if `write` could not write an output after it.

    Raises:
      InputError: The extension is unknown, its encoder is missing, or a folder of frames has other files.
    """
    path = user_path(path)
    if not path.suffix:
        folder.check_output(path)
        return
    if path.suffix.lower() not in _FORMATS:
        choices = ", ".join(_FORMATS)
        raise InputError(
            f"{path}: unknown extension of an output: choose from {choices}, or none for a folder of PNG"
        )
    av = packages.av()
    encoder = _FORMATS[path.suffix.lower()].encoder
    try:
        av.Codec(encoder, "w")
    except ValueError as error:
        raise InputError(
            f"{path}: this build of FFmpeg lacks the encoder {encoder}: pip install --force-reinstall av"
        ) from error
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file")


def write(
    path: str | Path,
    frames: Iterable[Frame],
    *,
    clip: Clip | None = None,
    sound: Sound | Audio | None = None,
) -> None:
    """Write frames as video, completely or not at all.

    The first frame is shown at 0, the others as long after it as their times say. MKV and WebM round times to
    milliseconds, GIF to hundredths of a second. The same frames give the same bytes.

    Args:
      path: Ends in .mp4, .mov or .mkv (H.264), .webm (VP9) or .gif; without an extension it is a folder of PNG files.
      frames: Frames of one size, in the order of their times; each is encoded as it comes. The last one is shown for
        its duration, or as long as the one before.
      clip: The clip that the frames are of, for the unit of times, the rate and the shape of pixels.
      sound: The sound of a clip, copied where the format has its codec, or samples, which are encoded. GIF and
        folders have none.

    Raises:
      InputError: As `check_output`, there are no frames, or they are not bytes `[h, w, 3]` of one size.

    Example:
      >>> clip = nst.video.probe("pan")
      >>> nst.video.write("copy.mp4", nst.video.read("pan"), clip=clip, sound=nst.video.Sound("pan"))
    """
    path = user_path(path)
    check_output(path)
    suffix = path.suffix.lower()
    if sound is not None and suffix in ("", ".gif"):
        warnings.warn(f"{path} can't have sound: it is left out", VideoWarning, stacklevel=2)
        sound = None
    if clip and clip.sample_aspect != 1 and suffix in ("", ".gif", ".webm"):  # PyAV can't set it for VP9
        shape = f"{clip.sample_aspect.numerator}:{clip.sample_aspect.denominator}"
        warnings.warn(f"{path}: pixels are written as squares, not {shape}", VideoWarning, stacklevel=2)
    uniform = _uniform(path, frames)
    if not suffix:
        folder.write(path, uniform)
        return
    with replacing(path) as beside:
        _encode(beside, path, uniform, clip, sound)


def _uniform(path: Path, frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield frames; raise InputError if there is none, or if one has another size than the first."""
    shape = None
    for frame in frames:
        shape = shape or frame.image.shape
        if frame.image.dtype != np.uint8 or frame.image.ndim != 3 or frame.image.shape[2] != 3:
            raise InputError(
                f"{path}: a frame is {frame.image.dtype} {frame.image.shape}: give uint8 [h, w, 3], sRGB-encoded"
            )
        if frame.image.shape != shape:
            raise InputError(f"{path}: a frame of shape {frame.image.shape} follows {shape}: give one size")
        yield frame
    if shape is None:
        raise InputError(f"{path}: there are no frames to write")


def _encode(
    beside: Path, path: Path, frames: Iterator[Frame], clip: Clip | None, sound: Sound | Audio | None
) -> None:
    av = packages.av()
    format = _FORMATS[path.suffix.lower()]
    first = next(frames)
    # Matroska would get a random identifier without the flag.
    options = {"fflags": "+bitexact", **format.container_options}
    with (
        av.open(f"file:{beside}", "w", format=format.container, container_options=options) as container,
        contextlib.ExitStack() as stack,
    ):
        video = _Video(container, format, path, first, clip)
        pending = stack.enter_context(added(container, path.suffix.lower(), sound)) if sound else iter(())
        packet = next(pending, None)
        for pts, duration, frame in _timed(_chained(first, frames), video.time_base):
            while packet is not None and packet.dts * packet.time_base <= pts * video.time_base:
                container.mux(packet)
                packet = next(pending, None)
            container.mux(video.encode(frame.image, pts, duration))
        container.mux(video.finish())
        for rest in _chained(packet, pending) if packet is not None else ():
            container.mux(rest)


class _Video:
    """The video stream of an output."""

    def __init__(self, container: Any, format: _Format, path: Path, first: Frame, clip: Clip | None):
        height, width = first.image.shape[:2]
        is_gif = format.encoder == "gif"
        self.time_base = gif.TIME_BASE if is_gif else clip.time_base if clip else _TIME_BASE
        self._padding = (0, 0) if is_gif else (height % 2, width % 2)
        if any(self._padding):
            warnings.warn(
                f"{path}: {format.encoder} needs even sizes: {width}×{height} pixels are extended to "
                f"{width + width % 2}×{height + height % 2}, the last row or column repeated",
                VideoWarning,
                stacklevel=2,
            )
        rate = clip.rate if clip else 1 / first.duration if first.duration else FOLDER_RATE
        self._stream = container.add_stream(format.encoder, rate=rate, options=format.options)
        self._stream.width, self._stream.height = width + self._padding[1], height + self._padding[0]
        context = self._stream.codec_context
        context.time_base, context.thread_count = self.time_base, _THREADS
        self._durations: dict[int, int] = {}
        self._palette = gif.Palette(width, height) if is_gif else None
        self._matrix = _BT709 if height >= _HD_LINES else _BT601
        if is_gif:
            self._stream.pix_fmt = "pal8"
            return
        self._stream.pix_fmt = "yuv420p"
        context.colorspace, context.color_range = self._matrix, _LIMITED
        context.color_primaries = context.color_trc = _BT709  # those of sRGB, and the usual tag for its curve
        if clip:
            context.sample_aspect_ratio = clip.sample_aspect

    def encode(self, image: np.ndarray, pts: int, duration: int) -> list[Any]:
        """Return the packets that are complete after one more frame."""
        self._durations[pts] = duration
        frame = self._palette(image) if self._palette else self._converted(image)
        frame.pts, frame.time_base = pts, self.time_base
        return self._with_durations(self._stream.encode(frame))

    def finish(self) -> list[Any]:
        """Return the last packets."""
        return self._with_durations(self._stream.encode(None))

    def _converted(self, image: np.ndarray) -> Any:
        av = packages.av()
        if any(self._padding):
            image = np.pad(image, [(0, self._padding[0]), (0, self._padding[1]), (0, 0)], "edge")
        mode = av.video.reformatter.Interpolation
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace="ITU709" if self._matrix == _BT709 else "ITU601",
            dst_color_range="MPEG",
            interpolation=mode.BICUBIC | mode.ACCURATE_RND | mode.FULL_CHR_H_INP | mode.BITEXACT,
            threads=1,
        )
        frame.color_primaries = frame.color_trc = _BT709
        return frame

    def _with_durations(self, packets: list[Any]) -> list[Any]:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, 0)
        return packets


def _timed(frames: Iterator[Frame], time_base: Fraction) -> Iterator[tuple[int, int, Frame]]:
    """Yield time stamps, which increase strictly, and durations in units of `time_base`, each with its frame."""
    held, origin, pts, step = None, Fraction(0), 0, 1
    for frame in frames:
        if held is None:
            origin = frame.time
        else:
            following = max(round((frame.time - origin) / time_base), pts + 1)
            step = following - pts
            yield pts, step, held
            pts = following
        held = frame
    assert held is not None  # `_uniform` raises
    yield pts, step if held.duration is None else max(round(held.duration / time_base), 1), held


def _chained(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest
