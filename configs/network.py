"""Ablation of the network: VGG-19 with trained or random weights, one layer of random filters, and VGG-16.

    python scripts/sweep.py --config configs/network.py
    python scripts/sweep.py --config configs/network.py:quick

45 trials, forty minutes on two CPU cores with --workers 2; `quick` has 12 and ends in eight minutes. Most of it is for
the large filters of the single layer. Both use 128 pixels. VGG-16 adds 15 and 4 trials if its weights are in the
cache (python scripts/weights.py fetch vgg16-keras). Ustyuzhaninov et al. (2016) synthesize textures with one layer of
random filters that sometimes rival those of trained networks; He, Wang and Hopcroft (NeurIPS 2016) transfer style with
a VGG of random weights, rescaled layer by layer; Wang, Li and Vasconcelos (CVPR 2021) find the architecture more
important than learned weights. Losses of different networks can't be compared: compare the metrics, which use the
trained VGG-19 and favor it.
"""

import warnings
from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.features import weights
from nst.overrides import Overrides


def get_config(variant: str = "") -> ConfigDict:
    """Return the default on several images, or `quick`; no weight of total variation suits all networks, so it is 0."""
    config = ablation(variant, "configs/network.py")
    config.images.size = 128
    config.loss.tv_weight = 0.0
    return config


def sweep(variant: str = "") -> Iterator[tuple[str, Overrides]]:
    """Yield every network with its own layers and weights."""
    yield "vgg19", {"features.network": "vgg19"}
    # Random weights are rescaled layer by layer, as the trained ones are.
    yield "vgg19-random", {"features.network": "vgg19", "features.weights": "random"}
    yield "shallow", {"features.network": "shallow"}
    source = weights.DEFAULTS["vgg16"]
    if weights.is_cached(source):
        yield "vgg16", {"features.network": "vgg16"}
    else:
        warnings.warn(
            f"VGG-16 is left out because its weights are not here: run nst weights fetch {source}",
            stacklevel=2,
        )
