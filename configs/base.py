"""Defaults of images, at 256 pixels: the base of sweeps and of the commands in reports.

    python scripts/run.py --config configs/base.py

Takes less than a minute on two CPU cores. configs/gatys.py and configs/wasserstein.py make images of 512 pixels.
"""

from ml_collections import ConfigDict

from nst.config import base


def get_config() -> ConfigDict:
    """Return the config with every field at its default."""
    return base()
