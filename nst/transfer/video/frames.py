"""The frames of a video on disk: the content, the results of each pass, and the flow between frames.

Any frame can be read at any time, so that a pass may go backward and a run may be resumed, and memory does not depend
on the length of the video. Content and flow are in hidden folders: a run directory that has no more is taken as empty.
"""

import io
import json
import shutil
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst import files, flow, images
from nst.errors import InputError
from nst.transfer.video.index import Index
from nst.video.clip import Frame

# Pixels of a block, and the mean difference of a block, in levels of 255, below which it has not changed.
_BLOCK, _LEAST_CHANGE = 8, 1.0

# Longest side of the frames that are compared to detect cuts.
_THUMBNAIL = 192


class Frames(NamedTuple):
    """The frames of a video in a folder.

    Attributes:
      folder: The folder.
      flows: A folder with the user's own flows (see `flow_file`); None to compute them.
    """

    folder: Path
    flows: Path | None = None

    def content(self, number: int) -> Path:
        """Return the path of a frame of the content."""
        return self.folder / ".content" / f"{number:06}.png"

    def result(self, number: int, pass_number: int) -> Path:
        """Return the path of a frame of the result after a pass; passes count from 1."""
        return self.folder / f"pass_{pass_number}" / f"{number:06}.png"

    def indexed(self, source: Iterable[Frame], size: tuple[int, int], key: str = "") -> Index:
        """Write the frames of the content, unless that is done, and return their index.

        Args:
          source: The frames.
          size: Height and width of the frames that are written.
          key: What the frames are. Those that were written with another key, and flows between them, are removed.

        Raises:
          InputError: There are no frames.
        """
        path = self.folder / ".content" / "index.json"
        if not path.exists() or json.loads(path.read_bytes())["key"] != key:
            self.clear()
            index = _written(source, self, size)
            if not index.times:
                raise InputError("the video has no frames: give another, or other times")
            files.write_bytes(path, json.dumps({"key": key, **index._asdict()}, default=str).encode())
        facts = json.loads(path.read_bytes())
        times, durations = (
            [None if each is None else Fraction(each) for each in facts[name]]
            for name in ("times", "durations")
        )
        return Index(times, durations, facts["cuts"], facts["repeats"])  # type: ignore[arg-type]  (times have no None)

    def clear(self) -> None:
        """Remove the frames of the content and the flows."""
        for name in (".content", ".flow"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def flow(
        self, number: int, other: int, size: tuple[int, int], index: Index
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the flow from a frame to another and where it can be trusted, for frames of `size`.

        Both are computed once, at the size of the content's frames, and stored. Between frames that look alike there is
        no motion.
        """
        if index.are_alike(number, other):
            return np.zeros((*size, 2), np.float32), np.ones(size, np.float32)
        path = self.folder / ".flow" / f"{number:06}-{other:06}.npz"
        if not path.exists():
            there, back = (self._flow(*pair) for pair in ((number, other), (other, number)))
            weights = images.resize_mask(np.asarray(flow.reliable(there, back)), size)
            resized = flow.resized_flow(there, size)
            buffer = io.BytesIO()
            np.savez_compressed(buffer, flow=resized, weights=images.eight_bits(weights))
            files.write_bytes(path, buffer.getvalue())
        with np.load(path) as stored:
            return stored["flow"], stored["weights"].astype(np.float32) / 255

    def _flow(self, number: int, other: int) -> np.ndarray:
        if self.flows is not None:
            return flow.read_flo(flow_file(self.flows, number, other))
        frame, next_frame = (images.eight_bits(images.read(self.content(each))) for each in (number, other))
        return flow.optical_flow(frame, next_frame)


def frame_size(height: int, width: int, longest: int) -> tuple[int, int]:
    """Return height and width of the result: even, as most codecs need, with the longest side about `longest`."""
    return tuple(max(2, 2 * round(side / 2)) for side in images.fit_size(height, width, longest))  # type: ignore


def flow_size(content: tuple[int, int], result: tuple[int, int]) -> tuple[int, int]:
    """Return height and width of the frames whose flow is computed: twice the result's, or the content's if smaller."""
    twice = 2 * result[0], 2 * result[1]
    return twice if twice[0] <= content[0] else content


def flow_file(folder: Path, number: int, other: int) -> Path:
    """Return the path of a user's flow: `forward_1_2.flo` from the first frame to the second, `backward_2_1.flo` back.

    The names are those of artistic-videos by Ruder.
    """
    direction = "forward" if number < other else "backward"
    return folder / f"{direction}_{number + 1}_{other + 1}.flo"


def _written(source: Iterable[Frame], frames: Frames, size: tuple[int, int]) -> Index:
    index = Index([], [], [], [])
    previous, still = np.zeros(0), np.zeros(0)
    for number, (image, time, duration) in enumerate(source):
        frame = images.eight_bits(images.resize(image.astype(np.float32) / 255, *size))
        images.write(frames.content(number), frame)
        if number == 0 or is_cut(previous, frame):
            index.cuts.append(number)
        elif is_repeat(still, frame):
            index.repeats.append(number)
        if number not in index.repeats[-1:]:
            still = frame
        index.times.append(time)
        index.durations.append(duration)
        previous = frame
    return index


def is_repeat(frame: np.ndarray, following: np.ndarray) -> bool:
    """Return whether a frame looks the same, although a codec has changed some pixels by a few levels.

    Compare with the first frame of a still part, not with the one before: a slow fade is no still.
    """
    difference = np.abs(frame.astype(np.float32) - following).mean(axis=2)
    height, width = (side // _BLOCK * _BLOCK for side in difference.shape)
    blocks = (
        difference[:height, :width]
        .reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
        .mean(axis=(1, 3))
    )
    return bool(np.all(blocks < _LEAST_CHANGE)) and bool(np.all(difference < 16 * _LEAST_CHANGE))


def is_cut(frame: np.ndarray, following: np.ndarray) -> bool:
    """Return whether a scene begins with `following`: little of it can be matched to the frame before."""
    small = [
        images.eight_bits(images.fit(each.astype(np.float32) / 255, _THUMBNAIL))
        for each in (frame, following)
    ]
    return not flow.motion(small[1], small[0]).matched
