"""Parts that extractors share: preprocessing, paddings, and checks of names and sizes."""

from collections.abc import Iterable, Mapping, Sequence

import jax.numpy as jnp

from nst.errors import InputError, unknown
from nst.features.weights import Preprocessing
from nst.images import check_array
from nst.types import Array, Image

#: Paddings of an image or a feature map, with their names in `jnp.pad`.
PADDINGS = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}


def pad(x: Array, width: int, padding: str) -> Array:
    """Pad `x` `[h, w, c]` by `width` on each side; `padding` is one of `PADDINGS`."""
    return jnp.pad(x, ((width, width), (width, width), (0, 0)), mode=PADDINGS[padding])


def preprocess(x: Image, preprocessing: Preprocessing) -> Array:
    """Convert an RGB image `[h, w, 3]` in [0, 1] to the input `[h, w, 3]` that a network expects."""
    order, scale, mean, std = preprocessing
    channels = jnp.array(["RGB".index(channel) for channel in order])
    return (x[..., channels] * scale - jnp.array(mean)) / jnp.array(std)


def as_floats(x: Array) -> Array:
    """Return an image in [0, 1]; bytes are divided by 255.

    Raises:
      InputError: The array is not `[h, w, 3]`, or has another type than bytes or floats.
    """
    check_array("the image", x)
    return jnp.asarray(x, jnp.float32) / 255 if x.dtype == jnp.uint8 else x


def check_choice(what: str, name: str, choices: Iterable[str]) -> None:
    """Raise InputError unless `name` is one of `choices`."""
    choices = list(choices)
    if name not in choices:
        raise unknown(what, name, choices)


def check_names(layers: Sequence[str], choices: Sequence[str]) -> None:
    """Raise InputError if one of `layers` is not among `choices`."""
    for layer in layers:
        check_choice("layer", layer, choices)


def check_size(size: tuple[int, int], least: int, layer: str) -> None:
    """Raise InputError if the shorter side of `size` (height, width) is below `least`, the minimum for `layer`."""
    if min(size) < least:
        height, width = size
        raise InputError(
            f"an image of {width}×{height} pixels is too small for {layer}: "
            f"its shorter side needs at least {least} pixels; take a larger size or shallower layers"
        )


def inverse_square(widths: Mapping[str, int], layers: Sequence[str]) -> tuple[float, ...]:
    """Return weights in proportion to 1/N² for layers of N filters.

    The article divides the squared difference of Gram matrices by 4N² at each layer (Gatys, Ecker and Bethge,
    CVPR 2016, equation 4).

    Args:
      widths: The number of filters of each layer of the network.
      layers: The layers of the loss.

    Returns:
      Weights that sum to 1 before they are rounded to three digits.
    """
    shares = [1 / widths[layer] ** 2 for layer in layers]
    return tuple(float(f"{share / sum(shares):.3g}") for share in shares)
