"""Feature extractors: networks that own their weights and preprocessing, behind the protocol `nst.types.Network`."""

import inspect
import warnings
from typing import Any

import jax

from nst.errors import InputError, unknown
from nst.features import shallow, vgg, weights
from nst.features import weights as source
from nst.features.device import has_bfloat16
from nst.features.networks import NETWORKS, NetworkSpec, check_layers
from nst.features.normalise import normalize_weights
from nst.features.vgg import VGG
from nst.types import Network

__all__ = [
    "NETWORKS",
    "VGG",
    "NetworkSpec",
    "check_layers",
    "check_options",
    "has_bfloat16",
    "is_drawn",
    "load",
    "normalize_weights",
    "shallow",
    "vgg",
    "weights",
]


def load(
    name: str = "vgg19",
    *,
    weights: str | None = None,
    pooling: str = "avg",
    padding: str = "zeros",
    convolution: str = "auto",
    precision: str = "float32",
    normalise: bool | str | None = None,
    seed: int = 0,
) -> Network:
    """Build an extractor, with its weights if it needs any.

    Args:
      name: One of `NETWORKS`.
      weights: A source of `nst.features.weights.SOURCES`, `"random"`, or the path of a weight file; None takes the
        network's own default.
      pooling: `"avg"`, `"max"` or `"l2"`.
      padding: `"zeros"`, `"reflect"` or `"replicate"`.
      convolution: `"auto"`, `"direct"` or `"winograd"`.
      precision: `"float32"` or `"bfloat16"`: the precision of products (`nst.features.vgg.PRECISIONS`).
      normalise: `"filter"` (or True) rescales each filter to a mean activation of 1 over a dozen photographs, `"layer"`
        all filters of a layer by one factor, `"network"` all layers by one, `"none"` (or False) nothing;
        None takes the network's own default.
      seed: Seed of random weights.

    Returns:
      A callable `extractor(image, layers) -> {layer: features}`, a plain pytree under `jax.jit`.

    Raises:
      InputError: An unknown name, an option that the network doesn't support, or weights that are absent, damaged or
        another network's.

    Example:
      >>> network = nst.features.load("vgg19", pooling="max")
      >>> network(nst.images.read("coffee"), ["relu4_2"])["relu4_2"].shape
      (50, 75, 512)
    """
    options = {
        "weights": weights,
        "pooling": pooling,
        "padding": padding,
        "convolution": convolution,
        "precision": precision,
        "normalise": normalise,
        "seed": seed,
    }
    supported = check_options(name, **options)
    if precision == "bfloat16" and not has_bfloat16():
        warnings.warn(
            f"this {jax.devices()[0].platform} has no bfloat16 instructions: features.precision=float32 is faster",
            stacklevel=2,
        )
    return NETWORKS[name].build(**supported)


def check_options(name: str, **options: Any) -> dict[str, Any]:
    """Return the options of `load` that a network supports.

    Raises:
      InputError: An unknown network, or an option that it does not support and that is not at its default.
    """
    if name not in NETWORKS:
        raise unknown("network", name, NETWORKS)
    defaults = inspect.signature(load).parameters
    for option, value in options.items():
        own = getattr(NETWORKS[name], option, None)
        if option not in _options(name) and value not in (defaults[option].default, own):
            others = " or ".join(other for other in NETWORKS if option in _options(other))
            raise InputError(
                f"the network {name} does not support {option}={value!r}: leave {option} out, or "
                f"take the network {others}"
            )
    return {option: value for option, value in options.items() if option in _options(name)}


def is_drawn(name: str, weights: str | None) -> bool:
    """Return whether the weights of a network are random, drawn from the seed."""
    return source.are_drawn(weights) and "seed" in _options(name)


def _options(name: str) -> set[str]:
    return set(inspect.signature(NETWORKS[name].build).parameters)
