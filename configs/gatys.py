"""Style transfer as in Gatys, Ecker and Bethge, Image Style Transfer Using CNNs, CVPR 2016.

    python scripts/run.py --config configs/gatys.py
    python scripts/run.py --config configs/gatys.py:paper

The default goes from coarse to fine at 512 pixels, starts from the photograph and takes less than three minutes on two
CPU cores. `paper` follows the article: white noise, one scale, 500 steps; it takes a quarter of an hour. With the
article's α/β of 1e-3 and its sums over positions the content prevails; a larger --config.loss.style_weight gives more
style.
"""

from ml_collections import ConfigDict

from nst.config import base
from nst.errors import unknown


def get_config(variant: str = "") -> ConfigDict:
    """Return the default, or the variant `paper`."""
    config = base()
    config.images.size = 512
    config.pyramid.steps = 60
    if variant == "paper":
        config.features.normalise = "filter"
        config.loss.reduction = "sum"
        config.loss.style_layer_weights = ()
        config.loss.style_weight = 1000.0  # α/β = 1e-3, figure 3B
        config.loss.tv_weight = 0.0
        config.images.init = "noise"
        config.optimizer.name = "lbfgs"
        config.pyramid.scales = ()
        config.optimizer.steps = 500
    elif variant:
        raise unknown("variant of configs/gatys.py", variant, ["paper"])
    else:
        config.features.padding = "replicate"  # zeros leave light and dark bands along the border
        # With a constant content weight, later scales bring back the photograph: larger results have less style.
        config.loss.content_weight = 2.0
        config.pyramid.content_factor = 0.5
    return config
