"""Style transfer of the frames of a video, consistent over time.

Source: Ruder, Dosovitskiy and Brox, Artistic Style Transfer for Videos, GCPR 2016.
"""

from nst.transfer.video.frames import Frames, Index
from nst.transfer.video.stages import STARTS, Motion, frame_size, steps, stylization

__all__ = ["STARTS", "Frames", "Index", "Motion", "frame_size", "steps", "stylization"]
