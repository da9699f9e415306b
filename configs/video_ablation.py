"""Ablation of what keeps a video consistent: the start of each frame, the temporal loss, long-term terms, passes.

    python scripts/sweep.py --config configs/video_ablation.py
    python scripts/sweep.py --config configs/video_ablation.py:quick

Eleven trials on one second of the sample, whose camera moves and in which a ball hides and uncovers the ground; `quick`
takes half a second at 96 pixels. Ruder, Dosovitskiy and Brox (GCPR 2016): starting from the warped result alone does
not stop flicker, and long-term terms help where something was hidden for a while.
"""

from collections.abc import Iterator
from pathlib import Path

from ml_collections import ConfigDict

from nst.config.file import load_file
from nst.errors import unknown
from nst.overrides import Overrides


def get_config(variant: str = "") -> ConfigDict:
    """Return configs/video.py at 160 pixels, or the variant `quick`."""
    if variant not in ("", "quick"):
        raise unknown("variant of configs/video_ablation.py", variant, ["quick"])
    config = load_file(Path(__file__).with_name("video.py")).get_config()
    config.images.size = 96 if variant else 160
    config.video.end = 0.5 if variant else 1.0
    config.pyramid.min_size = 80 if variant else 96
    return config


def sweep(variant: str = "") -> Iterator[tuple[str, Overrides]]:
    """Yield each choice with its name."""
    weight = get_config(variant).loss.temporal_weight
    none = {"loss.temporal_weight": 0.0}
    yield "each frame alone", {"video.start_from": "content", **none}
    yield "start from the result before", {"video.start_from": "previous", **none}
    yield "start from the warped result", none
    yield "temporal loss from the content", {"video.start_from": "content"}
    yield "short-term", {"video.earlier": (1,)}
    yield "long-term", {}
    yield "four times the weight", {"loss.temporal_weight": 4 * weight}
    yield "a quarter of the weight", {"loss.temporal_weight": weight / 4}
    yield "two passes", {"video.passes": 2}
    yield "three passes", {"video.passes": 3}
    yield "gram", {"loss.style_loss": "gram"}
