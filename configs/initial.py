"""Ablation of the initial image: the photograph, the painting, or noise of several seeds.

    python scripts/sweep.py --config configs/initial.py
    python scripts/sweep.py --config configs/initial.py:quick

75 trials, an hour and a half on two CPU cores; `quick` has 20 and ends in five minutes. Gatys, Ecker and Bethge (CVPR
2016, section 3.4 and figure 6): the initialization has no strong effect on the outcome; noise gives any number of
different results, a fixed image always the same one.

What was measured is in docs/findings.md.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.overrides import Overrides, grid


def get_config(variant: str = "") -> ConfigDict:
    """Return the default on several images, or the variant `quick`."""
    return ablation(variant, "configs/initial.py")


def sweep(variant: str = "") -> Iterator[Overrides]:
    """Yield the three initial images; only noise depends on the seed, so it has three."""
    yield from grid({"images.init": ("content", "style"), "images.seed": (0,)})
    yield from grid({"images.init": ("noise",), "images.seed": range(3)})
