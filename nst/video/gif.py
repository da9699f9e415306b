"""Palettes of GIF: each frame gets the best 256 colors of its own, with an ordered dither that does not flicker."""

from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import UInt8

from nst.video import packages

#: The unit of times in GIF, seconds.
TIME_BASE = Fraction(1, 100)


class Palette:
    """Reduces images of one size to 256 colors each, by FFmpeg's filters."""

    def __init__(self, width: int, height: int):
        graph = packages.av().filter.Graph()
        source = graph.add(
            "buffer",
            video_size=f"{width}x{height}",
            pix_fmt="rgb24",
            time_base=str(TIME_BASE),
            pixel_aspect="1/1",
        )
        split, colors = graph.add("split"), graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
        reduced = graph.add("paletteuse", "new=1:dither=bayer:bayer_scale=4")
        source.link_to(split)
        split.link_to(colors, 0, 0)
        split.link_to(reduced, 1, 0)
        colors.link_to(reduced, 0, 1)
        reduced.link_to(graph.add("buffersink"))
        graph.configure()
        self._graph, self._number = graph, 0

    def __call__(self, image: UInt8[np.ndarray, "h w 3"]) -> Any:
        """Return a frame of PyAV with a palette; its time is to be set."""
        frame = packages.av().VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = self._number, TIME_BASE
        self._number += 1
        self._graph.vpush(frame)
        return self._graph.vpull()
