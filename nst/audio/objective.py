"""What is minimised of a sound: content, style and, if asked for, its envelope, each brought to a stated share."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from nst.audio.features import Ear
from nst.audio.rows import cut
from nst.audio.spectrogram import Samples
from nst.errors import unknown
from nst.losses import STYLE_LOSSES, StyleLoss, content_loss, where_few
from nst.types import Array, Features, Scalar, Statistics

#: What the rows of a sound are called: left and right are optimised as their sum and difference.
CHANNELS = ("mid", "side")


class LossWeights(NamedTuple):
    """α, β and ε: arrays, so that another value never recompiles."""

    content: Scalar
    style: Scalar
    envelope: Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Objective:
    """Everything the loss of a sound depends on; a pytree as `nst.objective.Objective` is one."""

    extractor: Ear
    content: Features
    style: Statistics
    envelope: Float[Array, "channels frames"]
    weights: LossWeights
    style_loss: StyleLoss = field(metadata={"static": True})


def objective(
    extractor: Ear,
    content: Samples,
    style: Samples,
    *,
    style_loss: str = "gram",
    content_weight: float,
    style_weight: float,
    envelope_weight: float = 0.0,
) -> Objective:
    """Compute the targets, and bring the pulls of the terms to the ratio of their weights.

    What a term weighs depends on the sounds, their lengths and the number of filters. So each is divided by the norm
    of its gradient at the other sound: content and envelope at the style, style at the content. There α : β : ε is how
    hard each pulls. (At the start itself one may have no gradient: that of content is zero at the content.)

    Args:
      extractor: What sounds are compared in.
      content: `[channels, samples]`, 1 or 2 channels (mid and side) of the result's length.
      style: `[channels, samples]` of any length, never cut to the content's. Where it has a side and the content none
        it is left out; where it is the other way the side of the content has no style.
      style_loss: One of `STYLE_LOSSES`.
      content_weight: α.
      style_weight: β.
      envelope_weight: ε, of Σ (e − e′)² with the root mean square e of each frame (after Verma and Smith 2018).

    Raises:
      InputError: There is no such style loss.
    """
    if style_loss not in STYLE_LOSSES:
        raise unknown("config.loss.style_loss", style_loss, STYLE_LOSSES)
    wanted = extractor.parameters(content)
    common = min(len(content), len(style))
    unit = LossWeights(*(jnp.ones(()) for _ in LossWeights._fields))
    like = extractor.parameters(style[:common])
    chosen = where_few(STYLE_LOSSES[style_loss], _few(extractor, wanted, like))
    target = Objective(
        extractor=extractor,
        content=_features(extractor, wanted),
        style=_statistics(extractor, like, chosen),
        envelope=_energy(extractor, wanted),
        weights=unit,
        style_loss=chosen,
    )
    other = extractor.parameters(cut(style, *content.shape))
    content_pull, _, envelope_pull = _pulls(other, target)
    _, style_pull, _ = _pulls(wanted, target)
    pulls = (content_pull, style_pull, envelope_pull)
    asked = (content_weight, style_weight, envelope_weight)
    weights = (jnp.where(pull > 0, weight / pull, weight) for weight, pull in zip(asked, pulls, strict=True))
    return replace(target, weights=LossWeights(*weights))


def loss(params: Array, objective: Objective, batch: None = None) -> tuple[Scalar, dict[str, Scalar]]:
    """α · content + β · style + ε · envelope.

    Args:
      params: What `Ear.parameters` gives, optimised.
      objective: Targets and weights.
      batch: Not used.

    Returns:
      The total, and its terms by name as they enter it, weights included.
    """
    terms = dict(zip(LossWeights._fields, _terms(params, objective), strict=True))
    terms = {name: getattr(objective.weights, name) * value for name, value in terms.items()}
    return sum(terms.values(), jnp.zeros(())), terms


def _terms(params: Array, objective: Objective) -> tuple[Scalar, Scalar, Scalar]:
    features = objective.extractor(params, objective.extractor.layers)
    parts = {name: part for name, part in _parts(features).items() if name in objective.style}
    statistics = objective.style_loss.statistics(parts)
    equal: dict[str, Scalar] = {name: jnp.asarray(1 / len(parts)) for name in parts}
    energy = objective.extractor.energy(params)
    return (
        content_loss(features, objective.content),
        objective.style_loss.distance(statistics, objective.style, equal),
        jnp.sum(jnp.square(energy - objective.envelope)),
    )


def _parts(features: Features) -> Features:
    """Each channel of a layer by itself: mid and side have statistics of their own."""
    return {
        f"{layer} {CHANNELS[i]}": F[i : i + 1] for layer, F in features.items() for i in range(F.shape[0])
    }


def _few(extractor: Ear, *sounds: Array) -> frozenset[str]:
    """The parts in which all sounds together have fewer positions than there are filters."""
    seen = [jax.eval_shape(lambda x: _parts(extractor(x, extractor.layers)), x) for x in sounds]
    common = set.intersection(*(set(parts) for parts in seen))
    return frozenset(
        name for name in common if sum(parts[name].shape[1] for parts in seen) < seen[0][name].shape[2]
    )


@jax.jit
def _features(extractor: Ear, params: Array) -> Features:
    return extractor(params, extractor.layers)


@jax.jit(static_argnums=2)
def _statistics(extractor: Ear, params: Array, style_loss: StyleLoss) -> Statistics:
    return style_loss.statistics(_parts(extractor(params, extractor.layers)))


@jax.jit
def _energy(extractor: Ear, params: Array) -> Array:
    return extractor.energy(params)


@jax.jit
def _pulls(params: Array, objective: Objective) -> LossWeights:
    """The norm of each term's gradient."""
    _, pull = jax.vjp(lambda params: _terms(params, objective), params)
    rows = jnp.eye(len(LossWeights._fields))
    return LossWeights(*(jnp.linalg.norm(pull(tuple(row))[0]) for row in rows))
