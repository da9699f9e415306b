"""Style transfer of audio: features, objective, optimization, reconstruction."""

from nst.transfer.audio import features, plot
from nst.transfer.audio.features import METHODS, AudioFeatures, audio_features
from nst.transfer.audio.rows import columns, cut, lengthened, rows
from nst.transfer.audio.spectrogram import Stft, stft
from nst.transfer.audio.styles import in_units
from nst.transfer.audio.stylize import (
    check_style_loss,
    shortest,
    sounding,
    starting,
    stylization,
    stylize_audio,
)

__all__ = [
    "METHODS",
    "AudioFeatures",
    "Stft",
    "audio_features",
    "check_style_loss",
    "columns",
    "cut",
    "features",
    "in_units",
    "lengthened",
    "plot",
    "rows",
    "shortest",
    "sounding",
    "starting",
    "stft",
    "stylization",
    "stylize_audio",
]
