"""Style transfer by Wasserstein distances of features: the strokes and the palette of the painting.

    python scripts/run.py --config configs/wasserstein.py
    python scripts/run.py --config configs/wasserstein.py --config.images.content=PATH --config.images.style=PATH

512 pixels from coarse to fine, under four minutes on two CPU cores. The style is the mean and covariance of features
(crowsonkb, style-transfer-pytorch), compared at nine layers. For more of the photograph, such as the eyes of a face,
take a smaller --config.loss.style_weight; for larger shapes of the painting --config.pyramid.min_size=64.
"""

from ml_collections import ConfigDict

from nst.config import base


def get_config() -> ConfigDict:
    """Return the config with the Gaussian Wasserstein distance at 512 pixels."""
    config = base()
    config.images.size = 512
    config.features.pooling = "max"
    config.features.padding = "replicate"
    config.loss.style_loss = "wasserstein"
    # With a constant content weight, larger results have less style (docs/quality.md).
    config.loss.content_weight = 1.4
    config.pyramid.content_factor = 0.7
    config.pyramid.steps = 60
    return config
