"""The definition of each metric of images."""

from typing import NamedTuple

from nst.metrics.paint import BLOCK
from nst.metrics.style import DIRECTIONS

#: The names of the baselines.
BASELINES = ("content", "style")

COSINE_LAYER, CFSD_LAYER = "relu4_2", "relu3_1"
COVERAGE_LAYER = CFSD_LAYER


#: Metrics that compare a whole image with one style: left out where there are several styles, or masks.
WHOLE_IMAGE = ("mesh", "spectrum", "coverage")


class Metric(NamedTuple):
    """The definition of a metric, as the tables of reports and of docs/metrics.md show it."""

    what: str
    source: str
    better: str  # lower or higher
    range: str
    baseline: str  # the one that a result has to beat, as the other one is perfect; empty if there is none


_STYLE = {
    "gram": ("‖G − A‖² / ‖A‖² of Gram matrices over positions", "Gatys et al. 2016, eq. 4", "[0, ∞)"),
    "moments": (
        "(‖μ − μ′‖² + ‖σ − σ′‖²) / E‖f′‖² of channels' means and deviations",
        "Huang and Belongie 2017, eq. 13",
        "[0, ∞)",
    ),
    "wasserstein": (
        "W₂² / E‖f′‖² of Gaussians with the features' means and covariances",
        "Dowson and Landau 1982",
        "[0, ∞)",
    ),
    "sliced": (
        f"N · W₂² / E‖f′‖² of features projected on {DIRECTIONS} random directions",
        "Bonneel et al. 2015; Heitz et al. 2021",
        "[0, ∞)",
    ),
}

#: The two groups of style layers, by the suffix of their metrics' names.
PLACES = {"": "layers optimized", "_held_out": "layers held out"}

#: Every metric, by name.
METRICS: dict[str, Metric] = {
    f"style_{form}{place}": Metric(f"{what}, mean of the {layers}", source, "lower", range, "content")
    for form, (what, source, range) in _STYLE.items()
    for place, layers in PLACES.items()
} | {
    "content_cosine": Metric(
        f"mean cosine of the features at {COSINE_LAYER}",
        "the features of Gatys et al. 2016, section 2.1",
        "higher",
        "[0, 1]",
        "style",
    ),
    "ssim": Metric(
        "mean structural similarity of luminance, Gaussian window of 11 pixels",
        "Wang et al. 2004, eq. 13",
        "higher",
        "[−1, 1]",
        "style",
    ),
    "cfsd": Metric(
        f"KL divergence of softmaxed cosine self-similarities at {CFSD_LAYER}, mean over positions, nats",
        "after Chung, Hyun and Heo 2024",
        "lower",
        "[0, ½]",
        "style",
    ),
    "border": Metric(
        "step in mean color from the outermost strip (1/32 of the shorter side) to the next, minus the content's, "
        "root mean square over sides and channels",
        "ours",
        "lower",
        "[0, 2]",
        "",
    ),
    "tv": Metric(
        "squared differences to the right and below, summed over channels, per pixel",
        "Mahendran and Vedaldi 2015, β = 2",
        "lower",
        "[0, 6]",
        "",
    ),
    "mesh": Metric(
        "fine lines (periods of 3 to 5 pixels) that cross at right angles, in excess of the style: product of both "
        "amplitudes over power, mean over windows of 16 pixels",
        "ours",
        "lower",
        "[0, 2]",
        "",
    ),
    "grid": Metric(
        "relative variance of high-pass energy over pixel phases modulo 2, 4 and 8, minus its expectation by chance",
        "ours",
        "lower",
        "(−∞, 27]",
        "",
    ),
    "spectrum": Metric(
        "difference in log₂ power to the style, at the same periods in pixels, mean of absolute values over octaves",
        "after Welch 1967",
        "lower",
        "[0, ∞)",
        "content",
    ),
    "palette": Metric(
        "root of the sliced W₂² of colors in CIELAB to those of the style, ΔE*ab",
        "Bonneel et al. 2015",
        "lower",
        "[0, ∞)",
        "content",
    ),
    "coverage": Metric(
        f"share of blocks of {BLOCK} pixels that are not painted: their channel statistics at {COVERAGE_LAYER} are "
        "further from the style than half the content's distance, and than the style's own blocks on average",
        "ours",
        "lower",
        "[0, 1]",
        "",
    ),
}

#: Metrics of parts of an image that are the content itself, by name.
KEEP_METRICS = {
    "keep_difference": Metric(
        "largest difference to the content among the pixels that are kept, in sRGB values",
        "ours",
        "lower",
        "[0, 1]",
        "",
    ),
}
