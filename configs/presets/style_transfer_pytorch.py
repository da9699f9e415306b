"""Defaults of crowsonkb/style-transfer-pytorch: 3000 steps of Adam from 128 to 512 pixels.

    python scripts/run.py --config configs/presets/style_transfer_pytorch.py

Three quarters of an hour on two CPU cores. configs/wasserstein.py has a similar loss by L-BFGS, in four minutes.
docs/presets.md lists what differs from the program.
"""

from ml_collections import ConfigDict

from nst.config import base


def get_config() -> ConfigDict:
    """Return the config with the program's weights divided by 4.

    Mean activations are 1 here and about ½ with torchvision's network, so squares are four times as large.
    """
    config = base()
    config.images.size = 512
    config.features.normalise = "layer"
    config.features.pooling = "max"
    config.features.padding = "replicate"
    config.loss.style_loss = "wasserstein"
    config.loss.style_layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    config.loss.style_layer_weights = tuple(w / 341 for w in (256, 64, 16, 4, 1))
    config.loss.content_weight = 0.015 / 4
    config.loss.style_weight = 1 / 4
    config.loss.tv_weight = 2.0
    config.optimizer.name = "adam_average"
    config.optimizer.steps = 500
    config.pyramid.scales = (128, 181, 256, 362, 512)
    config.pyramid.steps = 500
    config.pyramid.first_steps = 1000
    return config
