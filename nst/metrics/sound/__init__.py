"""How well a sound has the content of one and the style of another, in figures that compare between methods.

As of pictures in `nst.metrics`: the content and the style, each taken as a result, stand beside as baselines.
"""

from collections.abc import Mapping

import numpy as np

from nst.errors import InputError
from nst.metrics.definitions import BASELINES
from nst.metrics.sound import content as contents
from nst.metrics.sound import silence
from nst.metrics.sound import style as styles
from nst.metrics.sound.definitions import SOUND_METRICS
from nst.metrics.sound.heard import RATE, SHORTEST, Heard, hear
from nst.metrics.sound.phase import spectral_convergence
from nst.metrics.sound.pitch import pitches, tuning

__all__ = ["RATE", "SOUND_METRICS", "evaluate", "names", "spectral_convergence"]


def names() -> list[str]:
    """The metrics that there are, in their order."""
    return [*SOUND_METRICS]


def evaluate(
    content: np.ndarray, style: np.ndarray, results: Mapping[str, np.ndarray], *, rate: int
) -> dict[str, dict[str, float]]:
    """Every metric of some results, and of the baselines.

    Figures are of the mean of the channels, and don't depend on how loud a sound is. Silence has finite ones.

    Args:
      content: Samples `[n, channels]`.
      style: `[n', channels]`. As a result, for what is compared frame by frame, it is repeated from its start or cut
        to the content's length: silence after a short one would make it a baseline that is easy to beat.
      results: By name, each `[n, channels]`.
      rate: Of all of them, which has to be `RATE`: what a frame and a band is depends on it.

    Returns:
      From the names of the results, `content` and `style`, to figures by the names of `SOUND_METRICS`.

    Raises:
      InputError: Another rate, samples of another shape or length, too few or not finite, or a result with the name of
        a baseline.
    """
    if rate != RATE:
        raise InputError(f"sounds at {rate} Hz can't be compared: resample them to {RATE} Hz")
    for name, samples in {"content": content, "style": style}.items():
        _check(name, samples)
    for name, samples in results.items():
        _check(name, samples)
        if name in BASELINES or len(samples) != len(content):
            raise InputError(f"{name}: give a result of {len(content)} samples, of a name not in {BASELINES}")

    reference, wanted = hear(content), hear(style)
    tuned = tuning(reference.x)
    sounding = pitches(reference.x, tuned)
    quiet = silence.silent(reference, wanted)

    def row(heard: Heard, like_style: Heard) -> dict[str, float]:
        return {
            "style_texture": styles.texture(like_style, wanted),
            "style_mel": styles.mel(like_style, wanted),
            "style_mfcc": styles.mfcc(like_style, wanted),
            "content_lsd": contents.lsd(heard, reference),
            "pitch_jaccard": contents.pitch_jaccard(pitches(heard.x, tuned), sounding),
            "chroma_cosine": contents.chroma_cosine(heard, reference),
            "envelope": contents.envelope(heard, reference),
            "floor": silence.floor(heard, quiet),
        }

    figures = {}
    for name, samples in results.items():
        heard = hear(samples)
        figures[name] = row(heard, heard)
    figures["content"] = row(reference, reference)
    figures["style"] = row(hear(np.resize(style, (len(content), style.shape[1]))), wanted)
    return figures


def _check(name: str, samples: np.ndarray) -> None:
    if samples.ndim != 2 or samples.shape[1] not in (1, 2) or not np.issubdtype(samples.dtype, np.floating):
        raise InputError(
            f"{name} is {samples.dtype} {[*samples.shape]}: give floats [samples, channels], of 1 or 2 channels"
        )
    if len(samples) < SHORTEST:
        raise InputError(
            f"{name} is of {len(samples)} samples: give at least {SHORTEST}, {SHORTEST / RATE:.2f} s"
        )
    if not np.all(np.isfinite(samples)):
        raise InputError(f"{name} has samples that are not finite: look at how it was made")
