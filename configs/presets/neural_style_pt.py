"""Defaults of ProGamerGov/neural-style-pt: 1000 steps at 512 pixels from gray.

    python scripts/run.py --config configs/presets/neural_style_pt.py
    python scripts/run.py --config configs/presets/neural_style_pt.py --config.images.init=content

A quarter of an hour on two CPU cores. docs/presets.md lists what differs from the program.
"""

from ml_collections import ConfigDict

from nst.config import base

_FILTERS = (64, 128, 256, 512, 512)  # N of relu1_1, relu2_1, …


def get_config() -> ConfigDict:
    """Return the config with the program's weights.

    The loss is 5 · mean (F − P)² for the content, 100 / N⁴ · Σ (G/M − A/M′)² for each style layer of N filters, and the
    total variation 0.001 · Σ |x − x′| of pixels in 0 to 255.
    """
    config = base()
    config.images.size = 512
    config.images.init = "gray"
    config.features.normalise = "none"
    config.features.pooling = "max"
    config.loss.content_weight = 5.0
    config.loss.style_weight = 400.0  # from w_l / (4 N²) to 100 / N⁴
    config.loss.style_layer_weights = tuple(1 / N**2 for N in _FILTERS)
    config.loss.tv_weight = 0.255
    config.loss.tv_reduction = "sum"
    config.loss.variation = "absolute"
    config.optimizer.name = "lbfgs"
    config.optimizer.steps = 1000
    config.pyramid.scales = ()
    return config
