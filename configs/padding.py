"""What lies beyond the border? Zeros, as the network was trained with, the picture's reflection, or its last pixels.

    python scripts/sweep.py --config configs/padding.py
    python scripts/sweep.py --config configs/padding.py:quick

45 trials, about an hour on two CPU cores; `quick` has 12 and ends in three minutes. Johnson, Alahi and Fei-Fei (ECCV
2016, supplement) and Dumoulin, Shlens and Kudlur (ICLR 2017) pad their networks by reflection against artefacts at the
border; that is of networks that draw a picture, here it is the one that looks at it.

Measured with `quick` and the defaults of then (docs/findings.md): the border steps in colour by 0.05 with any of them;
no difference is sure.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.overrides import Overrides, grid


def get_config(variant: str = "") -> ConfigDict:
    """The default on several pictures, or the variant `quick`."""
    return ablation(variant, "configs/padding.py")


def sweep(variant: str = "") -> Iterator[Overrides]:
    """Every padding."""
    yield from grid({"features.padding": ("zeros", "reflect", "replicate")})
