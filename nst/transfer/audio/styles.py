"""The styles of a transfer of audio: as people give them, and the unit of each frequency that they lead to."""

from collections.abc import Sequence

from nst.audio import AudioLike, as_audio
from nst.config import check
from nst.errors import InputError
from nst.transfer.audio.features import AudioFeatures
from nst.transfer.audio.spectrogram import Samples
from nst.transfer.styles import each_style
from nst.types import Style


def as_styles(style: AudioLike | Style | Sequence[AudioLike | Style], rate: int) -> list[Style]:
    """Return the styles of a transfer with their samples `[n, channels]` as `image`.

    Args:
      style: Audio in the forms of `nst.audio.as_audio`, a `Style` of it with a weight, or several of these.
      rate: Sampling rate, Hz.

    Raises:
      InputError: Audio or a weight can't be used, or a style has a scale or a mask.
    """
    return each_style(style, lambda own, name: _as_style(own, name, rate))


def _as_style(own: Style, name: str, rate: int) -> Style:
    of_images = {"scale": own.scale != 1, "mask": own.mask is not None}
    of_images |= {"content mask": own.content_mask is not None}
    for what, is_set in of_images.items():
        if is_set:
            raise InputError(f"{name} has a {what}, which is for images: leave it out")
    check("audio.style_weights", (own.weight,), "audio", label=f"the weight of {name}")
    return Style(as_audio(name, own.image, rate), own.weight)


def in_units(
    extractor: AudioFeatures, content: Samples, styles: Sequence[Style], initial: Samples
) -> AudioFeatures:
    """Return the extractor with `AudioFeatures.scaled` of all audio that the result may resemble.

    A style of weight 0 does not count: no frequency is heard that it alone has.
    """
    used = [style.image for style in styles if style.weight]
    return extractor.scaled(content, *used, initial)
