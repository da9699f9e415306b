"""Metric of phase reconstruction."""

import numpy as np
from jaxtyping import Float


def spectral_convergence(reached: Float[np.ndarray, "*shape"], target: Float[np.ndarray, "*shape"]) -> float:
    """Return ‖|STFT(y)| − S‖ / ‖S‖, Frobenius; 0 is best, and it is infinite if S is silent and y is not.

    Sturmel and Daudet, Signal reconstruction from STFT magnitude, 2011, there in decibels; Arık, Jun and Diamos, Fast
    spectrogram inversion using multi-head convolutional neural networks, 2018.

    Args:
      reached: Magnitudes |STFT(y)| of the reconstructed audio y.
      target: Magnitudes S, of the same transform.
    """
    reached, target = np.asarray(reached, np.float64), np.asarray(target, np.float64)
    distance, unit = np.linalg.norm(reached - target), np.linalg.norm(target)
    return float(distance / unit) if unit > 0 else float("inf") if distance > 0 else 0.0
