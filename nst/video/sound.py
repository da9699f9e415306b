"""The sound of clips: copied packet by packet, encoded again, or decoded to samples."""

import contextlib
import itertools
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst import audio
from nst.errors import InputError
from nst.images import MAX_PIXELS
from nst.types import Audio
from nst.video import packages
from nst.video.clip import Number, VideoWarning, seconds
from nst.video.container import describe, opened
from nst.video.read import find

_PCM = {f"pcm_{kind}" for kind in ("u8", "s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "f32le")}

#: The codecs whose packets are copied, by the extension of the output; others are encoded again.
COPIED = {
    ".mp4": {"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"},
    ".mov": {"aac", "mp3", "ac3", "eac3", "alac", *_PCM},
    ".mkv": {"aac", "mp3", "ac3", "eac3", "opus", "flac", "vorbis", *_PCM},
    ".webm": {"opus", "vorbis"},
}

_AAC_RATES = {8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000}
_OPUS_RATES = {48_000}
_BITS_PER_SECOND = 192_000
_BLOCK = 2**16  # samples

_Packets = Iterator[Any]


class Sound(NamedTuple):
    """All audio tracks of a clip, to be copied.

    Attributes:
      path: A file, or the name of a sample; a clip without sound adds none.
      start: The time in the clip that becomes 0, seconds from its first frame.
      end: The time in the clip where the sound ends; None for all of it.
    """

    path: str | Path
    start: Number = 0
    end: Number | None = None


@contextlib.contextmanager
def added(container: Any, suffix: str, sound: Sound | Audio) -> Iterator[_Packets]:
    """Add the tracks of a sound to an output container of PyAV, and yield its packets in the order of time.

    Args:
      container: The output, to which nothing has been written.
      suffix: The extension of its file, which decides what is copied.
      sound: A clip's sound, or samples.
    """
    if isinstance(sound, Audio):
        yield _encoded_samples(_new_track(container, suffix, sound.rate, sound.samples.shape[1]), sound)
        return
    path = find(sound.path)
    if path.is_dir():
        yield iter(())
        return
    first, start = describe(path, MAX_PIXELS).start, seconds(sound.start)
    length = None if sound.end is None else seconds(sound.end) - start
    with opened(path) as source:
        tracks = {stream.index: _track(path, container, suffix, stream) for stream in source.streams.audio}
        yield _shifted(source, tracks, first, start, length) if tracks else iter(())


def sound_of(
    path: str | Path,
    rate: int | None = None,
    *,
    start: Number = 0,
    end: Number | None = None,
) -> Audio:
    """Decode the first audio track of a clip to samples; more than two channels are mixed to stereo.

    Sample 0 is at `start`: sound that begins later is preceded by silence.

    Args:
      path: A file, or the name of a sample.
      rate: Sampling rate to resample to, Hz; by default that of the track.
      start: Seconds from the first frame of the clip.
      end: Likewise, where the samples end; None for all of them.

    Raises:
      InputError: The clip can't be read, or has no sound.

    Example:
      >>> samples, rate = nst.video.sound_of("pan", 22_050)
      >>> samples.shape[1], rate
      (1, 22050)
    """
    place = find(path)
    clip = None if place.is_dir() else describe(place, MAX_PIXELS)
    if clip is None or not clip.sound:
        raise InputError(f"{place} has no sound: choose another clip")
    with opened(place) as container:
        samples, native, first = _decoded(place, container)
    shift = round((first - clip.start - seconds(start)) * native)
    samples = samples[-shift:] if shift < 0 else np.pad(samples, [(shift, 0), (0, 0)])
    if end is not None:
        samples = samples[: round((seconds(end) - seconds(start)) * native)]
    if not len(samples):
        raise InputError(f"{place} has no sound from {float(start):g} s on: choose an earlier start")
    decoded = Audio(np.ascontiguousarray(samples), native)
    return decoded if rate is None else audio.resample(decoded, rate)


def _decoded(path: Path, container: Any) -> tuple[np.ndarray, int, Fraction]:
    """Return all samples of the first track, their rate, and the time of the first one."""
    av = packages.av()
    stream = container.streams.audio[0]
    layout = "mono" if stream.codec_context.channels == 1 else "stereo"
    resampler = av.AudioResampler("fltp", layout, stream.codec_context.sample_rate)
    blocks, first = [], None
    try:
        for frame in itertools.chain(container.decode(stream), [None]):
            if first is None and frame is not None:
                first = (frame.pts or 0) * frame.time_base
            blocks += [block.to_ndarray().T for block in resampler.resample(frame)]
    except av.FFmpegError as error:
        raise _damaged(path, error) from error
    if first is None or not blocks:
        raise InputError(f"{path}: its sound has no samples: choose another clip")
    return np.concatenate(blocks), stream.codec_context.sample_rate, first


def _track(path: Path, container: Any, suffix: str, stream: Any) -> Callable[[Any], list[Any]]:
    """Add one track to the output; return a function from a packet of the source to packets of the output."""
    context = stream.codec_context
    if context is not None and context.codec.canonical_name in COPIED[suffix]:
        track = container.add_stream_from_template(stream)
        track.metadata.update({"language": stream.language} if stream.language else {})

        def copy(packet: Any) -> list[Any]:
            packet.stream = track
            return [packet] if packet.size else []

        return copy
    name = "unknown" if context is None else context.codec.canonical_name
    if context is None:
        raise InputError(f"{path}: the codec of its sound is not known to FFmpeg: leave the sound out")
    track = _new_track(container, suffix, context.sample_rate, context.channels)
    warnings.warn(
        f"{path}: {name} sound does not fit into {suffix}: it is encoded as {track.codec_context.codec.canonical_name}",
        VideoWarning,
        stacklevel=2,
    )

    def encode(packet: Any) -> list[Any]:
        try:
            frames = packet.decode()
        except packages.av().FFmpegError as error:
            raise _damaged(path, error) from error
        packets = [encoded for frame in frames for encoded in track.encode(frame)]
        return packets if packet.size else packets + track.encode(None)

    return encode


def _damaged(path: Path, error: Any) -> InputError:
    return InputError(
        f"{path}: its sound is damaged ({error.strerror}): leave it out, or export the clip again"
    )


def _new_track(container: Any, suffix: str, rate: int, channels: int) -> Any:
    codec, rates = ("libopus", _OPUS_RATES) if suffix == ".webm" else ("aac", _AAC_RATES)
    track = container.add_stream(codec, rate=rate if rate in rates else 48_000)
    track.codec_context.layout = "mono" if channels == 1 else "stereo"
    track.codec_context.bit_rate = _BITS_PER_SECOND
    track.codec_context.thread_count = 1
    return track


def _shifted(
    source: Any, tracks: dict[int, Callable], first: Fraction, start: Fraction, length: Fraction | None
) -> _Packets:
    """Yield the packets of the output for a part of the source, whose start becomes 0.

    Sound that begins before the first picture, as that of AAC does, is cut only where a later start cuts the picture.

    Args:
      source: The container to read.
      tracks: For each stream of sound, a function from its packets to those of the output.
      first: Time stamp of the first picture, seconds.
      start: The start of the part, seconds from `first`.
      length: Seconds; None for all the rest.
    """
    for packet in source.demux(source.streams.audio):
        if packet.pts is not None:
            time = packet.pts * packet.time_base - first - start
            duration = (packet.duration or 0) * packet.time_base
            if (start > 0 and time + duration <= 0) or (length is not None and time >= length):
                continue
            shift = round((first + start) / packet.time_base)
            packet.pts -= shift
            packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        yield from tracks[packet.stream.index](packet)


def _encoded_samples(track: Any, sound: Audio) -> _Packets:
    av = packages.av()
    layout = track.codec_context.layout.name
    for start in range(0, len(sound.samples), _BLOCK):
        block = np.ascontiguousarray(sound.samples[start : start + _BLOCK].T, np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
        frame.rate, frame.pts, frame.time_base = sound.rate, start, Fraction(1, sound.rate)
        yield from track.encode(frame)
    yield from track.encode(None)
