"""Photorealistic style transfer, after Luan, Paris, Shechtman and Bala, Deep Photo Style Transfer, CVPR 2017.

    python scripts/run.py --config configs/photo.py
    python scripts/run.py --config configs/photo.py --config.images.content=PATH --config.images.style=PATH

The result is the photograph in the colors and the light of another: no texture, and straight edges. The default is
a cup of coffee in the dusk of a rocket's launch. 512 pixels from coarse to fine; a step takes a few percent longer than
that of configs/wasserstein.py, whose run takes under four minutes on two CPU cores. A larger
--config.loss.matting_weight keeps more of the photograph; with a tenth of it flat regions may get texture.

The term is part of the loss at each scale. The article's program adds it in a second stage of 1000 steps, from the
result of a first one without it; from the photograph itself it needs no first stage. The article weighs a sum over
pixels by 1e4, here it is a mean. Its regions (sky to sky) are left out.
"""

from ml_collections import ConfigDict

from nst.config import base


def get_config() -> ConfigDict:
    """Return the config with the matting Laplacian at 512 pixels."""
    config = base()
    config.images.style = "rocket"
    config.images.size = 512
    config.features.pooling = "max"
    config.features.padding = "replicate"
    config.loss.style_loss = "wasserstein"
    config.loss.matting_weight = 1e5
    config.pyramid.steps = 60
    return config
