"""Metrics of faults in the finest detail, which the metrics of features hardly show: a mesh, a grid, missing detail.

All are of luminance in float64, of images in [0, 1]. Their expectations do not depend on the size of an image.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from nst.metrics.content import LUMINANCE
from nst.types import Image

#: Variance of the error of rounding to 8 bits: detail as faint as this counts as none.
ROUNDING = 1 / 255**2 / 12

_MESH_WINDOW, _MESH_STEP = 16, 4  # pixels
_MESH_BAND = (0.2, 0.36)  # cycles a pixel: periods of 5 to 2.8 pixels, where a mesh shows
_FAINT = 1 / 255**2  # variance of a step of 8 bits: a mesh fainter than this is invisible

_PHASES = (2, 4, 8)  # strides of one, two and three poolings
_PHASE_BLOCK = 16  # pixels; a multiple of all phases, and at most the side of the smallest image

_SPECTRUM_WINDOW = 64  # pixels; four octaves


def luminance(image: Image) -> Float[np.ndarray, "h w"]:
    """Return the luminance of sRGB-encoded values (luma), in [0, 1]."""
    return np.asarray(image, np.float64) @ LUMINANCE


def mesh(image: Float[np.ndarray, "h w"], style: Float[np.ndarray, "k l"]) -> float:
    """Return by how much more fine lines cross at right angles than in the style: max(0, X − X′).

    X is the mean over windows of 16 pixels of √(H V) / (E + 1/255²). E is the mean power at periods of 2.8 to 5 pixels,
    H and V that of horizontal and of vertical waves (weighted by cos² 2θ within 45° of the axis). Long strokes have
    either H or V in a window, so the product is small. A maze of lines in all directions has both, and so has the net
    of cells that Gram matrices leave, which has no diagonals. The mean is over ratios, not over powers, so that houses,
    whose windows are few and strong, count as much as a sky of the same size.

    Our own metric, made by eye: in images that voters called a mesh, most power at these periods lies along both axes.
    Neither radial spectra nor phases modulo the strides of pooling (`grid`) show it, nor does the coherence of the
    structure tensor. Windows and periods are in pixels, as the mesh is.
    """
    return float(np.maximum(_crossing(image) - _crossing(style), 0))  # unlike max, keeps NaN


def _crossing(y: Float[np.ndarray, "h w"]) -> float:
    fy, fx = np.fft.fftfreq(_MESH_WINDOW)[:, None], np.fft.rfftfreq(_MESH_WINDOW)
    f, theta = np.hypot(fy, fx), np.arctan2(fy, fx)
    low, high = _MESH_BAND
    # Half the plane is enough for real values: waves count twice, except at f_x = 0, which has both mirror images.
    band = ((f >= low) & (f < high)) * np.where(fx > 0, 2.0, 1.0)
    horizontal, vertical = (band * np.square(np.maximum(sign * np.cos(2 * theta), 0)) for sign in (1, -1))
    ratios = []
    for power in _powers(y, _MESH_WINDOW, _MESH_STEP):
        E, H, V = (np.tensordot(power, w / np.sum(w), 2) for w in (band, horizontal, vertical))
        ratios.append(np.sqrt(H * V) / (E + _FAINT))
    return float(np.mean(np.concatenate(ratios)))


def grid(image: Float[np.ndarray, "h w"]) -> float:
    """Return the relative variance of high-pass energy over pixel phases modulo 2, 4 and 8: the mean of the three.

    Pooling of stride 2 favors one pixel of four, and so on. Chance adds nothing in expectation: with R_bp the energy at
    phase p of block b minus the mean of the block, the variance is the mean over p and over pairs b ≠ c of R_bp R_cp,
    divided by the square of the mean energy (squares, b = c, would include the noise). So it may be below 0. A pattern
    modulo 2 counts in all three. The high-pass is a pixel minus the mean of its four neighbors.

    0.0075 means that pixels of one phase have 9 % (its root) more or less energy than others. Our own metric.
    """
    padded = np.pad(image, 1, mode="reflect")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    energy = np.square(image - around / 4)
    return float(np.mean([_between_phases(energy, phases) for phases in _PHASES]))


def _between_phases(energy: Float[np.ndarray, "h w"], phases: int) -> float:
    """Return the relative variance between phases; 0 for a single block, which has no pairs."""
    side = _PHASE_BLOCK if min(energy.shape) >= 2 * _PHASE_BLOCK else max(_PHASES)
    height, width = (size // side for size in energy.shape)
    cut = energy[: height * side, : width * side]
    split = cut.reshape(height, side // phases, phases, width, side // phases, phases)
    blocks = np.mean(split, axis=(1, 4)).transpose(0, 2, 1, 3).reshape(height * width, phases**2)
    R = blocks - np.mean(blocks, axis=1, keepdims=True)
    pairs = len(R) * (len(R) - 1)
    if not pairs:
        return 0.0
    products = np.sum(np.square(np.sum(R, axis=0))) - np.sum(np.square(R))
    return float(products / pairs / phases**2 / np.square(np.mean(blocks) + ROUNDING))


def spectrum(image: Float[np.ndarray, "h w"], style: Float[np.ndarray, "k l"]) -> float:
    """Return the mean over octaves of |mean of log₂ P − log₂ P′| of radially averaged power spectra.

    Spectra are compared at the same periods in pixels, in octaves from 2 pixels on: four up to 32 pixels, fewer in
    images under 64 pixels. They are means over half overlapping Hann windows, 64 pixels wide, so that borders don't
    count (Welch 1967). A result with half the style's power at every period has a distance of 1. Detail as faint as the
    rounding to 8 bits counts as none.
    """
    window = min(_SPECTRUM_WINDOW, 2 ** int(np.log2(min(*image.shape, *style.shape))))
    apart = np.log2(_radial(image, window)) - np.log2(_radial(style, window))
    # The lowest frequency of each octave, in cycles per window.
    octaves = [window // 2**n for n in range(2, 6) if window // 2**n > 1]
    return float(np.mean([abs(np.mean(apart[lowest : 2 * lowest])) for lowest in octaves]))


def _radial(y: Float[np.ndarray, "h w"], window: int) -> Float[np.ndarray, " k"]:
    """Return mean power at whole frequencies, in cycles per window; white noise of variance 1 has 1 everywhere."""
    total, count = np.zeros((window, window // 2 + 1)), 0
    for power in _powers(y, window, window // 2):
        total, count = total + np.sum(power, axis=0), count + len(power)
    fy, fx = np.fft.fftfreq(window, 1 / window)[:, None], np.fft.rfftfreq(window, 1 / window)
    ring = np.rint(np.hypot(fy, fx)).astype(int).ravel()
    weight = np.broadcast_to(np.where(fx > 0, 2.0, 1.0), total.shape).ravel()
    means = np.bincount(ring, weight * total.ravel() / count) / np.bincount(ring, weight)
    return means[: window // 2] + ROUNDING


def _powers(y: Float[np.ndarray, "h w"], window: int, step: int) -> Iterator[Float[np.ndarray, "n window k"]]:
    """Yield the power spectra of the windows of an image, one row of windows at a time.

    A spectrum has half the frequency plane. The mean of a window is subtracted and a Hann taper applied; white noise of
    variance 1 has 1 everywhere. One row at a time, so that memory does not grow with the height.
    """
    hann = np.hanning(window + 1)[:-1]
    taper = np.outer(hann, hann) / np.sum(np.square(hann))
    for row in np.lib.stride_tricks.sliding_window_view(y, (window, window))[::step, ::step]:
        flat = row - np.mean(row, axis=(1, 2), keepdims=True)
        yield np.square(np.abs(np.fft.rfft2(flat * taper)))
