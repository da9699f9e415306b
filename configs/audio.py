"""Style transfer of a sound: the melody of one in the texture and timbre of another.

    python scripts/run.py --config configs/audio.py
    python scripts/run.py --config configs/audio.py --config.audio.content=PATH --config.audio.style=PATH

After Ulyanov and Lebedev, Audio Texture Synthesis and Style Transfer (2016).
"""

from ml_collections import ConfigDict

from nst.config import base


def get_config() -> ConfigDict:
    """The default of sounds."""
    return base("audio")
