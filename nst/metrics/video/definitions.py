"""Definitions of the metrics of video over time."""

from nst.metrics.definitions import Metric
from nst.metrics.video.brightness import FASTEST, GRID, PART
from nst.metrics.video.motion import APART

#: All metrics of video over time, by name; single frames have the metrics of images.
VIDEO_METRICS: dict[str, Metric] = {
    "warping": Metric(
        "squared difference of a frame to the next one warped along the content's flow, mean over channels, reliable "
        "positions and frames",
        "after Lai et al. 2018",
        "lower",
        "[0, 1]",
        "",
    ),
    "warping_long": Metric(
        f"the same for frames {APART} apart, or the first and the last one of a shorter scene",
        "after Lai et al. 2018",
        "lower",
        "[0, 1]",
        "",
    ),
    "tof": Metric(
        "‖w − w′‖₁ of the flow to the next frame and that of the content, pixels, mean over positions and frames",
        "Chu et al. 2020, tOF",
        "lower",
        "[0, ∞)",
        "",
    ),
    "flicker": Metric(
        f"root mean square of the brightness of {GRID}×{GRID} blocks at {FASTEST} Hz and more, minus the content's",
        "after Welch 1967",
        "lower",
        "[−½, ½]",
        "",
    ),
    "drift_brightness": Metric(
        f"size of the change of mean L* from the first {PART} frames to the last (at most a quarter of all), minus "
        "that of the content's",
        "ours",
        "lower",
        "[−100, 100]",
        "",
    ),
    "drift_contrast": Metric(
        "the same for the standard deviation of L*",
        "ours",
        "lower",
        "[−50, 50]",
        "",
    ),
    "drift_palette": Metric(
        "`palette` of the last frames to the first ones, minus the content's, ΔE*ab",
        "Bonneel et al. 2015",
        "lower",
        "(−∞, ∞)",
        "",
    ),
}
