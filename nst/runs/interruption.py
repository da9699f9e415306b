"""SIGINT and SIGTERM, deferred so that the state can be saved before a run ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from nst.errors import Interrupted


@contextmanager
def signals(
    message: str = "stopped at once: go on with --resume from the last checkpoint",
) -> Iterator[list[int]]:
    """Yield a list to which the first signal is appended; a second signal raises Interrupted with `message`."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if received:
            raise Interrupted(number, message)
        received.append(number)

    try:
        handlers = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: signals are left to the caller
        handlers = {}
    try:
        yield received
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
