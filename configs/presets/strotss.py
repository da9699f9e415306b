"""STROTSS (Kolkin, Salavon and Shakhnarovich, CVPR 2019): relaxed optimal transport and self-similarity.

    python scripts/run.py --config configs/presets/strotss.py

250 steps of RMSprop at each of 64, 128, 256 and 512 pixels: a quarter of an hour on two CPU cores. docs/presets.md
lists what differs from the program.
"""

from ml_collections import ConfigDict

from nst.config import base


def get_config() -> ConfigDict:
    """Return the config with the program's weights: α is 16 at 64 pixels, halved at each scale, and β is 1."""
    config = base()
    config.images.size = 512
    config.features.normalise = "network"  # layers keep their proportions in a hypercolumn
    config.features.pooling = "max"
    config.loss.style_loss = "remd"
    config.loss.content_loss = "self_similarity"
    config.loss.content_weight = 16.0
    config.loss.style_weight = 1.0
    config.loss.tv_weight = 0.0
    config.optimizer.name = "rmsprop"
    config.optimizer.parameters = "laplacian"
    config.optimizer.steps = 250
    config.pyramid.min_size = 64
    config.pyramid.steps = 250
    config.pyramid.content_factor = 0.5
    return config
