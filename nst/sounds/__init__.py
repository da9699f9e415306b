"""Reading, writing and resampling of audio."""

from nst.sounds.read import EXTENSIONS, MAX_SECONDS, SoundWarning, each, list_sounds, read
from nst.sounds.resample import resample
from nst.sounds.sound import Sound
from nst.sounds.write import check_output, write

__all__ = [
    "EXTENSIONS",
    "MAX_SECONDS",
    "Sound",
    "SoundWarning",
    "check_output",
    "each",
    "list_sounds",
    "read",
    "resample",
    "write",
]
