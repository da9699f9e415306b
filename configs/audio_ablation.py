"""Ablation of audio: the method, the weight of the content, the start, and the number of filters.

    python scripts/sweep.py --config configs/audio_ablation.py
    python scripts/sweep.py --config configs/audio_ablation.py:quick

Each trial changes one thing in the default with 512 filters, on four pairs of the project's own audio samples: 36
trials. `quick` takes 40 steps for each, about seven minutes on two CPU cores. Ulyanov and Lebedev (2016) used 4096
filters and started from noise; Grinstein et al. (ICASSP 2018) started from the content; Mital (2017) optimized the
samples. Cífka et al. (ICASSP 2021) found results of the 2016 method barely closer to the style than the content itself,
so `scripts/evaluate.py` measures the content and the style as baselines.
"""

from collections.abc import Iterator

from ml_collections import ConfigDict

from nst.config import base
from nst.errors import unknown
from nst.overrides import Overrides, grid


def get_config(variant: str = "") -> ConfigDict:
    """Return the default config of audio with fewer filters, or the variant `quick`."""
    config = base("audio")
    config.audio.filters = 512
    if variant == "quick":
        config.optimizer.steps = 40
    elif variant:
        raise unknown("variant of configs/audio_ablation.py", variant, ["quick"])
    return config


def sweep(variant: str = "") -> Iterator[tuple[str, Overrides]]:
    """Yield the default and its changes of one field, for each pair of content and style."""
    changes: dict[str, Overrides] = {"default": {}, "waveform": {"audio.method": "waveform"}}
    changes |= {f"content_weight={weight:g}": {"loss.content_weight": weight} for weight in (0.1, 10.0)}
    changes["scaled=False"] = {"audio.scaled": False}
    changes |= {f"init={start}": {"audio.init": start} for start in ("style", "noise")}
    changes |= {f"filters={number}": {"audio.filters": number} for number in (128, 2048)}
    for name, change in changes.items():
        for pair in grid({"audio.content": ("melody", "bowed"), "audio.style": ("bells", "rain")}):
            yield f"{name},{pair['audio.content']},{pair['audio.style']}", pair | change
