"""The library's entry for video: frames in, frames out."""

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nst import features, images, video
from nst.errors import InputError, unknown
from nst.guided import WHOLE, check_layers
from nst.images import ImageLike
from nst.transfer.color import COLORS, finished
from nst.transfer.image import check_inputs, plan, sizes_at
from nst.transfer.settings import check_arguments, completed
from nst.transfer.styles import as_styles
from nst.transfer.video.frames import Frames, flow_size, frame_size
from nst.transfer.video.stages import Motion, check_motion, stylization
from nst.types import Network, Settings, Style


def stylize_video(
    content: str | Path | Iterable[ImageLike],
    style: ImageLike | Style | Sequence[ImageLike | Style],
    *,
    size: int = 256,
    start: float = 0.0,
    end: float | None = None,
    every: int = 1,
    steps: int = 60,
    scales: Sequence[int] = (),
    scale_steps: int = 100,
    frame_steps: int = 30,
    tolerance: float = 0.01,
    earlier: Sequence[int] = (1, 2, 4),
    start_from: str = "warped",
    passes: int = 1,
    init: ImageLike = "content",
    seed: int = 0,
    extractor: Network | str | None = None,
    style_scale: float = 1.0,
    color: str = "style",
    optimizer: str = "lbfgs_pyramid",
    learning_rate: float | None = None,
    **loss_settings: Any,
) -> Iterator[np.ndarray]:
    """Yield the frames of a video in the style of an image, consistent over time (Ruder, Dosovitskiy and Brox 2016).

    Frames are kept in a temporary folder, so memory does not depend on their number.

    Args:
      content: The path of a video, the name of a sample, or frames in the forms that `nst.stylize` takes.
      style: As in `nst.stylize`, without masks.
      size: Longest side of the result, pixels; both sides are rounded to even numbers.
      start: Of a path, the time of the first frame, seconds.
      end: Of a path, the time at which to end, seconds.
      every: Take each n-th frame.
      steps: Optimization steps of the first frame of a scene at `size`.
      scales: Longest sides of the first frame of a scene from coarse to fine, ascending to `size`.
      scale_steps: Steps at each scale except the last.
      frame_steps: The most steps of each other frame.
      tolerance: A frame is done when the loss falls by less than this share in five steps.
      earlier: Distances in frames to the earlier results that the temporal loss compares with.
      start_from: Initial image of a frame: `warped` (the result before, moved along the optical flow), `previous` or
        `content`.
      passes: Passes over the video; every second one goes backward.
      init: As in `nst.stylize`, for the first frame of a scene.
      seed: As in `nst.stylize`, as are the other arguments.
      extractor: The network, or its name.
      style_scale: Longest side of the style image, in units of `size`.
      color: The colors of the result.
      optimizer: The optimizer.
      learning_rate: The learning rate.
      **loss_settings: Settings of the loss of a video; `temporal_weight` is that of the temporal loss.

    Yields:
      Frames, float32 `[h, w, 3]` in [0, 1], in the order of time; with several passes, after the last one has begun
      to reach them.

    Raises:
      InputError: A frame, a name or a number can't be used; before any frame is stylized.
      RunError: A value became infinite or NaN.

    Example:
      >>> frames = nst.stylize_video("pan", "strokes", size=32, end=0.1, steps=2, frame_steps=1)
      >>> [frame.shape for frame in frames]
      [(18, 32, 3), (18, 32, 3), (18, 32, 3)]
    """
    fields = {"size": ("images.size", size), "style_scale": ("images.style_scale", style_scale)}
    fields |= {"seed": ("images.seed", seed), "learning_rate": ("optimizer.learning_rate", learning_rate)}
    fields |= {"steps": ("optimizer.steps", steps), "scale_steps": ("pyramid.steps", scale_steps)}
    fields |= {"scales": ("pyramid.scales", scales), "frame_steps": ("video.steps", frame_steps)}
    fields |= {"start": ("video.start", start), "end": ("video.end", end), "every": ("video.every", every)}
    fields |= {"tolerance": ("video.tolerance", tolerance), "earlier": ("video.earlier", earlier)}
    fields |= {"passes": ("video.passes", passes)}
    check_arguments(stylize_video, fields, loss_settings, "video")
    if color not in COLORS:
        raise unknown("color", color, COLORS)
    motion = Motion(frame_steps, tolerance, tuple(earlier), start_from, passes)
    check_motion(motion)
    first, source = _opened(content, start, end, every)
    height, width, _ = first.image.shape
    own_size = frame_size(height, width, size)
    pyramid = plan(size, steps, scales, scale_steps)
    network = features.load(extractor) if isinstance(extractor, str) else extractor or features.load()
    complete = completed(network, loss_settings, optimizer, "video")
    styles = _styles(style, first, complete)
    for each in styles:
        sizes = sizes_at(pyramid[0].size, style_scale * each.scale, own_size, each.image.shape)
        check_inputs(network, complete, *sizes)
    settings = {
        "extractor": network,
        "scales": pyramid,
        "motion": motion,
        "style_scale": style_scale,
        "color": color,
        "loss_settings": loss_settings,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    start_image = partial(images.initial, init, style=styles[0].image, seed=seed)
    return _results(source, styles, own_size, start_image, settings)


def _opened(
    content: str | Path | Iterable[ImageLike], start: float, end: float | None, every: int
) -> tuple[video.Frame, Iterator[video.Frame]]:
    """Return the first frame, and all frames."""
    if isinstance(content, str | Path):
        source = video.read(content, start=start, end=end, every=every)
    else:
        source = _frames(itertools.islice(content, 0, None, every))
    first = next(source, None)
    if first is None:
        raise InputError("the content has no frames: give another")
    return first, itertools.chain([first], source)


def _styles(
    style: ImageLike | Style | Sequence[ImageLike | Style], first: video.Frame, settings: Settings
) -> list[Style]:
    """Return the styles as arrays; `settings` are those of `completed`."""
    styles = as_styles(style, images.as_image("content", first.image))
    if any(each.mask is not None or each.content_mask is not None for each in styles):
        raise InputError("styles of a video take no masks: leave them out")
    check_layers(styles, settings)
    for each in styles:
        images.warn_if_constant("style", each.image)
    return styles


def _results(
    source: Iterator[video.Frame],
    styles: Sequence[Style],
    size: tuple[int, int],
    initial: Callable[[np.ndarray], np.ndarray],
    settings: Mapping[str, Any],
) -> Iterator[np.ndarray]:
    """Yield finished results in order, as soon as there are any; `settings` are those of `stylization`."""
    passes, color, done = settings["motion"].passes, settings["color"], 0
    with tempfile.TemporaryDirectory() as folder:
        frames = Frames(Path(folder))
        first = next(source)
        index = frames.indexed(itertools.chain([first], source), flow_size(first.image.shape[:2], size))
        for _ in stylization(frames, index, styles, size, initial, **settings):
            while done < len(index.times) and frames.result(done, passes).exists():
                original = images.resize(images.read(frames.content(done)), *size)
                yield finished(images.read(frames.result(done, passes)), original, color, WHOLE)
                done += 1


def _frames(content: Iterable[ImageLike]) -> Iterator[video.Frame]:
    """Yield frames in the forms that people have them, at the rate of a folder."""
    for number, frame in enumerate(content):
        pixels = images.eight_bits(images.as_image(f"frame {number}", frame))
        yield video.Frame(pixels, number / Fraction(25), None)
