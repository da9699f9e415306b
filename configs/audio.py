"""Style transfer of audio: the melody of the content in the texture and timbre of the style.

    python scripts/run.py --config configs/audio.py
    python scripts/run.py --config configs/audio.py:waveform
    python scripts/run.py --config configs/audio.py --config.audio.content=PATH --config.audio.style=PATH

After Ulyanov and Lebedev, Audio Texture Synthesis and Style Transfer (2016). The default optimizes magnitudes by L-BFGS
and then finds phases for them. The variant `waveform` optimizes the samples by Adam.
"""

from ml_collections import ConfigDict

from nst.config import base
from nst.errors import unknown


def get_config(variant: str = "") -> ConfigDict:
    """Return the default config of audio, or the variant `waveform`."""
    config = base("audio")
    if variant == "waveform":
        config.audio.method = "waveform"
    elif variant:
        raise unknown("variant of configs/audio.py", variant, ["waveform"])
    return config
