"""Ablation of the optimizer: L-BFGS with the pyramid preconditioner, L-BFGS without it, and Adam at three rates.

    python scripts/sweep.py --config configs/optimizers.py
    python scripts/sweep.py --config configs/optimizers.py:quick

75 trials, an hour and a half on two CPU cores; `quick` has 20 and ends in five minutes. The loss is logged every five
steps with the evaluations and the seconds. Gatys, Ecker and Bethge (CVPR 2016, section 2.3) use L-BFGS, "which we
found to work best for image synthesis".

What was measured is in docs/findings.md.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.overrides import Overrides, grid


def get_config(variant: str = "") -> ConfigDict:
    """Return the default on several images, or the variant `quick`."""
    config = ablation(variant, "configs/optimizers.py")
    config.run.log_every = 5
    return config


def sweep(variant: str = "") -> Iterator[Overrides]:
    """Yield both kinds of L-BFGS, and Adam at three rates."""
    yield from grid({"optimizer.name": ("lbfgs_pyramid", "lbfgs"), "optimizer.learning_rate": (1.0,)})
    yield from grid({"optimizer.name": ("adam",), "optimizer.learning_rate": (0.005, 0.02, 0.08)})
