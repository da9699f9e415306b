"""The shapes of one painting with the brush of another (Gatys et al., Controlling Perceptual Factors, CVPR 2017).

    python scripts/run.py --config configs/brush.py --workdir runs/brush
        --config.images.content=PAINTING --config.images.style=BRUSH
    python scripts/run.py --config configs/gatys.py --config.images.style=runs/brush/image.png

The first command paints the content, a painting, with the fine layers of the style alone: its coarse shapes stay, as
the optimization starts from it. The result is the style of any other run. The brush gets the colors of the painting;
--config.images.color=style also takes those of the brush. 512 pixels, under two minutes on two CPU cores.
"""

from ml_collections import ConfigDict

from nst.config import base


def get_config() -> ConfigDict:
    """Return the config with two fine layers and without a content loss."""
    config = base()
    config.images.content = "starry_night"
    config.images.style = "hatching"
    config.images.color = "match"
    config.images.size = 512
    config.features.padding = "replicate"
    config.loss.content_weight = 0.0
    config.loss.style_layers = ("relu1_1", "relu2_1")
    config.pyramid.scales = ()
    return config
