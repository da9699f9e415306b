"""Images of audio: spectrograms on a mel scale, in decibels."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nst import files, images
from nst.audio import Audio, mel
from nst.transfer.audio.spectrogram import magnitudes, stft

_BANDS = 192
_RANGE = 80.0  # dB below the loudest
_WIDEST = 1024  # pixels: the frames of longer audio are averaged


def spectrogram(audio: Audio) -> np.ndarray:
    """Return the levels of the mid channel, `[bands, frames]`, low frequencies first.

    The loudest level is 1; levels of 80 dB below that, and less, are 0.
    """
    x = np.asarray(audio.samples, np.float32).mean(axis=1, keepdims=True).T
    transform = stft(2048, 512)
    bands = np.asarray(magnitudes(x, transform))[0] @ mel.filters(audio.rate, transform.bins, _BANDS)
    decibels = 20 * np.log10(np.maximum(bands, 1e-10))
    return np.clip(1 + (decibels - max(decibels.max(), -100.0)) / _RANGE, 0, 1).T


def write(path: Path, audio: Audio) -> None:
    """Write a spectrogram without axes, at most 1024 pixels wide."""
    from matplotlib import colormaps  # half a second to import

    levels = spectrogram(audio)
    width = min(_WIDEST, max(256, levels.shape[1]))
    image = colormaps["magma"](levels[::-1])[..., :3].astype(np.float32)
    images.write(path, np.clip(images.resize(image, _BANDS, width), 0, 1))


def write_sheet(path: Path, named: Sequence[tuple[str, Audio]]) -> None:
    """Write spectrograms side by side with axes, their widths in proportion to their durations."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, NullFormatter

    spectrograms = [spectrogram(audio) for _, audio in named]
    lengths = [max(0.2, len(audio.samples) / audio.rate) for _, audio in named]
    shares = np.maximum(lengths, max(lengths) / 3)
    figure = Figure(figsize=(12, 3.2), layout="constrained")
    grid = figure.subplots(1, len(named), width_ratios=[*shares], squeeze=False)[0]
    for axes, (name, audio), levels, length in zip(grid, named, spectrograms, lengths, strict=True):
        axes.imshow(
            levels,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=0,
            vmax=1,
            extent=(0, length, 0, _BANDS),
        )
        ticks = [hertz for hertz in (100, 500, 1000, 2000, 4000, 8000, 16_000) if hertz < audio.rate / 2]
        places = [_band(hertz, audio.rate) for hertz in ticks]
        axes.yaxis.set_major_locator(FixedLocator(places))
        axes.set_yticklabels([f"{hertz / 1000:g}" for hertz in ticks])
        axes.set(title=name, xlabel="s")
    for axes in grid[1:]:
        axes.yaxis.set_major_formatter(NullFormatter())
    grid[0].set_ylabel("kHz")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100, metadata={"Software": None})
    files.write_bytes(path, stream.getvalue())


def _band(hertz: float | int, rate: int) -> float:
    """Return the position of a frequency among the bands, counted from the lower edge."""
    return float(_BANDS * mel.mel(hertz) / mel.mel(rate / 2))
