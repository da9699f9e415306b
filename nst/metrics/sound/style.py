"""How far the timbre of a sound is from that of the style, wherever in time: each is 0 for the style itself.

All are of levels in mel bands, which no run optimises, and of statistics over time, so that lengths may differ.
"""

import numpy as np

from nst.metrics.sound.heard import Heard


def texture(x: Heard, style: Heard) -> float:
    """‖Σ − Σ′‖² / (‖Σ‖² + ‖Σ′‖² + ‖I‖²) of the covariances of mel levels in frames on end, Frobenius, I = 1 dB².

    How bands move together and how sounds rise and fall is what a texture is heard by (McDermott and Simoncelli, Sound
    texture perception via statistics of the auditory periphery, 2011). It is the Gram distance of pictures but for
    two things. Means, which `mel` compares, are taken off: they are so large in decibels that nothing else would
    count. And it is relative to both sounds: to the style's alone, a steady style would have silence, which is 1 here,
    stand before any sound that moves. I is what is just noticeable: it counts where neither sound moves.
    """
    apart, unit = np.sum(np.square(x.covariance - style.covariance)), len(style.covariance)
    return float(apart / (np.sum(np.square(x.covariance)) + np.sum(np.square(style.covariance)) + unit))


def mel(x: Heard, style: Heard) -> float:
    """The root of the mean over mel bands of (μ − μ′)² + (σ − σ′)², of levels over time, dB."""
    means = np.mean(x.mel, axis=0) - np.mean(style.mel, axis=0)
    deviations = np.std(x.mel, axis=0) - np.std(style.mel, axis=0)
    return float(np.sqrt(np.mean(np.square(means) + np.square(deviations))))


def mfcc(x: Heard, style: Heard) -> float:
    """1 − cosine of the means of mel-frequency cepstral coefficients 1 to 12; silence, which has none, is 1 away.

    Those of Cífka et al., Self-supervised VQ-VAE for one-shot music style transfer, 2021, who compare them by a
    network that they train. How much of a sound is silent hardly changes it.
    """
    if np.array_equal(x.cepstrum, style.cepstrum):
        return 0.0
    lengths = np.linalg.norm(x.cepstrum) * np.linalg.norm(style.cepstrum)
    return float(1 - x.cepstrum @ style.cepstrum / lengths) if lengths > 0 else 1.0
