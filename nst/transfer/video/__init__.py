"""Style transfer of the frames of a video, consistent over time.

Source: Ruder, Dosovitskiy and Brox, Artistic Style Transfer for Videos, GCPR 2016.
"""

from nst.transfer.video.frames import Frames, flow_file, flow_size, frame_size
from nst.transfer.video.index import Index
from nst.transfer.video.stages import Motion, check_motion, steps, stylization
from nst.transfer.video.stylize import stylize_video

__all__ = [
    "Frames",
    "Index",
    "Motion",
    "check_motion",
    "flow_file",
    "flow_size",
    "frame_size",
    "steps",
    "stylization",
    "stylize_video",
]
