"""The registry of networks: their layers and defaults without their weights, and how each is built."""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from nst.errors import unknown
from nst.features import shallow, vgg
from nst.features.common import check_names, inverse_square
from nst.features.normalise import normalised, photographs
from nst.features.weights import BLOCKS, DEFAULTS
from nst.features.weights import load as load_weights
from nst.types import Network


class NetworkSpec(NamedTuple):
    """The facts of a network, known before any weights are loaded.

    Attributes:
      build: Makes an extractor. Its keyword arguments are the options of `nst.features.load` that the network
        supports; `load` refuses the others.
      layers: All layers in the order of computation.
      content_layers: The layers of a content loss unless it names others.
      style_layers: The layers of a style loss unless it names others.
      layer_weights: From style layers to their weights, which sum to 1, unless a loss names them.
      default_weights: A source of `nst.features.weights.SOURCES`; None for a network that needs no weights.
    """

    build: Callable[..., Network]
    layers: tuple[str, ...]
    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    layer_weights: Callable[[Sequence[str]], tuple[float, ...]]
    default_weights: str | None = None


def _build_vgg(
    network: str,
    *,
    weights: str | None = None,
    pooling: str = "avg",
    padding: str = "zeros",
    convolution: str = "auto",
    precision: str = "float32",
    normalise: bool = False,
    seed: int = 0,
) -> Network:
    loaded = load_weights(weights or DEFAULTS[network], network=network, seed=seed)
    built = vgg.build(loaded, pooling=pooling, padding=padding, convolution=convolution, precision=precision)
    return normalised(built, photographs()) if normalise else built


def _vgg(name: str) -> NetworkSpec:
    widths = vgg.widths(BLOCKS[name])
    return NetworkSpec(
        functools.partial(_build_vgg, name),
        vgg.layer_names(BLOCKS[name]),
        vgg.VGG.content_layers,
        vgg.VGG.style_layers,
        functools.partial(inverse_square, widths),
        DEFAULTS[name],
    )


#: From name to network. One line here adds one.
NETWORKS: dict[str, NetworkSpec] = {
    "vgg19": _vgg("vgg19"),
    "vgg16": _vgg("vgg16"),
    "shallow": NetworkSpec(
        shallow.build,
        shallow.LAYERS,
        shallow.Shallow.content_layers,
        shallow.Shallow.style_layers,
        functools.partial(inverse_square, dict.fromkeys(shallow.LAYERS, shallow.FILTERS)),
    ),
}


def check_layers(name: str, layers: Sequence[str]) -> None:
    """Raise InputError if `name` is no network or one of `layers` none of its layers."""
    if name not in NETWORKS:
        raise unknown("network", name, NETWORKS)
    check_names(layers, NETWORKS[name].layers)
