"""Style transfer of a video: no flicker, and its sound is kept.

    python scripts/run.py --config configs/video.py
    python scripts/run.py --config configs/video.py --config.video.content=PATH --config.images.style=PATH

After Ruder, Dosovitskiy and Brox, Artistic Style Transfer for Videos (2016): each frame starts from the one before,
moved along the optical flow, and is compared with earlier ones. The style is that of configs/wasserstein.py. At 320
pixels a frame takes 9 seconds on two CPU cores after the first, which takes a minute; the sample has 48.
"""

from ml_collections import ConfigDict

from nst.config import base


def get_config() -> ConfigDict:
    """Return the config of a video of 320 pixels."""
    config = base("video")
    config.images.size = 320
    config.features.pooling = "max"
    config.features.padding = "replicate"
    config.loss.style_loss = "wasserstein"
    config.loss.content_weight = 1.4
    config.pyramid.content_factor = 0.7
    config.pyramid.steps = 60
    return config
