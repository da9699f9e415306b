"""Sweep of the style weight β over four decades, on the default's images.

    python scripts/sweep.py --config configs/ratio.py
    python scripts/sweep.py --config configs/ratio.py:quick

Five trials that differ in one number, so that all share the same compiled programs. `quick` uses 128 pixels and takes a
minute or two on two CPU cores. Gatys, Ecker and Bethge (CVPR 2016, figure 4) found that a small α/β gives the texture
of the painting with hardly a trace of the photograph, and a large one the photograph with some of the painting's
colors.

What was measured is in docs/findings.md.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.config import base
from nst.errors import unknown
from nst.overrides import Overrides, grid


def get_config(variant: str = "") -> ConfigDict:
    """Return the default, or the variant `quick`."""
    config = base()
    if variant == "quick":
        config.images.size = 128
        config.optimizer.steps = 60
    elif variant:
        raise unknown("variant of configs/ratio.py", variant, ["quick"])
    return config


def sweep(variant: str = "") -> Iterator[Overrides]:
    """Yield β from a hundredth of the default to a hundred times the default."""
    yield from grid({"loss.style_weight": (2.0, 20.0, 200.0, 2000.0, 20_000.0)})
