"""The default layers of the losses, and the default weights of style layers."""

import re
from collections.abc import Sequence

from nst.errors import unknown
from nst.losses.content import CONTENT_LOSSES
from nst.losses.style import StyleLoss
from nst.types import Layered

_IN_BLOCK = re.compile(r"[a-z]+([1-5])_")  # a layer of VGG networks, such as relu4_2

#: Two layers of each of the first four blocks and one of the last: with one of each, fine texture is less constrained.
NINE_LAYERS = (
    "relu1_1",
    "relu1_2",
    "relu2_1",
    "relu2_2",
    "relu3_1",
    "relu3_3",
    "relu4_1",
    "relu4_3",
    "relu5_1",
)

#: Weights of blocks 1 to 5 for `gram`.
# Chosen by eye. With weights of 1/N² alone, as in Gatys' code, relu1_1 counts sixty times as much as relu4_1 if mean
# activations are 1, and there is grain where the painting has strokes. In the network as it was trained, which most
# programs use, relu4_1 counts most. Block 5 dissolves faces.
GRAM_BLOCKS = (0.02, 0.3, 0.2, 0.479, 0.001)

#: The same for `wasserstein`.
# Chosen by eye: with weights of 1/N² strokes are shorter than the painting's.
WASSERSTEIN_BLOCKS = (0.3, 0.1, 0.06, 0.04, 0.002)


def style_layers(family: StyleLoss, network: Layered) -> tuple[str, ...]:
    """Return the default layers of a style loss: its own if the network has them, otherwise the network's."""
    own = family.layers
    return own if own and set(own) <= set(network.layers) else tuple(network.style_layers)


def content_layers(name: str, network: Layered) -> tuple[str, ...]:
    """Return the default layers of a content loss: its own if the network has them, otherwise the network's.

    Raises:
      InputError: There is no content loss of that name.
    """
    if name not in CONTENT_LOSSES:
        raise unknown("content loss", name, CONTENT_LOSSES)
    own = CONTENT_LOSSES[name].layers
    return own if own and set(own) <= set(network.layers) else tuple(network.content_layers)


def layer_weights(family: StyleLoss, network: Layered, layers: Sequence[str]) -> tuple[float, ...]:
    """Return the default weights of style layers, which sum to 1; empty for equal weights."""
    if family.even:
        return ()
    blocks = [_IN_BLOCK.match(layer) for layer in layers]
    if not family.by_block or not all(blocks):
        return network.layer_weights(tuple(layers))
    weights = [family.by_block[int(block[1]) - 1] for block in blocks if block]
    return tuple(float(f"{weight / sum(weights):.3g}") for weight in weights)
