"""The two kinds of failure a user meets, each told in one line: the cause and the remedy."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave cannot be used: a picture, a weight file, a name, a number.

    Raised before anything is compiled; the command line turns it into exit status 2.
    """


class RunError(RuntimeError):
    """A run that had started could not go on; what it had reached is kept.

    The command line turns it into exit status 1.
    """


class Interrupted(RunError):  # noqa: N818  (nothing went wrong)
    """A signal stopped a run whose state is kept; the command line exits with 128 plus its number."""

    def __init__(self, number: int, message: str):
        super().__init__(message)
        self.number = number


def unknown(what: str, name: object, choices: Iterable[str]) -> InputError:
    """The error for a name that is not among the `choices`: the nearest ones first."""
    choices = list(choices)
    near = difflib.get_close_matches(str(name), choices, n=3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return InputError(f"unknown {what} {str(name)!r}: {hint}choose from {', '.join(choices)}")
