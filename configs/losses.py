"""Ablation of the style loss: every one of `nst.losses.STYLE_LOSSES`, each with its own layers and weights.

    python scripts/sweep.py --config configs/losses.py
    python scripts/sweep.py --config configs/losses.py:quick

15 trials of each loss at 128 pixels, half an hour on two CPU cores; `quick` has 4 of each and ends in eight minutes.
All trials take about the same time, so steps differ. Losses that are random at each step are minimized by Adam, all
others by L-BFGS with the pyramid preconditioner, so part of the difference is due to the optimizers
(configs/optimizers.py).
Kolkin, Salavon and Shakhnarovich (CVPR 2019) find the style of a relaxed optimal transport better at any level of
content; Heitz et al. (CVPR 2021) find textures of a sliced Wasserstein loss better than those of Gram matrices; Li et
al. (IJCAI 2017) find results without second-order statistics comparable. Values of different losses can't be compared:
compare the metrics.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.losses import STYLE_LOSSES
from nst.overrides import Overrides

#: Steps that take as long as 120 steps of the Gram loss, about 20 seconds on two CPU cores.
STEPS = {"gram": 120, "moments": 145, "wasserstein": 87, "sliced": 56, "patches": 195, "remd": 18}


def get_config(variant: str = "") -> ConfigDict:
    """Return the default on several images, or the variant `quick`."""
    config = ablation(variant, "configs/losses.py")
    config.images.size = 128
    return config


def sweep(variant: str = "") -> Iterator[tuple[str, Overrides]]:
    """Yield every style loss, with Adam if it is random at each step, which L-BFGS refuses."""
    for name, family in STYLE_LOSSES.items():
        optimizer = "adam" if family.stochastic else "lbfgs_pyramid"
        steps = STEPS.get(name, 120)
        yield name, {"loss.style_loss": name, "optimizer.name": optimizer, "optimizer.steps": steps}
