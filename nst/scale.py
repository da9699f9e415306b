"""One scale of a stylisation: its size, its objective, the descent; what a run is made of, alone or in lock-step."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from optax import GradientTransformation

from nst import features, images
from nst.objective import Objective, objective
from nst.optimize import Loss, State, chunks, compile_step, reached, start
from nst.process import hand_back_what_is_free
from nst.types import Array, Image

# Steps after which features are computed near another picture. With twice as many the loss ends 0.6 % higher; each
# costs a third of a step (docs/performance.md).
_REFRESH = 25


class Scale(NamedTuple):
    """One level of the pyramid: the longest side in pixels, and how many steps are taken there."""

    size: int
    steps: int


class Snapshot(NamedTuple):
    """Where a run stands: `step` counts over all scales, `state` is that of the scale's optimisation.

    `reference` is the picture near which features are computed, None in float32.
    """

    scale: int
    step: int
    evaluations: int
    state: State
    reference: Image | None

    @property
    def kept(self) -> Any:
        """What the next step depends on, as a pytree of arrays: `Resume.restore` gives it back."""
        return self.state, self.reference


class Resume(NamedTuple):
    """An earlier run's scale, and what fills the structure of `Snapshot.kept` with that run's values."""

    scale: int
    restore: Any


def snapshot_of(scale: int, done: int, state: State, reference: Image | None) -> Snapshot:
    """A scale's state as one of the run: `done` steps were taken before this scale."""
    step = done + int(state.step)
    return Snapshot(scale, step, step + scale + 1, state, reference)


def size_at(longest: int, content: Image) -> tuple[int, int]:
    """Height and width of the result at a scale."""
    return images.fit_size(content.shape[0], content.shape[1], longest)


def stops_of(done: int, steps: int, every: Sequence[int]) -> list[int]:
    """The steps of a scale after which to return to the host: multiples over the whole run, and the last."""
    multiples = {step for n in every for step in range(n - done % n, steps, n)}
    return sorted(multiples | {steps})


def target_at(
    size: int,
    content: Image,
    style: Image,
    style_scale: float,
    extractor: features.VGG19,
    loss_settings: Mapping[str, Any],
) -> Objective:
    """The objective of a scale, for both pictures at any size."""
    style_size = max(1, round(size * style_scale))
    return objective(
        extractor,
        images.fit(content, size),
        images.fit(style, style_size),
        **loss_settings,
    )


def descend(
    target: Any,
    method: GradientTransformation,
    learning_rate: float | Sequence[float] | None,
    begin: Array | tuple[State, Array | None],
    stops: list[int],
    *,
    loss: Loss,
    near: Callable[[Any, Any], Any] | None = None,
) -> Iterator[tuple[State, Array | None]]:
    """One scale, from a picture, or what was kept of a run, to the last of `stops`.

    Args:
      target: The objective, or several stacked.
      method: The optimiser.
      learning_rate: The optimiser's own by default.
      begin: A picture to start from, or whatever else `loss` is of; or a `Snapshot.kept`.
      stops: Step numbers at which to yield in any case.
      loss: `nst.objective.loss`, or that of several in lock-step.
      near: `nst.objective.near`, or that of several, where features are rounded; None where nothing is.

    Yields:
      The state, and the picture near which features are computed.
    """
    # Each of these takes some hundred MiB for a moment, and what one leaves free is too much in pieces for the next.
    hand_back_what_is_free()
    state, reference = begin if isinstance(begin, tuple) else (None, None if near is None else begin)
    known = target if near is None else _settled(near(target, reference))
    if state is None:
        state = start(loss, begin, method, known, learning_rate=learning_rate)
    compile_step(state, method)
    jax.block_until_ready(state)
    hand_back_what_is_free()  # what compiling took, too
    yield state, reference
    while (step := reached(state)) < stops[-1]:
        piece = stops
        if near is not None:
            if step and step % _REFRESH == 0:
                known, reference = target, jnp.array(state.params)  # the state's own will be written over
                hand_back_what_is_free()
                known = _settled(near(target, reference))
            end = min(step - step % _REFRESH + _REFRESH, stops[-1])
            piece = [stop for stop in stops if step < stop < end] + [end]
        for current in chunks(loss, state, method, known, piece):
            state = current
            yield state, reference


def _settled(known: Any) -> Any:
    jax.block_until_ready(known)
    hand_back_what_is_free()
    return known
