"""Style transfer of a sound: the melody of one in the texture and timbre of another.

    python scripts/run.py --config configs/audio.py
    python scripts/run.py --config configs/audio.py:waveform
    python scripts/run.py --config configs/audio.py --config.audio.content=PATH --config.audio.style=PATH

After Ulyanov and Lebedev, Audio Texture Synthesis and Style Transfer (2016). `waveform` optimises the samples, by Adam,
where the default optimises magnitudes by L-BFGS and finds phases for them.
"""

from ml_collections import ConfigDict

from nst.config import base
from nst.errors import unknown


def get_config(variant: str = "") -> ConfigDict:
    """The default of sounds, or the variant `waveform`."""
    config = base("audio")
    if variant == "waveform":
        config.audio.method = "waveform"
    elif variant:
        raise unknown("variant of configs/audio.py", variant, ["waveform"])
    return config
