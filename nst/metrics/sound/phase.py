"""How well phases were found for wanted magnitudes."""

import numpy as np
from jaxtyping import Float


def spectral_convergence(reached: Float[np.ndarray, "*shape"], wanted: Float[np.ndarray, "*shape"]) -> float:
    """‖|STFT(y)| − S‖ / ‖S‖, Frobenius; 0 is best, and infinite where sound was reached for wanted silence.

    Sturmel and Daudet, Signal reconstruction from STFT magnitude, 2011, there in decibels; Arık, Jun and Diamos, Fast
    spectrogram inversion using multi-head convolutional neural networks, 2018.

    Args:
      reached: Magnitudes of the sound y, by the transform that the wanted ones are of.
      wanted: Magnitudes S.
    """
    reached, wanted = np.asarray(reached, np.float64), np.asarray(wanted, np.float64)
    apart, unit = np.linalg.norm(reached - wanted), np.linalg.norm(wanted)
    return float(apart / unit) if unit > 0 else float("inf") if apart > 0 else 0.0
