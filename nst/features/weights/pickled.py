"""A reader of pickles that calls nothing except what its caller allows.

Python's unpickler imports and calls whatever a file names. This one knows some forty opcodes, those that dictionaries
of tensors are written with; it stops at a name that is not allowed, before anything is called.
"""

import pickletools
from collections.abc import Callable, Mapping
from io import BufferedIOBase
from typing import IO, Any, cast

from nst.features.weights.entries import Unreadable

#: A state dict of VGG-19 takes about 2000.
_MOST_OPCODES = 20_000

_LITERALS = {
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT",
    "BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING",
}  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_CONTAINERS = {"EMPTY_DICT": dict, "EMPTY_LIST": list}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = {"PROTO", "FRAME"}


def load(stream: BufferedIOBase, allowed: Mapping[str, Any], persistent: Callable[[Any], Any]) -> Any:
    """Read one pickle from a stream and leave the stream right behind it.

    Args:
      stream: A stream at the beginning of the pickle.
      allowed: Values of globals by full name (`torch.FloatStorage`); the pickle may call them.
      persistent: A function from a persistent id to its value.

    Raises:
      Unreadable: A global that is not allowed, or an opcode that no weight file needs.
      ValueError: The pickle is cut short or malformed, for which other exceptions are raised too.
    """
    machine = _Machine(allowed, persistent)
    for count, (opcode, argument, _) in enumerate(pickletools.genops(cast(IO[bytes], stream))):
        if opcode.name == "STOP":
            return machine.stack.pop()
        if count > _MOST_OPCODES:
            raise Unreadable("its pickle is longer than any network's: give the file of a state_dict")
        machine.step(opcode.name, argument)
    raise Unreadable("its pickle does not end: fetch or copy it again")


class _Machine:
    """The stack of values since the last mark, the stacks below it, and the memo."""

    def __init__(self, allowed: Mapping[str, Any], persistent: Callable[[Any], Any]):
        self.allowed = allowed
        self.persistent = persistent
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def step(self, opcode: str, argument: Any) -> None:
        if opcode in _IGNORED:
            return
        if opcode in _LITERALS:
            self.stack.append(argument)
        elif opcode in _CONSTANTS:
            self.stack.append(_CONSTANTS[opcode])
        elif opcode in _CONTAINERS:
            self.stack.append(_CONTAINERS[opcode]())
        elif opcode in _TUPLES:
            count = _TUPLES[opcode]
            self.stack[-count:] = [tuple(self.stack[-count:])]
        elif not (self._remember(opcode, argument) or self._fill(opcode)):
            self._call(opcode, argument)

    def _remember(self, opcode: str, argument: Any) -> bool:
        match opcode:
            case "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = self.stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = self.stack[-1]
            case "BINGET" | "LONG_BINGET":
                self.stack.append(self.memo[argument])
            case _:
                return False
        return True

    def _fill(self, opcode: str) -> bool:
        match opcode:
            case "MARK":
                self.below.append(self.stack)
                self.stack = []
            case "TUPLE":
                values = self._since_mark()
                self.stack.append(tuple(values))
            case "APPEND" | "APPENDS":
                values = [self.stack.pop()] if opcode == "APPEND" else self._since_mark()
                self.stack[-1].extend(values)
            case "SETITEM":
                value, key = self.stack.pop(), self.stack.pop()
                self.stack[-1].update(dictionary([(key, value)]))
            case "SETITEMS":
                values = self._since_mark()
                self.stack[-1].update(dictionary(list(zip(values[::2], values[1::2], strict=True))))
            case _:
                return False
        return True

    def _since_mark(self) -> list[Any]:
        values, self.stack = self.stack, self.below.pop()
        return values

    def _call(self, opcode: str, argument: Any) -> None:
        match opcode:
            case "GLOBAL":
                self.stack.append(self._global(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                name, module = self.stack.pop(), self.stack.pop()
                self.stack.append(self._global(module, name))
            case "REDUCE":
                arguments, function = self.stack.pop(), self.stack.pop()
                self.stack.append(function(*arguments))
            case "BINPERSID":
                self.stack.append(self.persistent(self.stack.pop()))
            case "BUILD":
                self.stack.pop()  # attributes, such as a state_dict's _metadata, which weights don't need
            case _:
                raise Unreadable(f"its pickle uses {opcode}, which no weight file needs: give a state_dict")

    def _global(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full not in self.allowed:
            raise Unreadable(
                f"its pickle names {full[:80]!r}, which is not part of a state_dict; nothing of it was run: "
                f"give a file saved with torch.save(network.state_dict(), …)"
            )
        return self.allowed[full]


def dictionary(pairs: list[Any] | tuple[Any, ...] = ()) -> dict[str | int, Any]:
    """Return a dict whose keys are texts or numbers: hashing a deeply nested tuple would overflow the C stack."""
    if not all(isinstance(key, str | int) for key, _ in pairs):
        raise ValueError("a dict with a key that is not a name")
    return dict(pairs)
