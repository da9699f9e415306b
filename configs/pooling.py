"""Ablation of pooling: average, maximum, or the root of the mean square (l2), on five photographs and three paintings.

    python scripts/sweep.py --config configs/pooling.py
    python scripts/sweep.py --config configs/pooling.py:quick

45 trials, about an hour on two CPU cores; `quick` has 12 and ends in three minutes. Gatys, Ecker and Bethge (CVPR 2016,
section 2) replaced the maximum by the average, which "yields slightly more appealing results"; they give no figure.

What was measured is in docs/findings.md.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.overrides import Overrides, grid


def get_config(variant: str = "") -> ConfigDict:
    """Return the default on several images, or the variant `quick`."""
    return ablation(variant, "configs/pooling.py")


def sweep(variant: str = "") -> Iterator[Overrides]:
    """Yield every pooling."""
    yield from grid({"features.pooling": ("avg", "max", "l2")})
