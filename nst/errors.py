"""The errors that users see, each one line with the cause and the remedy."""

import difflib
from collections.abc import Iterable

_FEW = 12  # choices that a message lists even if some are similar


class InputError(ValueError):
    """An input can't be used: an image, a weight file, a name, a number.

    Raised before anything is compiled; the command line turns it into exit status 2.
    """


class RunError(RuntimeError):
    """A run failed after it had started; its last good state is kept.

    The command line turns it into exit status 1.
    """


class Interrupted(RunError):  # noqa: N818  (nothing went wrong)
    """A signal stopped a run; its state is kept. The command line exits with 128 plus the signal's number."""

    def __init__(self, number: int, message: str):
        super().__init__(message)
        self.number = number


def unknown(what: str, name: object, choices: Iterable[str]) -> InputError:
    """Return the error for a name that is not among `choices`; if there are many, only similar ones are listed."""
    choices = list(choices)
    similar = difflib.get_close_matches(str(name), choices, n=3)
    hints = [f"did you mean {' or '.join(similar)}?"] if similar else []
    if not similar or len(choices) <= _FEW:
        hints.append(f"choose from {', '.join(choices)}")
    return InputError(f"unknown {what} {str(name)!r}: {' '.join(hints)}")
