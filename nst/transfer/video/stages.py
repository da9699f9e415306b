"""The stages of a video: the first frame of a scene from coarse to fine, each other one from its neighbor."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from nst import flow, images, losses, stages
from nst.guided import WHOLE, guided
from nst.losses import Input
from nst.objective import Objective, term_of
from nst.stages import Release, Resume, Snapshot, Stage, keep_memory
from nst.transfer.color import COLORS, with_colors
from nst.transfer.image import Scale, image_stages, method
from nst.transfer.settings import completed
from nst.transfer.styles import style_at
from nst.transfer.video.frames import Frames
from nst.transfer.video.index import Index
from nst.transfer.video.motion import Motion, check_motion
from nst.types import NO_CHANGES, Array, Network, Pytree, Settings, Style

# δ, the share of the neighbor's result in the initial image of further passes (Ruder 2016, equation 10).
_BLEND = 0.5


def stylization(
    frames: Frames,
    index: Index,
    styles: Sequence[Style],
    size: tuple[int, int],
    initial: Callable[[np.ndarray], np.ndarray],
    *,
    extractor: Network,
    scales: Sequence[Scale],
    motion: Motion,
    style_scale: float = 1.0,
    content_factor: float = 1.0,
    color: str = "style",
    loss_settings: Settings = NO_CHANGES,
    optimizer: str = "lbfgs_pyramid",
    learning_rate: float | None = None,
    seed: int = 0,
    every: Sequence[int] = (),
    resume: Resume | None = None,
    release: Release = keep_memory,
) -> Iterator[Snapshot]:
    """Stylize the frames of a video one after the other, and write each to `frames` when it is done.

    The temporal loss compares with results as they are written, with 8 bits, so that a resumed run has the same bytes.

    Args:
      frames: The frames on disk.
      index: Their index.
      styles: The styles.
      size: Height and width of the result.
      initial: Returns the initial image of the first frame of a scene, given its content.
      extractor: The network.
      scales: Scales of the first frame of a scene, from coarse to fine; the last one is that of the other frames.
      motion: How frames follow from earlier ones.
      style_scale: As in `nst.transfer.image.stylization`, as are the arguments that follow it.
      content_factor: The content weight of all but the first frame of a scene is that of the last scale.
      color: One of `nst.transfer.color.COLORS`; a result is finished by `nst.transfer.color.finished`.
      loss_settings: Settings of the loss of a video.
      optimizer: The optimizer.
      learning_rate: The learning rate.
      seed: Seed of stochastic terms.
      every: Intervals in steps.
      resume: The checkpoint of an earlier run to continue.
      release: Called when much memory has just become free.

    Yields:
      A snapshot at the beginning of each stage, about every two seconds, and at the end of each stage.

    Raises:
      InputError: A setting can't be used, or an image is too small for a layer.
      RunError: A value is not finite; the last good snapshot was yielded before.
    """
    check_motion(motion)
    settings = completed(extractor, loss_settings, optimizer, "video")
    extractor = extractor.freeze(losses.layers(settings))
    transfer = _Transfer(
        frames,
        index,
        styles,
        size,
        initial,
        extractor,
        scales,
        motion,
        style_scale,
        content_factor,
        color,
        settings,
    )
    planned = transfer.stages()
    for snapshot in stages.run(
        [stage for stage, _ in planned],
        method(extractor, settings, optimizer, learning_rate, seed),
        every=every,
        resume=resume,
        release=release,
    ):
        path = planned[snapshot.stage][1]
        if snapshot.last and path is not None:
            images.write(path, np.asarray(snapshot.image))
        yield snapshot


def steps(index: Index, scales: Sequence[Scale], motion: Motion) -> list[int]:
    """Return the steps of each stage."""
    return [
        n
        for pass_number in range(1, motion.passes + 1)
        for n in _steps_of_pass(index, scales, motion, pass_number)
    ]


def _steps_of_pass(index: Index, scales: Sequence[Scale], motion: Motion, pass_number: int) -> Iterator[int]:
    for number in index.order(pass_number):
        if pass_number == 1 and number in index.cuts:
            yield from (scale.steps for scale in scales)
        else:
            yield 0 if index.is_repeat(number, pass_number) else motion.steps


@dataclass(frozen=True)
class _Transfer:
    """The arguments of `stylization`, from which stages are made."""

    frames: Frames
    index: Index
    styles: Sequence[Style]
    size: tuple[int, int]
    initial: Callable[[np.ndarray], np.ndarray]
    extractor: Network
    scales: Sequence[Scale]
    motion: Motion
    style_scale: float
    content_factor: float
    color: str
    settings: Settings

    def stages(self) -> list[tuple[Stage, Path | None]]:
        """Return the stages, each with the path of the result that is written when it ends."""
        return [
            stage
            for pass_number in range(1, self.motion.passes + 1)
            for number in self.index.order(pass_number)
            for stage in self._stages_of(number, pass_number)
        ]

    def _stages_of(self, number: int, pass_number: int) -> list[tuple[Stage, Path | None]]:
        path = self.frames.result(number, pass_number)
        objective = partial(self._objective, number, pass_number)
        if pass_number == 1 and number in self.index.cuts:
            coarse = [(self._coarse(number, level), None) for level in range(len(self.scales) - 1)]
            begin = partial(self._first, number)
            return [*coarse, (Stage(self.scales[-1].steps, _like(self.size), objective, begin), path)]
        steps = 0 if self.index.is_repeat(number, pass_number) else self.motion.steps
        begin = partial(self._follow, number, pass_number)
        return [(Stage(steps, _like(self.size), objective, begin, self.motion.tolerance), path)]

    def _coarse(self, number: int, level: int) -> Stage:
        """Return a stage of the first frame of a scene, before the last scale."""
        scale = self.scales[level]

        def stage() -> Stage:
            content = self._content(number)
            return image_stages(
                content,
                self._used_styles,
                self.initial(content),
                extractor=self.extractor,
                scales=self.scales,
                style_scale=self.style_scale,
                content_factor=self.content_factor,
                settings=_without_temporal(self.settings),
            )[level]

        def begin(previous: Array | None) -> Pytree:
            return stage().begin(None if level == 0 else previous)  # not from the scene before

        like = _like(images.fit_size(*self.size, scale.size))
        return Stage(scale.steps, like, lambda: stage().objective(), begin)

    def _first(self, number: int, previous: Array | None) -> Pytree:
        """Return the initial image of the last scale of the first frame of a scene."""
        start = self.initial(self._content(number)) if len(self.scales) == 1 or previous is None else previous
        return images.resize(np.asarray(start), *self.size)

    def _follow(self, number: int, pass_number: int, previous: Array | None) -> Pytree:
        """Return the initial image of a frame after the first one of a scene, or in a further pass."""
        other = self.index.neighbor(number, pass_number)
        if pass_number > 1:
            start, share = images.read(self.frames.result(number, pass_number - 1)), _BLEND
        else:
            start, share = self._content(number), 1.0
        if other is None or (self.motion.start == "content" and pass_number == 1):
            return start
        result = images.read(self.frames.result(other, pass_number))
        if self.index.is_repeat(number, pass_number) or self.motion.start == "previous":
            return result
        displacement, weights = self.frames.flow(number, other, self.size, self.index)
        c = share * weights[..., None]
        return c * np.asarray(flow.warped(result, displacement)) + (1 - c) * start

    def _objective(self, number: int, pass_number: int) -> Objective:
        """Return the objective of the last scale; its style terms are those of all frames."""
        sources = {"content": Input(self.extractor, self._content(number))}
        if self.settings.get("temporal_weight"):
            sources["earlier"] = self._earlier(number, pass_number)
        terms = {
            name: term_of(name, recipe, sources, self._last_settings)
            for name, recipe in losses.active(self._last_settings).items()
            if recipe.source != "style"
        }
        return replace(self._of_styles, terms={**self._of_styles.terms, **terms})

    @cached_property
    def _of_styles(self) -> Objective:
        """The objective with style terms only."""
        size = max(self.size) * self.style_scale
        styles = [style_at(style, size, self.size) for style in self._used_styles]
        settings = _without_temporal(self._last_settings)
        built = guided(self.extractor, self._content(0), styles, settings)
        own = {name: term for name, term in built.terms.items() if name.partition("_")[0] == "style"}
        return replace(built, terms=own)

    @cached_property
    def _last_settings(self) -> Settings:
        """The settings of the last scale."""
        weight = self.settings["content_weight"] * self.content_factor ** (len(self.scales) - 1)
        return {**self.settings, "content_weight": weight}

    @cached_property
    def _used_styles(self) -> list[Style]:
        """The styles with their colors as they are used: those of the first frame, if they follow the content."""
        return with_colors(self.styles, images.read(self.frames.content(0)), self.color, WHOLE)

    def _content(self, number: int) -> np.ndarray:
        content = images.resize(images.read(self.frames.content(number)), *self.size)
        return np.asarray(COLORS[self.color].content(content))

    def _earlier(self, number: int, pass_number: int) -> Input:
        """Return the earlier results as they would look in a frame, with their weights.

        A position of an earlier result counts where it can be trusted and no nearer one does (Ruder 2016, equation 9).
        """
        results = np.zeros((len(self.motion.earlier), *self.size, 3), np.float32)
        weights = np.zeros(results.shape[:-1], np.float32)
        nearer = np.zeros(self.size, np.float32)
        for i, distance in enumerate(self.motion.earlier):
            other = self.index.neighbor(number, pass_number, distance)
            if other is not None:
                displacement, c = self.frames.flow(number, other, self.size, self.index)
                result = images.read(self.frames.result(other, pass_number))
                results[i] = flow.warped(result, displacement)
                weights[i] = np.maximum(c - nearer, 0)
                nearer += c
        return Input(self.extractor, results, {"image": weights})  # type: ignore[dict-item]


def _like(size: tuple[int, int]) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((*size, 3), jnp.float32)


def _without_temporal(settings: Settings) -> Settings:
    return {**settings, "temporal_weight": 0.0}
