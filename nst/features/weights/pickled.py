"""A reader of pickles that calls nothing except what its caller allows.

Python's unpickler imports and calls whatever a file names. This subclass knows some forty opcodes, those that
dictionaries of tensors are written with; it stops at a name that is not allowed, before anything is called.
"""

import io
import pickle
import pickletools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from nst.features.weights.entries import Unreadable

#: A state dict of VGG-19 takes about 2000.
_MOST_OPCODES = 20_000

_OPCODES = b"".join(getattr(pickle, name) for name in (
    "PROTO", "FRAME", "STOP", "MARK",
    "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT",
    "BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING",
    "EMPTY_TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "TUPLE",
    "EMPTY_LIST", "APPEND", "APPENDS", "SETITEM", "SETITEMS",
    "BINPUT", "LONG_BINPUT", "MEMOIZE", "BINGET", "LONG_BINGET",
    "GLOBAL", "STACK_GLOBAL", "BINPERSID",
))  # fmt: skip
_HANDLERS = pickle._Unpickler.dispatch


def load(stream: io.BytesIO, allowed: Mapping[str, Any], persistent: Callable[[Any], Any]) -> Any:
    """Read one pickle from a stream and leave the stream right behind it.

    Args:
      stream: A stream at the beginning of the pickle. It is in memory, so a length in the pickle cannot ask for more.
      allowed: Values of globals by full name (`torch.FloatStorage`); the pickle may call them.
      persistent: A function from a persistent id to its value.

    Returns:
      The value of the pickle; its dicts are `Dictionary`.

    Raises:
      Unreadable: A global that is not allowed, or an opcode that no weight file needs.
      ValueError: The pickle is cut short or malformed, for which other exceptions are raised too.
    """
    start = stream.tell()
    for count, _ in enumerate(pickletools.genops(stream)):
        if count > _MOST_OPCODES:
            raise Unreadable("its pickle is longer than any network's: give the file of a state_dict")
    length = stream.tell() - start
    stream.seek(start)
    return _Unpickler(stream.read(length), allowed, persistent).load()


class Dictionary(dict[str | int, Any]):
    """A dict whose keys are texts or numbers.

    Other keys are refused: hashing a tuple of tuples can overflow the C stack, or take forever if each holds the next
    one twice.

    Args:
      pairs: Pairs of key and value, as Python 2 wrote an OrderedDict. The list is emptied, because a pickle that made
        thousands of dicts from one list would fill the memory.
    """

    def __init__(self, pairs: Any = None):
        if pairs is not None:
            for key, value in pairs:
                self[key] = value
            pairs.clear()

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, str | int):
            raise ValueError("a dict with a key that is not a name")
        super().__setitem__(key, value)


class _Unpickler(pickle._Unpickler):
    # The base class is the one written in Python, which torch.package and joblib extend too. `pickle.Unpickler` is
    # written in C: its opcodes cannot be replaced, and a large index of the memo makes it allocate gigabytes.
    stack: list[Any]

    def __init__(self, content: bytes, allowed: Mapping[str, Any], persistent: Callable[[Any], Any]):
        super().__init__(io.BytesIO(content), encoding="latin-1")
        self._allowed = allowed
        self._persistent = persistent

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full not in self._allowed:
            raise Unreadable(
                f"its pickle names {full[:80]!r}, which is not part of a state_dict; nothing of it was run: "
                f"give a file saved with torch.save(network.state_dict(), …)"
            )
        return self._allowed[full]

    def persistent_load(self, pid: Any) -> Any:
        return self._persistent(pid)

    def _refuse(self) -> None:
        raise Unreadable("its pickle uses an opcode that no weight file needs: give a state_dict")

    def _empty_dict(self) -> None:
        self.stack.append(Dictionary())

    def _build(self) -> None:
        # Drop the attributes, such as a state_dict's _metadata. Python would set them, also on a function of ours.
        self.stack.pop()

    def _reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        # Without a tuple, Python's message shows the function, which may be lists in lists of 2^60 elements.
        if not isinstance(arguments, tuple):
            raise ValueError("a call without a tuple of arguments")
        self.stack.append(function(*arguments))

    dispatch: ClassVar[dict[int, Any]] = {
        **dict.fromkeys(_HANDLERS, _refuse),
        **{code: _HANDLERS[code] for code in _OPCODES},
        pickle.EMPTY_DICT[0]: _empty_dict,
        pickle.BUILD[0]: _build,
        pickle.REDUCE[0]: _reduce,
    }
