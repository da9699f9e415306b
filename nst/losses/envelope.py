"""The envelope loss of audio: the loudness of each frame (after Verma and Smith 2018)."""

from collections.abc import Mapping
from typing import Any

from nst.losses.content import features_of, squared_differences
from nst.losses.reduction import Total
from nst.losses.term import Input, Recipe, Term
from nst.types import Scalar

# The root mean square of each frame, which the audio extractor offers beside its layers.
_LAYERS = ("energy",)


def _value(statistics: Mapping[str, Total], target: None) -> Scalar:
    """Return Σ (e − e′)² over frames."""
    return statistics["energy"].sum


def _build(inputs: Mapping[str, Input], **_: Any) -> Term:
    energy = inputs["content"].measure(features_of, _LAYERS)
    return Term(squared_differences, _value, _LAYERS, local=energy)


def _layers(**_: Any) -> tuple[str, ...]:
    return _LAYERS


ENVELOPE = Recipe(_build, layers=_layers, source="content")
