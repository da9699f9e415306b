"""The objective of audio: content, style and optionally the envelope, with gradients in a stated ratio."""

from collections.abc import Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp

from nst import losses
from nst import objective as general
from nst.guided import shares
from nst.losses import Input, Recipe, Term
from nst.objective import Objective, numbered, term_of
from nst.transfer.audio.features import AudioFeatures
from nst.transfer.audio.rows import cut
from nst.transfer.audio.spectrogram import Samples
from nst.transfer.styles import styles_of
from nst.types import Array, Scalar, Settings, Style

#: Parameters at which the gradient of a term is measured, each with its share.
Points = Sequence[tuple[Array, float]]


def objective(
    extractor: AudioFeatures, content: Samples, style: Samples | Sequence[Style], settings: Settings
) -> Objective:
    """Build the terms, scaled so that their gradients have the ratio of their weights.

    The value of a term depends on the audio, its length and the number of filters. So each term is divided by the norm
    of its gradient at a fixed point: at the style for terms that compare with the content, at the content for the
    others. At these points α : β : ε is the ratio of the gradients. (The initial audio would not do: if it is the
    content, the gradient of the content term is zero.)

    Several styles have shares of sum 1, in the ratio of their weights, and a term each: `style_1`, `style_2`, … The
    gradient of each at the content has the norm β times its share, however loud or noisy that style is. Terms that
    compare with the content are divided by the mean of the norms at the styles, weighted by their shares. So two equal
    styles are one, up to what a loss draws at random for each, and a style of weight 0 changes nothing.

    Args:
      extractor: The extractor of content and style.
      content: `[channels, samples]`, 1 or 2 channels (mid and side), as long as the result.
      style: `[channels, samples]` of any length, never cut to the content's, or several styles. Its side channel is
        left out if the content has none. If only the content has a side channel, that channel has no style term.
      settings: Settings of the loss: `style_loss`, and the weights `content_weight` (α), `style_weight` (β) and
        `envelope_weight` (ε).

    Raises:
      InputError: The style loss is unknown.
    """
    styles = styles_of(style)
    settings = losses.checked({**settings, "content_layers": extractor.layers(len(content))})
    source = Input(extractor, extractor.parameters(content))
    at_content: Points = [(source.image, 1.0)]
    at_styles: Points = [
        (extractor.parameters(cut(each.image, *content.shape)), share)
        for each, share in zip(styles, shares(styles), strict=True)
        if share
    ]
    terms = {}
    for name, recipe in losses.active(settings).items():
        if recipe.source == "style":
            each = _style_terms(name, recipe, source, styles, len(content), settings)
        else:
            each = [term_of(name, recipe, {"content": source}, settings)]
        points = at_styles if recipe.source == "content" else at_content
        terms |= numbered(name, [_scaled(name, term, extractor, points) for term in each])
    return Objective(extractor, terms)


def _style_terms(
    name: str, recipe: Recipe, source: Input, styles: Sequence[Style], channels: int, settings: Settings
) -> list[Term]:
    """Return the term of each style, in the channels that it shares with the content."""
    extractor, terms = source.extractor, []
    assert isinstance(extractor, AudioFeatures)
    for style, share in zip(styles, shares(styles), strict=True):
        common = min(channels, len(style.image))
        target = extractor.parameters(style.image[:common])
        layers = extractor.layers(common)
        dual = _dual_layers(extractor, layers, source.image, target)
        own = {**settings, "style_layers": layers, "dual_layers": dual}
        inputs = {"content": source, "style": Input(extractor, target)}
        terms.append(term_of(name, recipe, inputs, own, share))
    return terms


def _scaled(name: str, term: Term, extractor: AudioFeatures, points: Points) -> Term:
    """Return a term with its weight divided by the norm of its gradient, a mean over the points."""
    # The name gives the random key: that of a family is the same for all styles.
    alone = Objective(extractor, {name: replace(term, weight=jnp.ones(()))})
    norm = sum((share * _gradient_norm(point, alone) for point, share in points), jnp.zeros(()))
    return replace(term, weight=jnp.where(norm > 0, term.weight / norm, term.weight))


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
