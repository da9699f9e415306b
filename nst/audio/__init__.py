"""Style transfer of audio: features, objective, optimization, reconstruction."""

from nst.audio import features, picture
from nst.audio.features import METHODS, AudioFeatures, audio_features
from nst.audio.rows import columns, cut, lengthened, rows
from nst.audio.spectrogram import Stft, stft
from nst.audio.stylize import check_style_loss, shortest, sounding, starting, stylization, stylize

__all__ = [
    "METHODS",
    "AudioFeatures",
    "Stft",
    "audio_features",
    "check_style_loss",
    "columns",
    "cut",
    "features",
    "lengthened",
    "picture",
    "rows",
    "shortest",
    "sounding",
    "starting",
    "stft",
    "stylization",
    "stylize",
]
