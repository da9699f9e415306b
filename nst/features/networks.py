"""The registry of networks: layers, defaults and builder of each, available without its weights."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from nst.errors import unknown
from nst.features import shallow, vgg
from nst.features.common import check_choice, check_names, inverse_square
from nst.features.normalise import NORMALISATIONS, normalize_weights, of_photographs
from nst.features.weights import BLOCKS, DEFAULTS
from nst.features.weights import load as load_weights
from nst.features.weights.network import layer_names, widths
from nst.types import Network

#: The default of `normalise`. One factor for each layer keeps faint filters faint, and the default weights of the
#: losses are chosen for it.
_VGG_NORMALISE = "layer"

_NORMALISE = {None: _VGG_NORMALISE, True: "filter", False: "none"}


class NetworkSpec(NamedTuple):
    """The description of a network, available before its weights are loaded.

    Attributes:
      build: Builds an extractor. Its keyword arguments are the options of `nst.features.load` that the network
        supports; `load` refuses the others.
      layers: All layers in the order of computation.
      content_layers: The default layers of a content loss.
      style_layers: The default layers of a style loss.
      widths: The number of filters of each layer.
      normalise: What is rescaled to a mean activation of 1 by default, one of `NORMALISATIONS`.
      default_weights: A source of `nst.features.weights.SOURCES`; None for a network that needs no weights.
    """

    build: Callable[..., Network]
    layers: tuple[str, ...]
    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    widths: Mapping[str, int]
    normalise: str = "none"
    default_weights: str | None = None

    def layer_weights(self, layers: Sequence[str], /) -> tuple[float, ...]:
        """Return the default weights of style layers, which sum to 1."""
        return inverse_square(self.widths, layers)


def _build_vgg(
    network: str,
    *,
    weights: str | None = None,
    pooling: str = "avg",
    padding: str = "zeros",
    convolution: str = "auto",
    precision: str = "float32",
    normalise: bool | str | None = None,
    seed: int = 0,
) -> Network:
    by = normalise if isinstance(normalise, str) else _NORMALISE[normalise]
    check_choice("normalise", by, NORMALISATIONS)
    loaded = load_weights(weights or DEFAULTS[network], network=network, seed=seed)
    if by != "none":
        loaded = normalize_weights(loaded, of_photographs(loaded, pooling, padding), by)
    return vgg.build(loaded, pooling=pooling, padding=padding, convolution=convolution, precision=precision)


def _vgg(name: str) -> NetworkSpec:
    return NetworkSpec(
        functools.partial(_build_vgg, name),
        layer_names(BLOCKS[name]),
        vgg.VGG.content_layers,
        vgg.VGG.style_layers,
        widths(BLOCKS[name]),
        _VGG_NORMALISE,
        DEFAULTS[name],
    )


#: Networks by name. One entry here adds a network.
NETWORKS: dict[str, NetworkSpec] = {
    "vgg19": _vgg("vgg19"),
    "vgg16": _vgg("vgg16"),
    "shallow": NetworkSpec(
        shallow.build,
        shallow.LAYERS,
        shallow.Shallow.content_layers,
        shallow.Shallow.style_layers,
        dict.fromkeys(shallow.LAYERS, shallow.FILTERS),
    ),
}


def check_layers(name: str, layers: Sequence[str]) -> None:
    """Raise InputError if `name` is not a network, or one of `layers` is not a layer of it."""
    if name not in NETWORKS:
        raise unknown("network", name, NETWORKS)
    check_names(layers, NETWORKS[name].layers)
