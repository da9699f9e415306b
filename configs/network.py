"""Which network? VGG-19 as it was trained or with random weights, one layer of random filters, and VGG-16.

    python scripts/sweep.py --config configs/network.py
    python scripts/sweep.py --config configs/network.py:quick

105 trials, an hour and a half on two CPU cores, most of it for one layer's large filters; `quick` has 12 and ends in
eight minutes. Both take 128 pixels. 15 and 4 more trials are of VGG-16, if its weights are in the cache
(python scripts/weights.py fetch vgg16-keras). Ustyuzhaninov et al. (2016) synthesize textures with one layer of random
filters that sometimes rival those of trained networks; He, Wang and Hopcroft (NeurIPS 2016) transfer style with a VGG
of random weights, rescaled layer by layer; Wang, Li and Vasconcelos (CVPR 2021) find the architecture more important
than learned weights. Losses of different networks do not compare: look at the metrics, which are those of the trained
VGG-19 and favor it.
"""

import warnings
from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.features import weights
from nst.overrides import Overrides


def get_config(variant: str = "") -> ConfigDict:
    """The default on several images without total variation, which one weight can't balance; or `quick`."""
    config = ablation(variant, "configs/network.py")
    config.images.size = 128
    config.loss.tv_weight = 0.0
    return config


def sweep(variant: str = "") -> Iterator[tuple[str, Overrides]]:
    """Every network with layers and weights of its own; random ones of three seeds (`quick`: of one)."""
    yield "vgg19", {"features.network": "vgg19", "images.seed": 0}
    for seed in range(1 if variant == "quick" else 3):
        # Rescaled layer by layer, as the trained weights are.
        random: Overrides = {"features.network": "vgg19", "features.weights": "random", "images.seed": seed}
        yield f"vgg19-random-{seed}", random
        yield f"shallow-{seed}", {"features.network": "shallow", "images.seed": seed}
    source = weights.DEFAULTS["vgg16"]
    if weights.is_cached(source):
        yield "vgg16", {"features.network": "vgg16", "images.seed": 0}
    else:
        warnings.warn(
            f"VGG-16 is left out, its weights are not here: python scripts/weights.py fetch {source}",
            stacklevel=2,
        )
