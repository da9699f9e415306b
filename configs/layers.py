"""Ablation of the layers: style from the first one alone to all five, and content at relu2_2 in place of relu4_2.

    python scripts/sweep.py --config configs/layers.py
    python scripts/sweep.py --config configs/layers.py:quick

90 trials, an hour and a half on two CPU cores; `quick` has 24 and ends in five minutes. Gatys, Ecker and Bethge (CVPR
2016): style matched up to higher layers keeps local structures at larger scales and looks smoother (section 3.2);
content matched at conv2_2 keeps the photograph's pixels, at conv4_2 what it shows (figure 5).

What was measured is in docs/findings.md.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.features import NETWORKS
from nst.losses import layer_weights, style_loss
from nst.overrides import Overrides


def get_config(variant: str = "") -> ConfigDict:
    """Return the default on several images, or the variant `quick`."""
    return ablation(variant, "configs/layers.py")


def sweep(variant: str = "") -> Iterator[tuple[str, Overrides]]:
    """Yield the first one to five style layers, each with its weight among five, then the other content layer."""
    layers = tuple(f"relu{block}_1" for block in range(1, 6))
    weights = layer_weights(style_loss("gram"), NETWORKS["vgg19"], layers)
    for count in range(1, len(layers) + 1):
        chosen: Overrides = {
            "loss.style_layers": layers[:count],
            "loss.style_layer_weights": weights[:count],
        }
        yield f"style=1-{count},content=relu4_2", chosen
    yield "style=1-5,content=relu2_2", {"loss.content_layers": ("relu2_2",)}
