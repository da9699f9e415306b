"""Metrics of the content, frame by frame: loudness, spectrum, harmony and notes."""

import numpy as np
from jaxtyping import Bool, Float

from nst.metrics.audio.heard import Heard

# An envelope with a deviation up to this, relative to its mean, is steady and has no correlation.
_STEADY = 1e-6


def lsd(x: Heard, content: Heard) -> float:
    """Return the log-spectral distance: root mean square difference of levels over mel bands, mean over frames, dB.

    Gray and Markel, Distance measures for speech processing, 1976, here with mel bands.
    """
    return float(np.mean(np.sqrt(np.mean(np.square(x.mel - content.mel), axis=1))))


def pitch_jaccard(x: Bool[np.ndarray, "u pitches"], content: Bool[np.ndarray, "u pitches"]) -> float:
    """Return Σ |A ∩ B| / Σ |A ∪ B| of the pitches A and B of each frame; 1 if neither has any.

    After Cífka et al. 2021, with deviations: theirs is a distance (1 minus the index), averaged over frames instead of
    pitches, with pitches from another estimator (Salamon and Gómez 2012).
    """
    union = np.sum(x | content)
    return float(np.sum(x & content) / union) if union else 1.0


def chroma_cosine(x: Heard, content: Heard) -> float:
    """Return the cosine of the powers of pitch classes, mean over frames weighted by the content's amplitude.

    The cosine of a silent frame is 0. If the content is silent, the result is 1 for silence and 0 for other audio.
    """
    lengths, weights = np.linalg.norm(x.chroma, axis=1), np.linalg.norm(content.chroma, axis=1)
    if not np.any(weights):
        return float(not np.any(lengths))
    products = lengths * weights
    cosines = np.sum(x.chroma * content.chroma, axis=1) / np.where(products > 0, products, 1)
    return float(np.average(cosines, weights=np.sqrt(weights)))


def envelope(x: Heard, content: Heard) -> float:
    """Return Pearson's correlation of the root mean squares of frames; 1 if both are steady, 0 if only one is."""
    steady = [bool(np.std(each) <= _STEADY * np.mean(each)) for each in (x.envelope, content.envelope)]
    return _correlation(x.envelope, content.envelope) if not any(steady) else float(all(steady))


def _correlation(a: Float[np.ndarray, " t"], b: Float[np.ndarray, " t"]) -> float:
    a, b = a - np.mean(a), b - np.mean(b)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
