"""SIGINT and SIGTERM: noted, so that the state can be saved before a run ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from nst.errors import Interrupted


@contextmanager
def signals(
    at_once: str = "stopped at once: go on with --resume from the last checkpoint",
) -> Iterator[list[int]]:
    """The first signal is put on the list that this gives; a second one ends at once."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if received:
            raise Interrupted(number, at_once)
        received.append(number)

    try:
        before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: signals are its caller's
        before = {}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
