"""Definitions of the metrics of audio."""

from nst.metrics.audio.heard import BANDS, CONTEXT
from nst.metrics.audio.silence import NONE, SILENT
from nst.metrics.definitions import Metric

#: All metrics of audio, by name; no metric of images has the same name.
AUDIO_METRICS: dict[str, Metric] = {
    "style_texture": Metric(
        f"‖Σ − Σ′‖² / (‖Σ‖² + ‖Σ′‖² + ‖I‖²) of covariances over time of the levels of {BANDS} mel bands in {CONTEXT} "
        "consecutive frames (0.23 s), I = 1 dB²",
        "after Gatys et al. 2016, eq. 4; McDermott and Simoncelli 2011",
        "lower",
        "[0, 1]",
        "content",
    ),
    "style_mel": Metric(
        "root mean square over mel bands of the differences in mean and deviation over time of the level, dB",
        "after Huang and Belongie 2017, eq. 13",
        "lower",
        "[0, ∞)",
        "content",
    ),
    "style_mfcc": Metric(
        "1 − cosine of the means over time of mel-frequency cepstral coefficients 1 to 12",
        "Davis and Mermelstein 1980; after Cífka et al. 2021",
        "lower",
        "[0, 2]",
        "content",
    ),
    "content_lsd": Metric(
        "root mean square difference in the level of mel bands, mean over frames, dB",
        "after Gray and Markel 1976",
        "lower",
        "[0, ∞)",
        "style",
    ),
    "pitch_jaccard": Metric(
        "Jaccard index of the pitches (semitones) that sound in each frame: Σ shared / Σ all, over frames",
        "after Cífka et al. 2021; pitches after Klapuri 2006",
        "higher",
        "[0, 1]",
        "style",
    ),
    "chroma_cosine": Metric(
        "cosine of the powers of the twelve pitch classes, mean over frames weighted by the content's amplitude",
        "the chroma of Ellis 2007",
        "higher",
        "[0, 1]",
        "style",
    ),
    "envelope": Metric(
        "correlation of the root mean squares of frames",
        "ours",
        "higher",
        "[−1, 1]",
        "style",
    ),
    "floor": Metric(
        f"mean power at frequencies and times at which content and style are silent (under −{-SILENT} dB), dB; white "
        "noise as loud as the audio has 0",
        "ours",
        "lower",
        f"[−{-NONE}, ∞)",
        "",
    ),
}
