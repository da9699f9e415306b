"""The index of the frames of a video: their times, scenes and repeats, and the order of passes."""

from fractions import Fraction
from typing import NamedTuple


class Index(NamedTuple):
    """The index of the frames of a video, made before any is stylized.

    Attributes:
      times: The time of each frame in seconds.
      durations: The seconds of each frame until the next one; None if it is not known.
      cuts: The numbers of frames that begin a scene; the first is 0.
      repeats: The numbers of frames that look like the frame before (`is_repeat`).
    """

    times: list[Fraction]
    durations: list[Fraction | None]
    cuts: list[int]
    repeats: list[int]

    def scene(self, number: int) -> range:
        """Return the numbers of the frames in the scene of a frame."""
        start = max(cut for cut in self.cuts if cut <= number)
        end = min((cut for cut in self.cuts if cut > number), default=len(self.times))
        return range(start, end)

    def order(self, pass_number: int) -> range:
        """Return the numbers of all frames in the order of a pass: the first goes forward, the second backward."""
        numbers = range(len(self.times))
        return numbers if pass_number % 2 else numbers[::-1]

    def neighbor(self, number: int, pass_number: int, distance: int = 1) -> int | None:
        """Return the number of the frame that comes `distance` frames earlier in a pass; None in another scene."""
        other = number - distance if pass_number % 2 else number + distance
        return other if other in self.scene(number) else None

    def is_repeat(self, number: int, pass_number: int) -> bool:
        """Return whether a frame looks like the one that comes before it in a pass."""
        return (number if pass_number % 2 else number + 1) in self.repeats

    def are_alike(self, number: int, other: int) -> bool:
        """Return whether all frames from one to another look the same."""
        first, last = sorted((number, other))
        return all(each in self.repeats for each in range(first + 1, last + 1))
