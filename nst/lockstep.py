"""Style transfer of several pictures in lock-step: one structure and one size, other pictures and numbers.

A small picture leaves a GPU idle; several at once do not. What each of them comes to is what it comes to alone, but
for the order of sums.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst import features, images
from nst.errors import InputError
from nst.losses import StyleLoss
from nst.objective import Objective, known, loss
from nst.optimize import lane, lanes, optimiser
from nst.scale import Scale, Snapshot, descend, size_at, snapshot_of, stops_of, target_at
from nst.stylize import LOSS
from nst.types import Array, Image


class Problem(NamedTuple):
    """What may differ between stylisations in lock-step: pictures and numbers."""

    content: Image
    style: Image
    initial: Image
    learning_rate: float
    loss_settings: Mapping[str, Any] = LOSS


def stylizations(
    problems: Sequence[Problem],
    *,
    extractor: features.VGG19,
    scales: Sequence[Scale],
    style_scale: float = 1.0,
    optimizer: str = "lbfgs_pyramid",
    every: Sequence[int] = (),
) -> Iterator[list[Snapshot]]:
    """What `nst.stylize.stylization` gives, for each of the problems.

    Args:
      problems: Content pictures of one shape once they are resampled; losses of the same names and layers.
      extractor: The network.
      scales: Coarse to fine, for all of them.
      style_scale: For all of them.
      optimizer: For all of them.
      every: Snapshots are yielded at least at the multiples of these step numbers.

    Yields:
      A snapshot of each. One whose loss is not finite stays at the last step where it was.

    Raises:
      InputError: The sizes or the losses differ.
      RunError: None is finite any more.
    """
    method = lanes(optimiser(optimizer))
    names = {
        name for p in problems for key in ("content_layers", "style_layers") for name in p.loss_settings[key]
    }
    extractor = extractor.freeze(tuple(names))
    rates = [problem.learning_rate for problem in problems]
    pictures: Any = [problem.initial for problem in problems]
    for i, scale in enumerate(scales):
        done = sum(s.steps for s in scales[:i])
        target = _stacked(
            [
                target_at(scale.size, p.content, p.style, style_scale, extractor, p.loss_settings)
                for p in problems
            ]
        )
        sizes = [size_at(scale.size, problem.content) for problem in problems]
        begin = np.stack(
            [images.resize(picture, *size) for picture, size in zip(pictures, sizes, strict=True)]
        )
        stops = stops_of(done, scale.steps, every)
        of = near if extractor.precision == "bfloat16" else None
        for state, reference in descend(
            target, method, rates, jnp.asarray(begin), stops, loss=losses, near=of
        ):
            yield [
                snapshot_of(i, done, lane(state, j), None if reference is None else reference[j])
                for j in range(len(problems))
            ]
            pictures = state.params
        pictures = np.asarray(pictures)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Objectives:
    """Several `Objective`s of one structure: one network for all, everything else stacked."""

    extractor: features.VGG19
    content: Any
    style: Any
    weights: Any
    style_loss: StyleLoss = field(metadata={"static": True})
    known: Any = field(default_factory=dict)


def losses(pictures: Array, targets: Objectives, batch: None = None) -> tuple[Array, dict[str, Array]]:
    """`nst.objective.loss` of each, `[n, h, w, 3]` to `[n]`."""

    def one(picture: Array, content: Any, style: Any, weights: Any, known: Any) -> Any:
        target = Objective(targets.extractor, content, style, weights, targets.style_loss, known)
        return loss(picture, target)

    return jax.vmap(one)(pictures, targets.content, targets.style, targets.weights, targets.known)


def near(targets: Objectives, pictures: Array) -> Objectives:
    """`nst.objective.near` of each."""
    layers = (*targets.content, *targets.style)
    # One after the other: filters transformed for each of several at once would be theirs several times.
    each = [known(targets.extractor, jnp.asarray(picture), layers) for picture in pictures]
    return replace(targets, known=jax.tree.map(lambda *leaves: jnp.stack(leaves), *each))


def _stacked(targets: Sequence[Objective]) -> Objectives:
    parts = [(target.content, target.style, target.weights) for target in targets]
    if len({str(jax.tree.map(jnp.shape, part)) for part in parts}) > 1:
        raise InputError(
            "pictures of several sizes or losses of several layers do not go in lock-step: run them apart"
        )
    content, style, weights = jax.tree.map(lambda *leaves: jnp.stack(leaves), *parts)
    return Objectives(targets[0].extractor, content, style, weights, targets[0].style_loss)
