"""Reading and writing of video, frame by frame, with its sound."""

from nst.video.clip import Clip, Frame, VideoWarning
from nst.video.read import EXTENSIONS, each, find, list_videos, probe, read, timeline
from nst.video.sound import Sound, sound_of
from nst.video.write import check_output, write

__all__ = [
    "EXTENSIONS",
    "Clip",
    "Frame",
    "Sound",
    "VideoWarning",
    "check_output",
    "each",
    "find",
    "list_videos",
    "probe",
    "read",
    "sound_of",
    "timeline",
    "write",
]
