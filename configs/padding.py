"""Ablation of the padding: zeros, as the network was trained with, the image's reflection, or its last pixels.

    python scripts/sweep.py --config configs/padding.py
    python scripts/sweep.py --config configs/padding.py:quick

45 trials, about an hour on two CPU cores; `quick` has 12 and ends in three minutes. Johnson, Alahi and Fei-Fei (ECCV
2016, supplement) and Dumoulin, Shlens and Kudlur (ICLR 2017) pad their networks by reflection against artifacts at the
border. Their networks generate images; this ablation pads the network that computes the features.

What was measured is in docs/findings.md.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.ablation import ablation
from nst.overrides import Overrides, grid


def get_config(variant: str = "") -> ConfigDict:
    """Return the default on several images, or the variant `quick`."""
    return ablation(variant, "configs/padding.py")


def sweep(variant: str = "") -> Iterator[Overrides]:
    """Yield every padding."""
    yield from grid({"features.padding": ("zeros", "reflect", "replicate")})
