"""The objective of audio: content, style and optionally the envelope, with gradients in a stated ratio."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from nst import objective as general
from nst.losses import TERMS
from nst.objective import Objective
from nst.transfer.audio.features import AudioFeatures
from nst.transfer.audio.rows import cut
from nst.transfer.audio.spectrogram import Samples
from nst.types import Array, Scalar, Settings


def objective(extractor: AudioFeatures, content: Samples, style: Samples, settings: Settings) -> Objective:
    """Build the terms, scaled so that their gradients have the ratio of their weights.

    The value of a term depends on the audio, its length and the number of filters. So each term is divided by the norm
    of its gradient at a fixed point: at the style for terms that compare with the content, at the content for the
    others. At these points α : β : ε is the ratio of the gradients. (The initial audio would not do: if it is the
    content, the gradient of the content term is zero.)

    Args:
      extractor: The extractor of content and style.
      content: `[channels, samples]`, 1 or 2 channels (mid and side), as long as the result.
      style: `[channels, samples]` of any length, never cut to the content's. Its side channel is left out if the
        content has none. If only the content has a side channel, that channel has no style term.
      settings: Settings of the loss: `style_loss`, and the weights `content_weight` (α), `style_weight` (β) and
        `envelope_weight` (ε).

    Raises:
      InputError: The style loss is unknown.
    """
    channels = min(len(content), len(style))
    inputs = {"content": extractor.parameters(content), "style": extractor.parameters(style[:channels])}
    style_layers = extractor.layers(channels)
    layers = {
        "content_layers": extractor.layers(len(content)),
        "style_layers": style_layers,
        "dual_layers": _dual_layers(extractor, style_layers, *inputs.values()),
    }
    unscaled = general.objective(extractor, inputs, {**settings, **layers})
    at_style = extractor.parameters(cut(style, *content.shape))
    terms = {}
    for name, term in unscaled.terms.items():
        point = at_style if TERMS[name].source == "content" else inputs["content"]
        norm = _gradient_norm(point, replace(unscaled, terms={name: replace(term, weight=jnp.ones(()))}))
        terms[name] = replace(term, weight=jnp.where(norm > 0, term.weight / norm, term.weight))
    return replace(unscaled, terms=terms)


@jax.jit
def _gradient_norm(params: Array, target: Objective) -> Scalar:
    key = jax.random.key(0)  # for stochastic terms
    gradient = jax.grad(lambda params: general.loss(params, target, key)[0])(params)
    return jnp.linalg.norm(gradient)


def _dual_layers(extractor: AudioFeatures, layers: tuple[str, ...], *inputs: Array) -> frozenset[str]:
    """Return the layers in which all inputs together have fewer positions than there are filters."""
    shapes = [jax.eval_shape(lambda x: extractor(x, layers), x) for x in inputs]
    return frozenset(
        layer for layer in layers if sum(F[layer].shape[1] for F in shapes) < shapes[0][layer].shape[2]
    )
