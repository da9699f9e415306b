"""Feature extractors: pretrained networks that know their own weights and preprocessing."""

import warnings
from collections.abc import Callable

import jax

from nst.errors import unknown
from nst.features import vgg, weights
from nst.features import weights as source
from nst.features.device import has_bfloat16
from nst.features.normalise import normalised, photographs
from nst.features.vgg import VGG19

__all__ = ["EXTRACTORS", "VGG19", "has_bfloat16", "load", "normalised", "weights"]

#: From name to the function that builds an extractor out of weights.
EXTRACTORS: dict[str, Callable[..., VGG19]] = {"vgg19": vgg.build}


def load(
    name: str = "vgg19",
    *,
    weights: str = weights.DEFAULT,
    pooling: str = "avg",
    padding: str = "zeros",
    convolution: str = "auto",
    precision: str = "float32",
    normalise: bool = False,
    seed: int = 0,
) -> VGG19:
    """Build an extractor with its weights.

    Args:
      name: One of `EXTRACTORS`.
      weights: A source of `nst.features.weights.SOURCES`, `"random"`, or the path of a weight file.
      pooling: `"avg"`, `"max"` or `"l2"`.
      padding: `"zeros"`, `"reflect"` or `"replicate"`.
      convolution: `"auto"`, `"direct"` or `"winograd"`.
      precision: `"float32"` or `"bfloat16"`: what products are computed in (`PRECISIONS`).
      normalise: Rescale each filter to a mean activation of 1 over a dozen photographs.
      seed: Of random weights.

    Returns:
      A module `extractor(image, layers) -> {layer: features}`, a plain pytree under `jax.jit`.

    Raises:
      InputError: An unknown name, or weights that are absent, damaged or another network's.
    """
    if name not in EXTRACTORS:
        raise unknown("extractor", name, EXTRACTORS)
    if precision == "bfloat16" and not has_bfloat16():
        warnings.warn(
            f"this {jax.devices()[0].platform} has no bfloat16 products: features.precision=float32 is faster",
            stacklevel=2,
        )
    network = EXTRACTORS[name](
        source.load(weights, seed=seed),
        pooling=pooling,
        padding=padding,
        convolution=convolution,
        precision=precision,
    )
    return normalised(network, photographs()) if normalise else network
