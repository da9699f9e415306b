"""Metrics of the style: distances of timbre that are 0 for the style itself.

All are of levels in mel bands, which no run optimizes, and of statistics over time, so that lengths may differ.
"""

import numpy as np

from nst.metrics.audio.heard import Heard


def texture(x: Heard, style: Heard) -> float:
    """Return ‖Σ − Σ′‖² / (‖Σ‖² + ‖Σ′‖² + ‖I‖²) of covariances of mel levels in consecutive frames, I = 1 dB².

    Norms are Frobenius. Listeners recognize a texture by how bands vary together and how levels rise and fall
    (McDermott and Simoncelli, Sound texture perception via statistics of the auditory periphery, 2011). This is the
    Gram distance of images with two differences. Means, which `mel` compares, are subtracted: in decibels they are so
    large that nothing else would count. And it is relative to both covariances: relative to a steady style's alone,
    silence, which is 1 here, would rank before any audio that varies. I is a just noticeable variation: it counts if
    neither audio varies.
    """
    distance, unit = np.sum(np.square(x.covariance - style.covariance)), len(style.covariance)
    return float(distance / (np.sum(np.square(x.covariance)) + np.sum(np.square(style.covariance)) + unit))


def mel(x: Heard, style: Heard) -> float:
    """Return the root of the mean over mel bands of (μ − μ′)² + (σ − σ′)², of levels over time, dB."""
    means = np.mean(x.mel, axis=0) - np.mean(style.mel, axis=0)
    deviations = np.std(x.mel, axis=0) - np.std(style.mel, axis=0)
    return float(np.sqrt(np.mean(np.square(means) + np.square(deviations))))


def mfcc(x: Heard, style: Heard) -> float:
    """Return 1 − cosine of the means of mel-frequency cepstral coefficients 1 to 12; 1 if one of the two is silent.

    The coefficients are those of Cífka et al., Self-supervised VQ-VAE for one-shot music style transfer, 2021, who
    compare them by a trained network. Silent parts hardly change the value.
    """
    if np.array_equal(x.cepstrum, style.cepstrum):
        return 0.0
    lengths = np.linalg.norm(x.cepstrum) * np.linalg.norm(style.cepstrum)
    return float(1 - x.cepstrum @ style.cepstrum / lengths) if lengths > 0 else 1.0
