"""One number for how much of the style a result has, calibrated by the gradients of the terms."""

from collections.abc import Mapping
from dataclasses import replace

import jax
import numpy as np

from nst import losses, optimize
from nst.objective import PARAMETERS, Objective, loss, refreshed
from nst.types import Array, Settings


def calibrated(
    objective: Objective,
    content: Array,
    style: Array,
    strength: float,
    settings: Settings,
    rounds: bool,
) -> Objective:
    """Return the objective with the weights of content and style terms set by a strength.

    The gradient of the style term is taken at the content, and that of the content term at the style image: at the
    content its own gradient is zero. With norms g_s and g_c of the unweighted terms, the weights are α = 4 (1 − s)² α₀
    and β = 4 s² b α₀ g_c / g_s, so that a strength s means about the same for any pair of images. The squares make
    steps of s look more even: a third of β at s = ½ is already much style.

    Args:
      objective: The objective of a scale. Several style terms keep their ratios.
      content: `[h, w, 3]`.
      style: The style image in the size of the content.
      strength: s, from 0 (the content) to 1 (the style alone).
      settings: The settings that `nst.losses.checked` returns. α₀ is their content weight; that of the objective may be
        smaller at later scales, and α follows it. b is the `StyleLoss.balance` of their style loss.
      rounds: Whether the network computes in reduced precision, so that gradients need a reference.
    """
    balance, content_weight = settings["style_loss"].balance, settings["content_weight"]
    key = optimize.keys(0)(0) if losses.stochastic(settings) else None
    styles = [name for name in objective.terms if name.partition("_")[0] == "style"]
    weights = {name: np.asarray(term.weight) for name, term in objective.terms.items()}
    ratios = {name: float(weights[name] / sum(weights[each] for each in styles)) for name in styles}
    g_c = _gradient(objective, style, {"content": 1.0}, rounds, key)
    g_s = _gradient(objective, content, ratios, rounds, key)
    # A style that is the content has no gradient, and any weight will do.
    beta = 4 * strength**2 * balance * content_weight * (g_c / g_s if g_s > 0 else 1.0)
    new = {name: float(beta * ratio) for name, ratio in ratios.items()}
    new["content"] = float(4 * (1 - strength) ** 2 * weights["content"])
    # At strength 0 nothing is changed; total variation would blur the content.
    new |= {name: float(min(1.0, 2 * strength) * weights[name]) for name in weights if name not in new}
    return _weighed(objective, new)


def _weighed(objective: Objective, weights: Mapping[str, float]) -> Objective:
    """Return the objective with other weights; terms without one weigh 0."""
    terms = {
        name: replace(term, weight=jax.device_put(np.float32(weights.get(name, 0.0))))
        for name, term in objective.terms.items()
    }
    return replace(objective, terms=terms)


def _gradient(
    objective: Objective, image: Array, weights: Mapping[str, float], rounds: bool, key: jax.Array | None
) -> float:
    """Return the norm of the gradient at an image, with other weights.

    All terms are evaluated, since the program with all of them is compiled in any case.
    """
    params = PARAMETERS[objective.parameters].of(image)
    objective = _weighed(objective, weights)
    if rounds:
        objective = refreshed(objective, params)
    gradient = optimize.gradient(optimize.by_vjp(loss), params, objective, key)
    return float(np.sqrt(sum(np.sum(np.square(leaf)) for leaf in jax.tree.leaves(gradient))))
