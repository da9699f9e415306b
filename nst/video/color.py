"""Conversion of decoded frames to upright sRGB, by FFmpeg's filters: interlacing, matrices, ranges, HDR, alpha."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from nst.video import packages
from nst.video.clip import VideoWarning

# ITU-T H.273, tables 2 to 4, as FFmpeg numbers them.
_BT709, _UNSPECIFIED = 1, 2
_HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics
_WIDE = {9, 11, 12}  # primaries of BT.2020, DCI-P3 and Display P3

_HD_LINES = 720  # from here on players take the matrix of BT.709 if none is stated, below it that of BT.601
_FLAGS = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
_BITS = 8


class _Look(NamedTuple):
    """The properties of a frame on which its conversion depends."""

    width: int
    height: int
    format: str
    matrix: int
    range: int
    transfer: int
    primaries: int
    interlaced: bool
    alpha: bool
    bits: int


def orientation(frame: Any) -> tuple[bool, int, int]:
    """Return how to turn a frame upright: whether to transpose, then the steps along height and width.

    The display matrix of the file says it (ISO/IEC 14496-12); angles between quarter turns are rounded.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return False, 1, 1
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()  # (x, y) goes to (a x + c y, b x + d y)
    transposed = abs(b) > abs(a)
    across, down = (c, b) if transposed else (a, d)
    return transposed, -1 if down < 0 else 1, -1 if across < 0 else 1


class Converter:
    """Converts the decoded frames of one clip, in order.

    Args:
      path: The file, for warnings.
    """

    def __init__(self, path: Path):
        self._path = path
        self._graph: Any = None
        self._look: _Look | None = None
        self._size: tuple[int, int] | None = None
        self._upright = (False, 1, 1)
        self._deinterlace = False

    def __call__(self, frame: Any) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Yield the images that are complete after one more frame; None ends the clip.

        Each frame gives one image, but deinterlacing needs the next frame first.
        """
        if frame is not None and self._properties(frame) != self._look:
            yield from self._pull(None)
            self._configure(frame)
        yield from self._pull(frame)

    def _pull(self, frame: Any) -> Iterator[np.ndarray]:
        if self._graph is None:
            return
        av = packages.av()
        self._graph.vpush(frame)
        while True:
            try:
                converted = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield self._finished(converted.to_ndarray())

    def _finished(self, image: np.ndarray) -> np.ndarray:
        if image.shape[2] == 4:
            alpha = image[..., 3:].astype(np.uint16)
            image = ((image[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
        transposed, down, across = self._upright
        image = image.swapaxes(0, 1) if transposed else image
        return np.ascontiguousarray(image[::down, ::across])

    def _properties(self, frame: Any) -> _Look:
        self._deinterlace = (
            self._deinterlace or frame.interlaced_frame
        )  # an interlaced clip may have other frames, too
        matrix = int(frame.colorspace)
        if matrix == _UNSPECIFIED and frame.height >= _HD_LINES and not frame.format.is_rgb:
            matrix = _BT709
        return _Look(
            frame.width,
            frame.height,
            frame.format.name,
            matrix,
            int(frame.color_range),
            int(frame.color_trc),
            int(frame.color_primaries),
            self._deinterlace,
            any(component.is_alpha for component in frame.format.components),
            max(component.bits for component in frame.format.components),
        )

    def _configure(self, frame: Any) -> None:
        look = self._properties(frame)
        if self._look is None:
            self._size = (look.width, look.height)
            self._upright = orientation(frame)
            _warn(self._path, look)
        elif self._size != (look.width, look.height):
            self._tell("its frames change their size: all are resized to that of the first")
        self._look = look
        self._graph = self._built(look, frame.time_base)

    def _built(self, look: _Look, time_base: Any) -> Any:
        assert self._size
        graph = packages.av().filter.Graph()
        source = graph.add(
            "buffer",
            video_size=f"{look.width}x{look.height}",
            pix_fmt=look.format,
            time_base=str(time_base),
            pixel_aspect="1/1",
            colorspace=str(look.matrix),
            range=str(look.range),
        )
        nodes = [source]
        if look.interlaced:
            nodes.append(graph.add("bwdif", "mode=send_frame:deint=interlaced"))
        nodes.append(graph.add("scale", _scaling(look, self._size)))
        nodes.append(graph.add("format", f"pix_fmts={'rgba' if look.alpha else 'rgb24'}"))
        graph.link_nodes(*nodes, graph.add("buffersink"))
        graph.configure()
        return graph

    def _tell(self, text: str) -> None:
        warnings.warn(f"{self._path}: {text}", VideoWarning, stacklevel=2)


def _scaling(look: _Look, size: tuple[int, int]) -> str:
    options = [f"w={size[0]}", f"h={size[1]}", f"flags={_FLAGS}"]
    if look.matrix == _BT709:
        options.append("in_color_matrix=bt709")
    if look.primaries in _WIDE or look.transfer in _HDR:
        options.append("out_primaries=bt709")
    if look.transfer in _HDR:  # perceptual: highlights are compressed, not clipped
        options += ["out_transfer=iec61966-2-1", "intent=perceptual"]
    return ":".join(options)


def _warn(path: Path, look: _Look) -> None:
    changes = []
    if look.transfer in _HDR:
        changes.append(f"HDR ({_HDR[look.transfer]}) is mapped to the range of sRGB")
    if look.bits > _BITS:
        changes.append(f"{look.bits} bits are reduced to {_BITS}")
    if look.interlaced:
        changes.append("interlaced fields are made whole frames")
    if changes:
        warnings.warn(f"{path}: {', '.join(changes)}", VideoWarning, stacklevel=2)
