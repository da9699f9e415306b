"""What makes a sound's style? The method, the content's weight, where it starts, how many filters.

    python scripts/sweep.py --config configs/audio_ablation.py
    python scripts/sweep.py --config configs/audio_ablation.py:quick

One thing at a time is changed from the default with 512 filters, on four pairs of the project's own sounds; 32 trials,
of which `quick` takes 40 steps each, about seven minutes on two CPU cores. Ulyanov and Lebedev (2016) used 4096
filters and started from noise; Grinstein et al. (ICASSP 2018) started from the content; Mital (2017) optimised the
samples. Cífka et al. (ICASSP 2021) found the first method barely nearer to the style than the content itself:
`scripts/evaluate.py` gives both copies as baselines.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.config import base
from nst.errors import unknown
from nst.overrides import Overrides, grid


def get_config(variant: str = "") -> ConfigDict:
    """The default of sounds with fewer filters, or `quick`."""
    config = base("audio")
    config.audio.filters = 512
    if variant == "quick":
        config.optimizer.steps = 40
    elif variant:
        raise unknown("variant of configs/audio_ablation.py", variant, ["quick"])
    return config


def sweep(variant: str = "") -> Iterator[tuple[str, Overrides]]:
    """The default, and what differs from it by one field, for each pair of sounds."""
    changes: dict[str, Overrides] = {"default": {}, "waveform": {"audio.method": "waveform"}}
    changes |= {f"content_weight={weight:g}": {"loss.content_weight": weight} for weight in (0.1, 10.0)}
    changes |= {f"init={start}": {"audio.init": start} for start in ("style", "noise")}
    changes |= {f"filters={number}": {"audio.filters": number} for number in (128, 2048)}
    for name, change in changes.items():
        for pair in grid({"audio.content": ("melody", "bowed"), "audio.style": ("bells", "rain")}):
            yield f"{name},{pair['audio.content']},{pair['audio.style']}", pair | change
