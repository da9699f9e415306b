"""What to start from? The photograph, the painting, or noise of several seeds.

    python scripts/sweep.py --config configs/initial.py
    python scripts/sweep.py --config configs/initial.py:quick

75 trials, an hour and a half on two CPU cores; `quick` has 20 and ends in five minutes. Gatys, Ecker and Bethge (CVPR
2016, section 3.4 and figure 6): the initialisation has no strong effect on the outcome; from noise any number of
different results can be had, from a fixed picture always the same one.

Measured with `quick` and the defaults of then (docs/findings.md): the style comes out as close from noise, but after 60
steps far less of the photograph does: CFSD is over a quarter higher from noise and from the painting.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.overrides import Overrides, grid


def get_config(variant: str = "") -> ConfigDict:
    """The default on several pictures, or the variant `quick`."""
    return ablation(variant, "configs/initial.py")


def sweep(variant: str = "") -> Iterator[Overrides]:
    """Three kinds; noise of three seeds, on which the others do not depend."""
    yield from grid({"images.init": ("content", "style"), "images.seed": (0,)})
    yield from grid({"images.init": ("noise",), "images.seed": range(3)})
