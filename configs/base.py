"""The defaults of images, at 256 pixels: what sweeps and the commands of reports start from.

    python scripts/run.py --config configs/base.py

Less than a minute on two CPU cores. configs/gatys.py and configs/wasserstein.py make pictures of 512 pixels.
"""

from ml_collections import ConfigDict

from nst.config import base


def get_config() -> ConfigDict:
    """Every field at its default."""
    return base()
