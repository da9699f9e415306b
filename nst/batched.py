"""Style transfer of several images in one compiled call: trials share structure and size, not images and numbers.

One small image leaves a GPU mostly idle. Each trial gives the result of a run of its own except for rounding, as sums
are computed in another order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst import losses, objective, optim, optimize, stages
from nst.errors import InputError
from nst.guided import WHOLE, Regions
from nst.objective import Objective
from nst.stages import Method, Release, Snapshot, Stage, keep_memory
from nst.transfer.image import Scale, image_stages, method
from nst.transfer.settings import completed
from nst.types import NO_CHANGES, Array, Image, Network, Pytree, Scalars, Settings, Style


class Trial(NamedTuple):
    """One trial of a batched call.

    Attributes:
      content: `[h, w, 3]`, at least as large as the last scale.
      style: `[h', w', 3]`, or several styles.
      initial: `[h, w, 3]`, the initial image of the first scale.
      learning_rate: The learning rate.
      loss_settings: Settings of the loss that replace the defaults.
      seed: Seed of stochastic terms.
      regions: What is kept.
    """

    content: Image
    style: Image | Sequence[Style]
    initial: Image
    learning_rate: float
    loss_settings: Settings = NO_CHANGES
    seed: int = 0
    regions: Regions = WHOLE


def stylizations(
    trials: Sequence[Trial],
    *,
    extractor: Network,
    scales: Sequence[Scale],
    style_scale: float = 1.0,
    content_factor: float = 1.0,
    strength: float | None = None,
    optimizer: str = "lbfgs_pyramid",
    parameters: str = "pixels",
    every: Sequence[int] = (),
    release: Release = keep_memory,
) -> Iterator[list[Snapshot]]:
    """Stylize several images together; see `nst.transfer.image.stylization`.

    Args:
      trials: The trials. Their resized content images have one shape, and their losses the same terms and layers.
      extractor: The network of all trials.
      scales: Scales of all trials, coarse to fine.
      style_scale: As in `stylization`, for all trials.
      content_factor: As in `stylization`, for all trials.
      strength: As in `stylization`, for all trials.
      optimizer: The optimizer of all trials.
      parameters: As in `stylization`, for all trials.
      every: Intervals in steps; snapshots are yielded at least at every multiple of each interval.
      release: As in `nst.stages.run`.

    Yields:
      A list with a snapshot of each trial. A trial whose loss is not finite stays at its last finite step.

    Raises:
      InputError: The sizes or the losses differ.
      RunError: The loss of no trial is finite any more.
    """
    settings = [completed(extractor, trial.loss_settings, optimizer) for trial in trials]
    layers = [layer for each in settings for layer in losses.layers(each)]
    extractor = extractor.freeze(tuple(dict.fromkeys(layers)))
    by_trial = [
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
            regions=trial.regions,
            strength=strength,
        )
        for trial, each in zip(trials, settings, strict=True)
    ]
    methods = [
        method(extractor, each, optimizer, trial.learning_rate, trial.seed)
        for trial, each in zip(trials, settings, strict=True)
    ]
    joint = [_joint_stage(each) for each in zip(*by_trial, strict=True)]
    for snapshot in stages.run(joint, _joint_method(methods), every=every, release=release):
        yield [_of_trial(snapshot, i) for i in range(len(trials))]


def _of_trial(snapshot: Snapshot, i: int) -> Snapshot:
    """Return the snapshot of one trial, as if it had run alone."""
    state = optimize.trial(snapshot.state, i)
    behind = optimize.reached(snapshot.state) - int(state.step)  # above 0 after a loss that was not finite
    reference = None if snapshot.reference is None else snapshot.reference[i]
    return snapshot._replace(
        step=snapshot.step - behind,
        evaluations=snapshot.evaluations - behind,
        state=state,
        reference=reference,
        image=snapshot.image[i],
    )


def _joint_stage(trials: Sequence[Stage]) -> Stage:
    """Return the joint stage of several trials, with their parameters and terms stacked."""

    def begin(previous: Array | None) -> Pytree:
        images = [None] * len(trials) if previous is None else previous
        parameters = [stage.begin(image) for stage, image in zip(trials, images, strict=True)]
        return jax.tree.map(lambda *leaves: np.stack(leaves), *parameters)

    if any(stage.like != trials[0].like for stage in trials):
        raise InputError("images of several sizes can't be batched: run them apart")
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct((len(trials), *x.shape), x.dtype), trials[0].like)
    return Stage(trials[0].steps, like, lambda: _stacked([stage.objective() for stage in trials]), begin)


def _joint_method(trials: Sequence[Method]) -> Method:
    """Return the joint method of several trials, which differ only in learning rates and random keys."""
    batch_at = trials[0].batch_at and (
        lambda step: jnp.stack([method.batch_at(step) for method in trials if method.batch_at])
    )
    return Method(
        optimize.by_vjp(joint_loss),
        optim.batched(trials[0].optimizer),
        [each.learning_rate for each in trials],  # type: ignore[arg-type]  (a trial has a rate)
        trials[0].refresh and refreshed,
        batch_at,
        joint_image,
    )


def _stacked(trials: Sequence[Objective]) -> Objective:
    """Return one objective with the shared network and the terms of all trials, stacked along a leading axis."""
    terms = [each.terms for each in trials]
    for name in dict.fromkeys(name for each in terms for name in each):
        same_name = [each.get(name) for each in terms]
        if len({str(jax.tree.map(jnp.shape, term and (term.target, term.local))) for term in same_name}) > 1:
            raise InputError(
                f"losses with different layers or terms ({name}) can't be batched: run them apart"
            )
        if len({jax.tree.structure(term) for term in same_name}) > 1:
            raise InputError(
                f"the term {name} gets new functions each time it is built, so trials can't share a program: "
                "define its functions once, at module level"
            )
    own = [_own(each) for each in trials]
    if len({jax.tree.structure(each) for each in own}) > 1:
        raise InputError("trials with and without masks can't be batched: run them apart")
    return replace(trials[0], **jax.tree.map(lambda *leaves: jnp.stack(leaves), *own))


def _own(objective: Objective) -> dict[str, Pytree]:
    """Return the attributes of an objective that differ by trial."""
    return {name: getattr(objective, name) for name in ("terms", "composition", "masks", "reference")}


def joint_loss(
    params: Pytree, stacked: Objective, batch: Array | None = None
) -> tuple[Scalars, dict[str, Scalars]]:
    """Return `nst.objective.loss` of each of `n` trials, `[n]`; the parameters have a leading axis of `n`."""

    def one(params: Pytree, own: Pytree, key: Pytree) -> Pytree:
        return objective.loss(params, replace(stacked, **own), key)

    return jax.vmap(one)(params, _own(stacked), batch)


def joint_image(stacked: Objective, params: Pytree) -> Array:
    """Return the images of all trials, `[n, h, w, 3]`."""
    return jax.vmap(lambda own, params: replace(stacked, **own).image(params))(_own(stacked), params)


def refreshed(stacked: Objective, params: Pytree) -> Objective:
    """Return the objective with a new reference for each trial, stacked; see `nst.objective.refreshed`."""
    # One after the other: in one vmap, each trial would hold transformed filters of its own.
    references = [
        objective.reference(stacked.extractor, jnp.asarray(image), stacked.layers)
        for image in joint_image(stacked, params)
    ]
    return replace(stacked, reference=jax.tree.map(lambda *leaves: jnp.stack(leaves), *references))
