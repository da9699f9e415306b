"""Settings of leongatys/PytorchNeuralStyleTransfer: 500 steps at 512 pixels, then 200 at 800.

    python scripts/run.py --config configs/presets/gatys_code.py

A quarter of an hour on two CPU cores. docs/presets.md lists what differs from the program.
"""

from ml_collections import ConfigDict

from nst.config import base

_FILTERS = (64, 128, 256, 512, 512)  # N of relu1_1, relu2_1, …


def get_config() -> ConfigDict:
    """Return the config with the program's weights.

    The loss is 1 · mean (F − P)² for the content and 1000 / N⁴ · Σ (G/M − A/M′)² for each style layer of N filters.
    """
    config = base()
    config.images.size = 800
    config.features.normalise = "none"
    config.features.pooling = "max"
    config.loss.content_weight = 1.0
    config.loss.style_weight = 4000.0  # from w_l / (4 N²) to 1000 / N⁴
    config.loss.style_layer_weights = tuple(1 / N**2 for N in _FILTERS)
    config.loss.tv_weight = 0.0
    config.optimizer.name = "lbfgs"
    config.optimizer.steps = 200
    config.pyramid.scales = (512, 800)
    config.pyramid.steps = 500
    return config
