"""How the frames of a video follow from earlier ones."""

from typing import NamedTuple

from nst.errors import InputError, unknown

#: Initial images of a frame after the first one of a scene, by name.
STARTS = ("warped", "previous", "content")


class Motion(NamedTuple):
    """How a frame follows from earlier ones.

    Attributes:
      steps: The most steps of a frame after the first one of a scene.
      tolerance: `nst.stages.Stage.tolerance` of these frames.
      earlier: Distances in frames to the earlier results that the temporal loss compares with, ascending.
      start: One of `STARTS`.
      passes: The number of passes; every second one goes backward.
    """

    steps: int = 30
    tolerance: float | None = 0.01
    earlier: tuple[int, ...] = (1, 2, 4)
    start: str = "warped"
    passes: int = 1


def check_motion(motion: Motion) -> None:
    """Raise InputError if a frame can't follow from earlier ones in this way."""
    if motion.start not in STARTS:
        raise unknown("start_from", motion.start, STARTS)
    whole = all(isinstance(distance, int) for distance in motion.earlier)
    if not motion.earlier or not whole or list(motion.earlier) != sorted({*motion.earlier}):
        raise InputError(
            f"earlier = {motion.earlier}: give ascending numbers of frames, such as (1, 2, 4), or temporal_weight 0"
        )
