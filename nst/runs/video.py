"""Runs of video: their files and checks."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from nst import audio, files, images, losses, video
from nst.errors import InputError, unknown
from nst.guided import check_layers
from nst.runs import image, memory
from nst.runs.guidance import plain_styles, style_factors
from nst.runs.modality import File, Job, Limit, Modality
from nst.runs.styles import other_styles, style_names
from nst.runs.video_task import motion, read, span
from nst.transfer.color import COLORS
from nst.transfer.video import check_motion, flow_file, frame_size
from nst.types import Network

#: Values of `video.audio`.
SOUNDS = ("copy", "style", "none")


def find(config: ConfigDict, name: str) -> list[Path]:
    """Return the files that an input of a config stands for."""
    match name:
        case "content":
            return video.list_videos(config.video.content)
        case "audio_style":
            return audio.list_audio(config.video.audio_style) if config.video.audio == "style" else []
        case _:
            return image.find(config, name)


def each(field: str, value: str) -> list[str]:
    """Return the names of the files that the value of an input's field stands for, for sweeps."""
    return video.each(value) if field == "video.content" else images.each(value)


def further(config: ConfigDict, main: Mapping[str, Path]) -> dict[str, Path]:
    """Return the files of further styles by name."""
    return other_styles("images.style", config.images.style, images.list_images)


def check(config: ConfigDict, jobs: Sequence[Job], limit: int | float) -> Network:
    """Read every input to its end, load the network, check that images are large enough for it, and return it."""
    choices = {"images.color": COLORS, "video.audio": SOUNDS}
    for field, names in choices.items():
        group, name = field.split(".")
        if config[group][name] not in names:
            raise unknown(f"config.{field}", config[group][name], names)
    check_motion(motion(config))
    network = image.extractor(config)
    styles = image.shapes([job._replace(inputs=_images_of(job)) for job in jobs], int(limit), "flatten")
    for job in jobs:
        path = job.inputs["content"]
        clip = video.probe(path, max_pixels=int(limit))
        count = len(video.timeline(path, **span(config, int(limit)))) - 1  # decodes all of it
        _check_flows(config, count)
        _check_sound(config, clip, job)
        size = frame_size(clip.height, clip.width, config.images.size)
        names = {name: f"{name} {file}" for name, file in job.inputs.items()}
        own, largest = style_names(job.inputs), []
        placeholders = [np.zeros((1, 1, 3), np.float32)] * len(own)
        check_layers(plain_styles(config, placeholders), losses.checked(dict(config.loss)))
        for style, factor in zip(own, style_factors(config, len(own)), strict=True):
            named, shape = names | {"style": names[style]}, styles[job.inputs[style]][:2]
            largest.append(image.check_size(config, network, size, shape, named, factor))
        image.check_memory(config, network, size, largest)
    return network


def _check_flows(config: ConfigDict, count: int) -> None:
    """Raise InputError if a flow between two of `count` frames is not among the user's files."""
    if config.video.flow == "dis":
        return
    folder = files.user_path(config.video.flow)
    for distance in sorted({1, *config.video.earlier}):
        for number in range(count - distance):
            for pair in ((number, number + distance), (number + distance, number)):
                if not (path := flow_file(folder, *pair)).exists():
                    raise InputError(
                        f"config.video.flow: {path} is missing: add it, or take config.video.flow=dis"
                    )


def _check_sound(config: ConfigDict, clip: video.Clip, job: Job) -> None:
    """Check the sound of a video that is to be stylized; warn if there is none."""
    if config.video.audio != "style":
        return
    audio.read(job.inputs["audio_style"])
    end = clip.duration if config.video.end is None else config.video.end
    if not clip.sound:
        text = f"{clip.path} has no sound to stylize: the result has none, as with config.video.audio=none"
        warnings.warn(text, video.VideoWarning, stacklevel=2)
    elif end is not None and end - config.video.start > audio.MAX_SECONDS:
        raise InputError(
            f"{clip.path}: sound of {end - config.video.start:.0f} s can't be stylized, only {audio.MAX_SECONDS} s: "
            "set config.video.end, or take config.video.audio=copy"
        )


def _images_of(job: Job) -> dict[str, Path]:
    return {name: path for name, path in job.inputs.items() if name not in ("content", "audio_style")}


VIDEO = Modality(
    name="video",
    group="video",
    fields={"style": "images.style", "init": "images.init", "seed": "images.seed"},
    inputs={"content": File("content.mp4", "content.png"), "style": File("style.png", "style.png")},
    optional={"init": File("init.png", "init.png"), "audio_style": File("audio_style.wav")},
    further=further,
    result=File("video.mp4", "video.png"),
    others=("flow.mp4",),
    frames=".png",
    extends=False,  # another number of steps of the first frame changes all frames
    config="configs/video.py",
    limit=Limit("max_pixels", images.MAX_PIXELS, "Refuse larger frames and images."),
    remedy=memory.remedy(),
    find=find,
    each=each,
    check_output=lambda config, path: video.check_output(path),
    check=check,
    read=read,
    size=image.size,
)
