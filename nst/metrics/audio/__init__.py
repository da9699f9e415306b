"""Metrics of stylized audio: how well content is kept and style transferred, comparable between methods.

As in `nst.metrics` for images, the content and the style, each taken as a result, are the baselines.
"""

from collections.abc import Mapping

import numpy as np

from nst.errors import InputError
from nst.metrics.audio import content as contents
from nst.metrics.audio import silence
from nst.metrics.audio import style as styles
from nst.metrics.audio.definitions import AUDIO_METRICS
from nst.metrics.audio.heard import RATE, SHORTEST, Heard, hear
from nst.metrics.audio.phase import spectral_convergence
from nst.metrics.audio.pitch import pitches, tuning
from nst.metrics.definitions import BASELINES

__all__ = ["AUDIO_METRICS", "RATE", "evaluate", "names", "spectral_convergence"]


def names() -> list[str]:
    """Return the names of all metrics, in their order."""
    return [*AUDIO_METRICS]


def evaluate(
    content: np.ndarray, style: np.ndarray, results: Mapping[str, np.ndarray], *, rate: int
) -> dict[str, dict[str, float]]:
    """Compute every metric of results and of the baselines.

    The channels are averaged, and no metric depends on the loudness. All metrics of silence are finite.

    Args:
      content: Samples `[n, channels]`.
      style: Samples `[n', channels]`. As a baseline for metrics that compare frame by frame, the style is repeated from
        its start or cut to the content's length: with silence after a short style it would be easy to beat.
      results: Samples `[n, channels]` by name.
      rate: Sampling rate of all, Hz; it must be `RATE`, on which frames and bands depend.

    Returns:
      From name (those of the results, `content` and `style`) to metrics by the names of `AUDIO_METRICS`.

    Raises:
      InputError: The rate is another, samples have another shape or length, are too few or not finite, or a result has
        the name of a baseline.
    """
    if rate != RATE:
        raise InputError(f"audio at {rate} Hz can't be compared: resample it to {RATE} Hz")
    for name, samples in {"content": content, "style": style}.items():
        _check(name, samples)
    for name, samples in results.items():
        _check(name, samples)
        if name in BASELINES or len(samples) != len(content):
            raise InputError(
                f"{name}: give a result of {len(content)} samples, with a name other than "
                f"{' and '.join(BASELINES)}"
            )

    of_content, of_style = hear(content), hear(style)
    offset = tuning(of_content.x)
    content_pitches = pitches(of_content.x, offset)
    silent = silence.silent(of_content, of_style)

    def row(x: Heard, whole: Heard) -> dict[str, float]:
        return {
            "style_texture": styles.texture(whole, of_style),
            "style_mel": styles.mel(whole, of_style),
            "style_mfcc": styles.mfcc(whole, of_style),
            "content_lsd": contents.lsd(x, of_content),
            "pitch_jaccard": contents.pitch_jaccard(pitches(x.x, offset), content_pitches),
            "chroma_cosine": contents.chroma_cosine(x, of_content),
            "envelope": contents.envelope(x, of_content),
            "floor": silence.floor(x, silent),
        }

    figures = {}
    for name, samples in results.items():
        result = hear(samples)
        figures[name] = row(result, result)
    figures["content"] = row(of_content, of_content)
    figures["style"] = row(hear(np.resize(style, (len(content), style.shape[1]))), of_style)
    return figures


def _check(name: str, samples: np.ndarray) -> None:
    if samples.ndim != 2 or samples.shape[1] not in (1, 2) or not np.issubdtype(samples.dtype, np.floating):
        raise InputError(
            f"{name} is {samples.dtype} {[*samples.shape]}: give floats [samples, channels] with 1 or 2 channels"
        )
    if len(samples) < SHORTEST:
        raise InputError(
            f"{name} has {len(samples)} samples: give at least {SHORTEST}, {SHORTEST / RATE:.2f} s"
        )
    if not np.all(np.isfinite(samples)):
        raise InputError(f"{name} has samples that are not finite: check the program that made it")
