"""How much of the content a sound keeps, frame by frame: loudness, spectrum, harmony and notes."""

import numpy as np
from jaxtyping import Bool, Float

from nst.metrics.sound.heard import Heard

# Of an envelope: steadier than this, relative to its mean, has no correlation.
_STEADY = 1e-6


def lsd(x: Heard, content: Heard) -> float:
    """Log-spectral distance: the root mean square difference of levels over mel bands, mean over frames, dB.

    Gray and Markel, Distance measures for speech processing, 1976, here of mel bands.
    """
    return float(np.mean(np.sqrt(np.mean(np.square(x.mel - content.mel), axis=1))))


def pitch_jaccard(x: Bool[np.ndarray, "u pitches"], content: Bool[np.ndarray, "u pitches"]) -> float:
    """Σ |A ∩ B| / Σ |A ∪ B| of the pitches of each frame; 1 where there are none in either.

    After Cífka et al. 2021. Deviations: theirs is 1 less this, a mean over frames rather than over the pitches in
    them, and of pitches by another estimate (Salamon and Gómez 2012).
    """
    union = np.sum(x | content)
    return float(np.sum(x & content) / union) if union else 1.0


def chroma_cosine(x: Heard, content: Heard) -> float:
    """The mean over frames of the cosine of the pitch classes' powers, weighted by the content's amplitude.

    A frame without any is 0. With a silent content, 1 for silence and 0 for any other sound.
    """
    lengths, weights = np.linalg.norm(x.chroma, axis=1), np.linalg.norm(content.chroma, axis=1)
    if not np.any(weights):
        return float(not np.any(lengths))
    products = lengths * weights
    cosines = np.sum(x.chroma * content.chroma, axis=1) / np.where(products > 0, products, 1)
    return float(np.average(cosines, weights=np.sqrt(weights)))


def envelope(x: Heard, content: Heard) -> float:
    """Pearson's correlation of the root mean squares of frames; of steady sounds 1 if both are, 0 if one is."""
    steady = [bool(np.std(each) <= _STEADY * np.mean(each)) for each in (x.envelope, content.envelope)]
    return _correlation(x.envelope, content.envelope) if not any(steady) else float(all(steady))


def _correlation(a: Float[np.ndarray, " t"], b: Float[np.ndarray, " t"]) -> float:
    a, b = a - np.mean(a), b - np.mean(b)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
