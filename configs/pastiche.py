"""Loss of the program pastiche 1.6.0, number for number, for a comparison of speed.

    python scripts/bench.py pastiche

The command runs both programs. Network, layers, pooling and weights are pastiche's defaults: 0.01 · mean (F − P)² for
the content and 10 / N⁴ · Σ (G/M − A/M′)² for each style layer of N filters. As in pastiche there is one scale: going
from coarse to fine is faster at first, but not to the loss at which pastiche ends (docs/archive/optimizers.md).
"""

from ml_collections import ConfigDict

from nst.config import base

_FILTERS = (64, 128, 256, 512, 512)  # N of relu1_1, relu2_1, …
_POSITIONS = (512 // 8) * (384 // 8)  # M of relu4_2 in an image of 512×384 pixels


def get_config() -> ConfigDict:
    """Return the config for 512×384 pixels; for another size, benchmarks.pastiche.content_weight gives the weight."""
    config = base()
    config.images.content = "tubingen"
    config.images.style = "starry_night"
    config.images.size = 512
    config.features.pooling = "max"
    config.features.normalise = "none"
    config.loss.reduction = "sum"
    config.loss.content_weight = 0.02 / (512 * _POSITIONS)  # from ½ Σ to 0.01 · mean
    config.loss.style_weight = 40.0  # from w_l / (4 N²) to 10 / N⁴
    config.loss.style_layer_weights = tuple(1 / N**2 for N in _FILTERS)
    config.loss.tv_weight = 0.0
    config.optimizer.name = "lbfgs_pyramid"
    config.optimizer.steps = 200
    config.pyramid.scales = ()
    config.run.log_every = 1
    config.run.save_every = 1_000_000  # only at the end: pastiche saves nothing before
    return config
