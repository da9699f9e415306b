"""Settings of manuelruder/artistic-videos, one pass: 2000 steps of the first frame, up to 1000 of each other one.

    python scripts/run.py --config configs/presets/artistic_videos.py --config.video.end=0.5

Minutes for each frame on two CPU cores. docs/presets.md lists what differs from the program.
"""

from ml_collections import ConfigDict

from nst.config import base

_FILTERS = (64, 128, 256, 512, 512)  # N of relu1_1, relu2_1, …
_LEVELS = 255  # the program's pixels are in 0 to 255


def get_config() -> ConfigDict:
    """Return the config with the program's weights.

    The loss is 5 · mean (F − P)² for the content, 100 / N⁴ · Σ (G/M − A/M′)² for each style layer of N filters, the
    total variation 0.0005 · Σ (x − x′)², and 1000 · mean c (x − ω)² for the result before.
    """
    config = base("video")
    config.images.size = 450
    config.images.init = "noise"
    config.features.normalise = "none"
    config.features.pooling = "max"
    config.loss.content_weight = 5.0
    config.loss.style_weight = 400.0  # from w_l / (4 N²) to 100 / N⁴
    config.loss.style_layer_weights = tuple(1 / N**2 for N in _FILTERS)
    config.loss.tv_weight = 0.0005 * _LEVELS**2
    config.loss.tv_reduction = "sum"
    config.loss.variation = "squared"
    config.loss.temporal_weight = 1000.0 * _LEVELS**2
    config.optimizer.name = "lbfgs"
    config.optimizer.steps = 2000
    config.pyramid.scales = ()
    config.video.steps = 1000
    config.video.tolerance = 1e-5  # the program stops at 1e-4 in 50 steps
    config.video.earlier = (1,)
    return config
