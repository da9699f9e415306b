"""How well a clip moves as its content does.

Source: Chu, Xie, Mayer, Leal-Taixé and Thuerey, Learning Temporal Coherence via Self-Supervision for GAN-based Video
Generation (TecoGAN), ACM Transactions on Graphics 2020.
"""

import numpy as np

from nst import flow
from nst.flow import Frame, Motion

#: Frames from one to the other of `warping_long`.
APART = 10


def flow_difference(frame: Frame, later: Frame, content: Motion) -> float:
    """Return tOF: the mean over positions of ‖OF(frames) − OF(content)‖₁ in pixels.

    The flow is that of `nst.flow`, where Chu et al. have Farnebäck's.
    """
    difference = flow.optical_flow(frame, later) - np.asarray(content.flow)
    return float(np.mean(np.sum(np.abs(difference), axis=2), dtype=np.float64))
