"""A style for each region, and a face that stays as it is (Gatys et al., Controlling Perceptual Factors, CVPR 2017).

    python scripts/run.py --config configs/regions.py
    python scripts/run.py --config configs/regions.py --config.images.content=PATH --config.images.content_mask=PATH
        --config.images.style=PATH,PATH --config.images.regions=red,blue --config.images.keep=white

The spacesuit gets the first style, what is behind it the second one, and the face is that of the photograph. The mask
has the shape of the photograph and a flat color for each region; `nst mask IMAGE` proposes one. 512 pixels, under five
minutes on two CPU cores.
"""

from pathlib import Path

from ml_collections import ConfigDict

from nst.config import base


def get_config() -> ConfigDict:
    """Return the config with two styles and a face that is kept, at 512 pixels."""
    config = base()
    config.images.content = "astronaut"
    config.images.style = "panes,strokes"
    config.images.content_mask = str(Path(__file__).parent / "masks" / "astronaut.png")
    config.images.regions = ("red", "blue")
    config.images.keep = "white"
    config.images.size = 512
    config.features.pooling = "max"
    config.features.padding = "replicate"
    config.loss.style_loss = "wasserstein"
    config.loss.content_weight = 1.4
    config.pyramid.content_factor = 0.7
    config.pyramid.steps = 60
    return config
