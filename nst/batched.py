"""Style transfer of several images in one compiled call: one structure and one size, other images and numbers.

A small image leaves a GPU idle; several at once do not. Each trial ends as it would alone, but for the order of sums.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst import losses, objective, optimize, optimizers, stages
from nst.errors import InputError
from nst.objective import Objective
from nst.stages import Method, Release, Snapshot, Stage, keep_memory
from nst.stylize import Scale, completed, image_stages, method
from nst.types import NO_CHANGES, Array, Image, Network, Pytree, Scalars, Settings


class Trial(NamedTuple):
    """The inputs and numbers of one trial in a batched call."""

    content: Image
    style: Image
    initial: Image
    learning_rate: float
    loss_settings: Settings = NO_CHANGES
    seed: int = 0


def stylizations(
    trials: Sequence[Trial],
    *,
    extractor: Network,
    scales: Sequence[Scale],
    style_scale: float = 1.0,
    content_factor: float = 1.0,
    optimizer: str = "lbfgs_pyramid",
    parameters: str = "pixels",
    every: Sequence[int] = (),
    release: Release = keep_memory,
) -> Iterator[list[Snapshot]]:
    """Stylize several images together; see `nst.stylize.stylization`.

    Args:
      trials: Content images of one shape once they are resampled; losses of the same terms and layers.
      extractor: The network.
      scales: Coarse to fine, for all of them.
      style_scale: For all of them.
      content_factor: For all of them.
      optimizer: For all of them.
      parameters: For all of them.
      every: Snapshots are yielded at least at the multiples of these step numbers.
      release: As in `nst.stages.run`.

    Yields:
      A snapshot of each. One whose loss is not finite stays at the last step where it was.

    Raises:
      InputError: The sizes or the losses differ.
      RunError: None is finite any more.
    """
    settings = [completed(extractor, trial.loss_settings, optimizer) for trial in trials]
    layers = [layer for each in settings for layer in losses.layers(each)]
    extractor = extractor.freeze(tuple(dict.fromkeys(layers)))
    own = [
        image_stages(
            trial.content,
            trial.style,
            trial.initial,
            extractor=extractor,
            scales=scales,
            style_scale=style_scale,
            content_factor=content_factor,
            settings=each,
            parameters=parameters,
        )
        for trial, each in zip(trials, settings, strict=True)
    ]
    methods = [
        method(extractor, each, optimizer, trial.learning_rate, trial.seed)
        for trial, each in zip(trials, settings, strict=True)
    ]
    together = [_joint_stage(each) for each in zip(*own, strict=True)]
    for snapshot in stages.run(together, _joint_method(methods), every=every, release=release):
        yield [_of_trial(snapshot, i) for i in range(len(trials))]


def _of_trial(snapshot: Snapshot, i: int) -> Snapshot:
    """The snapshot of one trial, as if it had gone alone."""
    state = optimize.trial(snapshot.state, i)
    behind = optimize.reached(snapshot.state) - int(state.step)  # where its loss was not finite
    reference = None if snapshot.reference is None else snapshot.reference[i]
    step, evaluations = snapshot.step - behind, snapshot.evaluations - behind
    image, random = snapshot.image[i], snapshot.stochastic
    return Snapshot(snapshot.stage, step, evaluations, state, reference, image, random)


def _joint_stage(own: Sequence[Stage]) -> Stage:
    """One stage of several trials: parameters and terms stacked."""

    def begin(previous: Array | None) -> Pytree:
        each = [None] * len(own) if previous is None else previous
        begun = [stage.begin(image) for stage, image in zip(own, each, strict=True)]
        return jax.tree.map(lambda *parameters: np.stack(parameters), *begun)

    if any(stage.like != own[0].like for stage in own):
        raise InputError("images of several sizes can't be batched: run them apart")
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct((len(own), *x.shape), x.dtype), own[0].like)
    return Stage(own[0].steps, like, lambda: _stacked([stage.objective() for stage in own]), begin)


def _joint_method(own: Sequence[Method]) -> Method:
    """The method of several trials, which differ in their learning rates and random keys alone."""
    batch_at = own[0].batch_at and (
        lambda step: jnp.stack([method.batch_at(step) for method in own if method.batch_at])
    )
    return Method(
        optimize.by_vjp(joint_loss),
        optimizers.batched(own[0].optimizer),
        [each.learning_rate for each in own],  # type: ignore[arg-type]  (a trial has a rate)
        own[0].refresh and refreshed,
        batch_at,
        joint_image,
    )


def _stacked(own: Sequence[Objective]) -> Objective:
    """One network for all; terms with a leading axis."""
    terms = [each.terms for each in own]
    for name in dict.fromkeys(name for each in terms for name in each):
        alike = [each.get(name) for each in terms]
        if len({str(jax.tree.map(jnp.shape, term and (term.target, term.local))) for term in alike}) > 1:
            raise InputError(
                f"losses with different layers or terms ({name}) can't be batched: run them apart"
            )
        if len({jax.tree.structure(term) for term in alike}) > 1:
            raise InputError(
                f"the term {name} has new functions each time it is built: define them once, in their module"
            )
    return replace(own[0], terms=jax.tree.map(lambda *leaves: jnp.stack(leaves), *terms))


def joint_loss(
    params: Pytree, stacked: Objective, batch: Array | None = None
) -> tuple[Scalars, dict[str, Scalars]]:
    """Return `nst.objective.loss` of each trial: parameters with a leading axis to `[n]`."""

    def one(params: Pytree, terms: Pytree, reference: Pytree, key: Pytree) -> Pytree:
        return objective.loss(params, replace(stacked, terms=terms, reference=reference), key)

    return jax.vmap(one)(params, stacked.terms, stacked.reference, batch)


def joint_image(stacked: Objective, params: Pytree) -> Array:
    """Return the image of each trial."""
    return jax.vmap(Objective.image, in_axes=(None, 0))(stacked, params)


def refreshed(stacked: Objective, params: Pytree) -> Objective:
    """Return `nst.objective.refreshed` of each trial."""
    # One after the other: together, each would have transformed filters of its own.
    references = [
        objective.reference(stacked.extractor, jnp.asarray(image), stacked.layers)
        for image in joint_image(stacked, params)
    ]
    return replace(stacked, reference=jax.tree.map(lambda *leaves: jnp.stack(leaves), *references))
