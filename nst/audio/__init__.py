"""Reading, writing and resampling of audio."""

from nst.audio.arrays import AudioLike, as_audio, warn_if_silent
from nst.audio.read import EXTENSIONS, MAX_SECONDS, AudioWarning, each, list_audio, read
from nst.audio.resample import resample
from nst.audio.write import check_output, write
from nst.types import Audio

__all__ = [
    "EXTENSIONS",
    "MAX_SECONDS",
    "Audio",
    "AudioLike",
    "AudioWarning",
    "as_audio",
    "check_output",
    "each",
    "list_audio",
    "read",
    "resample",
    "warn_if_silent",
    "write",
]
