"""Metrics of motion: how well a clip moves as its content does.

Sources: Lai, Huang, Wang, Shechtman, Yumer and Yang, Learning Blind Video Temporal Consistency, ECCV 2018 (warping
error); Chu, Xie, Mayer, Leal-Taixé and Thuerey, Learning Temporal Coherence via Self-Supervision for GAN-based Video
Generation (TecoGAN), ACM Transactions on Graphics 2020 (tOF).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from nst import flow
from nst.flow import Flow
from nst.types import Mask

#: Frames from one to the other of `warping_long`.
APART = 10

# Two frames show the same scene if this share of positions is reliable, and their squared difference there is below
# this share of the variance: in noise, for example, the flow is near 0, which is consistent, but nothing matches.
_LEAST_RELIABLE = 0.25
_MOST_DIFFERENCE = 0.25
_NOISE = (8 / 255) ** 2  # squared difference that is no matter, as in flat frames

Frame = UInt8[np.ndarray, "h w 3"]


class Motion(NamedTuple):
    """How the content moves from a frame to a later one.

    Attributes:
      flow: The flow from the frame to the later one, pixels.
      mask: M, 1 where the flow is reliable, by the conditions of Ruder et al. that Lai et al. use, too.
      matched: Whether both frames show the same scene, so that they can be compared.
    """

    flow: Flow
    mask: Mask
    matched: bool


def motion(frame: Frame, later: Frame) -> Motion:
    """Return the motion between two frames of the content."""
    there, back = flow.optical_flow(frame, later), flow.optical_flow(later, frame)
    mask = np.asarray(flow.reliable(there, back))
    candidate = Motion(there, mask, float(np.mean(mask)) >= _LEAST_RELIABLE)
    if not candidate.matched:
        return candidate
    variance = np.var(frame / 255, axis=(0, 1)).mean() + np.var(later / 255, axis=(0, 1)).mean()
    most = max(_MOST_DIFFERENCE * float(variance), _NOISE)
    return candidate._replace(matched=warping(frame, later, candidate) <= most)


def warping(frame: Frame, later: Frame, content: Motion) -> float:
    """Return E_warp = Σ M (V_t − V̂_t+1)² / Σ M, of values in [0, 1]; V̂ is the later frame warped to the frame.

    It is the mean over the three channels, where Lai et al. have the sum.
    """
    warped = flow.warped(later.astype(np.float32) / 255, content.flow)
    squares = np.mean(
        np.square(frame.astype(np.float32) / 255 - np.asarray(warped)), axis=2, dtype=np.float64
    )
    return float(np.sum(content.mask * squares) / np.sum(content.mask))


def flow_difference(frame: Frame, later: Frame, content: Motion) -> float:
    """Return tOF: the mean over positions of ‖OF(frames) − OF(content)‖₁ in pixels.

    The flow is that of `nst.flow`, where Chu et al. have Farnebäck's.
    """
    difference = flow.optical_flow(frame, later) - np.asarray(content.flow)
    return float(np.mean(np.sum(np.abs(difference), axis=2), dtype=np.float64))
