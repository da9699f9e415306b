"""The loss of the program pastiche 1.6.0, number for number, for a comparison of speed.

    python scripts/bench.py pastiche

runs it beside that program. Network, layers and pooling are that program's defaults, and so are the weights: it takes
0.01 · mean (F − P)² for the content and 10 / N⁴ · Σ (G/M − A/M′)² for each style layer of N filters. Like that program
it takes one scale: from coarse to fine is sooner at first, but not where that program ends (docs/performance.md).
"""

from ml_collections import ConfigDict

from nst.config import base

_FILTERS = (64, 128, 256, 512, 512)  # N of relu1_1, relu2_1, …
_POSITIONS = (512 // 8) * (384 // 8)  # M of relu4_2 in a picture of 512×384 pixels


def get_config() -> ConfigDict:
    """512×384 pixels; for another size `content_weight` is another: nst.bench.pastiche.content_weight."""
    config = base()
    config.images.content = "tubingen"
    config.images.style = "starry_night"
    config.images.size = 512
    config.features.pooling = "max"
    config.features.normalise = "none"
    config.loss.reduction = "sum"
    config.loss.content_weight = 0.02 / (512 * _POSITIONS)  # ½ Σ to 0.01 · mean
    config.loss.style_weight = 40.0  # 1 / (4 N²) · w_l to 10 / N⁴
    config.loss.style_layer_weights = tuple(1 / N**2 for N in _FILTERS)
    config.loss.tv_weight = 0.0
    config.optimizer.name = "lbfgs_pyramid"
    config.optimizer.steps = 200
    config.pyramid.scales = ()
    config.run.log_every = 1
    config.run.save_every = 1_000_000  # at the end only: that program keeps nothing on the way
    return config
