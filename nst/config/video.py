"""The fields of video: its own, and those of images that apply to frames."""

from nst.config.field import Field, modality
from nst.config.image import IMAGE

_OF_IMAGES_ONLY = (
    "modality",
    "images.content",
    "images.alpha",
    "images.content_mask",
    "images.style_mask",
    "images.regions",
    "images.strength",
    "images.keep",
    "images.guidance",
    "images.aspect",
    "optimizer.parameters",
)

VIDEO = {
    "modality": modality("video"),
    "video.content": Field("pan", "content video: a path, a folder, or the name of a sample", "input"),
    "video.start": Field(0.0, "time at which to start, seconds", "input", "not negative"),
    "video.end": Field(
        None,
        "time at which to end, seconds; unset: the end of the video",
        "input",
        "positive",
        follows="video.content",
        example=2.0,
    ),
    "video.every": Field(1, "take each n-th frame only", "input", "positive"),
    "video.allow_truncated": Field(
        False, "whether to take what can be read of a damaged video; otherwise it is refused", "input"
    ),
    "video.audio": Field("copy", "sound of the result: copy (as it is), style (stylized), none", "input"),
    "video.audio_style": Field(
        "bells", "style audio for video.audio=style: a path, or the name of a sample", "input"
    ),
    "video.steps": Field(
        30, "the most steps of each frame after the first one of a scene", "count", "not negative"
    ),
    "video.tolerance": Field(
        0.01,
        "a frame is done when the loss falls by less than this share in five steps; 0: when it no longer falls",
        "count",
        "not negative",
    ),
    "video.start_from": Field(
        "warped",
        "initial image of a frame: warped (the result before, moved along the optical flow), previous, content",
    ),
    "video.earlier": Field(
        (1, 2, 4),
        "distances in frames to earlier results that the temporal loss compares with; (1,): short-term only",
        check="positive",
    ),
    "video.passes": Field(1, "passes over the video; every second one goes backward", check="positive"),
    "video.flow": Field(
        "dis", "optical flow: dis, or a folder of files forward_1_2.flo and backward_2_1.flo"
    ),
    "loss.temporal_weight": Field(
        200.0,
        "weight of the temporal loss (Ruder 2016), of pixels in [0, 1]; 0: no temporal loss",
        "number",
        "not negative",
    ),
} | {name: field for name, field in IMAGE.items() if name not in _OF_IMAGES_ONLY}
