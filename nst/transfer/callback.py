"""The callback of `nst.stylize` and `nst.stylize_audio`, which sees the progress and may stop them."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from nst.stages import Snapshot


class Progress(NamedTuple):
    """The progress of a style transfer.

    Attributes:
      step: Steps taken over all scales.
      steps: Steps of the whole run.
      loss: The weighted sum of all terms.
      terms: The weighted value of each term by name.
      result: `result()` computes the result of this step.
    """

    step: int
    steps: int
    loss: float
    terms: dict[str, float]
    result: Callable[[], np.ndarray]


#: A function that is called about every two seconds, and at the beginning and the end of each scale. If it returns True
#: the transfer stops, and its result is that of this step.
Callback = Callable[[Progress], bool | None]


def followed(
    snapshots: Iterable[Snapshot],
    steps: int,
    callback: Callback | None,
    result: Callable[[Snapshot], np.ndarray],
) -> np.ndarray:
    """Return the result of the last snapshot, or of the one at which the callback stops.

    Args:
      snapshots: The snapshots of a run, at least one.
      steps: Steps of the whole run.
      callback: The callback, if any.
      result: Returns the result of a snapshot.
    """
    snapshot = None
    for snapshot in snapshots:
        if callback is not None and callback(_progress(snapshot, steps, result)):
            break
    assert snapshot is not None  # there is at least the initial snapshot
    return result(snapshot)


def _progress(snapshot: Snapshot, steps: int, result: Callable[[Snapshot], np.ndarray]) -> Progress:
    terms = {name: float(value) for name, value in snapshot.state.terms.items()}
    return Progress(snapshot.step, steps, float(snapshot.state.value), terms, lambda: result(snapshot))
