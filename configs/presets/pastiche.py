"""Defaults of pastiche 1.6.0 (dstein64/pastiche): 1000 steps from the content image.

    python scripts/run.py --config configs/presets/pastiche.py

Twenty minutes on two CPU cores. docs/presets.md lists what differs from the program. configs/pastiche.py has the same
loss at 512×384 pixels in sums, for a comparison of speed.
"""

from ml_collections import ConfigDict

from nst.config import base

_FILTERS = (64, 128, 256, 512, 512)  # N of relu1_1, relu2_1, …


def get_config() -> ConfigDict:
    """Return the config with the program's weights.

    The loss is 0.01 · mean (F − P)² for the content and 10 / N⁴ · Σ (G/M − A/M′)² for each style layer of N filters.
    """
    config = base()
    config.images.size = 577  # the longest side of 500² pixels at 4:3
    config.features.normalise = "none"
    config.features.pooling = "max"
    config.loss.content_weight = 0.01
    config.loss.style_weight = 40.0  # from w_l / (4 N²) to 10 / N⁴
    config.loss.style_layer_weights = tuple(1 / N**2 for N in _FILTERS)
    config.loss.tv_weight = 0.0
    config.optimizer.name = "lbfgs"
    config.optimizer.steps = 1000
    config.pyramid.scales = ()
    return config
