"""The objective of audio: content, style and, if asked for, the envelope, each brought to a stated share."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from nst import objective as general
from nst.audio.features import AudioFeatures
from nst.audio.rows import cut
from nst.audio.spectrogram import Samples
from nst.losses import TERMS
from nst.objective import Objective
from nst.types import Array, Scalar, Settings


def objective(extractor: AudioFeatures, content: Samples, style: Samples, settings: Settings) -> Objective:
    """Build the terms, and bring their pulls to the ratio of their weights.

    The size of a term depends on the audio, its length and the number of filters. So each is divided by the norm of its
    gradient: for terms that compare with the content, at the style; for others, at the content. There α : β : ε is the
    ratio of the gradients. (At the start itself one may have none: that of content is zero at the content.)

    Args:
      extractor: What both are seen through.
      content: `[channels, samples]`, 1 or 2 channels (mid and side) of the result's length.
      style: `[channels, samples]` of any length, never cut to the content's. Where it has a side and the content none
        it is left out; where it is the other way the side of the content has no style.
      settings: Settings of the loss: `style_loss`, and the weights `content_weight` (α), `style_weight` (β) and
        `envelope_weight` (ε).

    Raises:
      InputError: There is no such style loss.
    """
    common = min(len(content), len(style))
    inputs = {"content": extractor.parameters(content), "style": extractor.parameters(style[:common])}
    style_layers = extractor.layers(common)
    named = {
        "content_layers": extractor.layers(len(content)),
        "style_layers": style_layers,
        "dual_layers": _short(extractor, style_layers, *inputs.values()),
    }
    target = general.objective(extractor, inputs, {**settings, **named})
    at_style = extractor.parameters(cut(style, *content.shape))
    terms = {}
    for name, term in target.terms.items():
        point = at_style if TERMS[name].source == "content" else inputs["content"]
        pull = _pull(point, replace(target, terms={name: replace(term, weight=jnp.ones(()))}))
        terms[name] = replace(term, weight=jnp.where(pull > 0, term.weight / pull, term.weight))
    return replace(target, terms=terms)


@jax.jit
def _pull(params: Array, target: Objective) -> Scalar:
    """Return the norm of the gradient."""
    key = jax.random.key(0)  # of stochastic terms
    gradient = jax.grad(lambda params: general.loss(params, target, key)[0])(params)
    return jnp.linalg.norm(gradient)


def _short(extractor: AudioFeatures, layers: tuple[str, ...], *inputs: Array) -> frozenset[str]:
    """Return the layers in which all inputs together have fewer positions than there are filters."""
    seen = [jax.eval_shape(lambda x: extractor(x, layers), x) for x in inputs]
    return frozenset(
        layer for layer in layers if sum(F[layer].shape[1] for F in seen) < seen[0][layer].shape[2]
    )
