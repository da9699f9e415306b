from fractions import Fraction

import av
import numpy as np
import pytest


def picture(number, height, width):
    """A smooth image that moves, so that a lossy codec keeps it within a few levels."""
    y, x = np.mgrid[:height, :width] / 16
    waves = [np.sin(x + number / 4), np.cos(y - number / 5), np.sin((x + y) / 2 + number / 6)]
    return np.rint(127.5 + 90 * np.stack(waves, axis=2)).astype(np.uint8)


def _sound(track, number, samples=2000):
    t = np.arange(number * samples, (number + 1) * samples) / 48_000
    wave = 0.2 * np.sin(2 * np.pi * 440 * t).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
    frame.rate, frame.pts, frame.time_base = 48_000, number * samples, Fraction(1, 48_000)
    return track.encode(frame)


@pytest.fixture(scope="session")
def make():
    """`make(path, …)` writes a clip by PyAV alone and returns its images."""

    def make(
        path,
        codec="libx264",
        images=None,
        times=None,
        size=(48, 64),
        pix_fmt="yuv420p",
        options=None,
        sound=(),
        rotation=None,
        aspect=None,
        tags=None,
        delay=0,
        container_options=None,
    ):
        images = [picture(i, *size) for i in range(24)] if images is None else images
        times = [Fraction(i, 24) for i in range(len(images))] if times is None else times
        base = Fraction(1, 24_000)
        options = {"crf": "10", "preset": "veryfast"} if options is None and codec == "libx264" else options
        with av.open(str(path), "w", container_options=container_options or {}) as container:
            rate = Fraction(24)
            stream = container.add_stream(codec, rate=rate, options=options or {})
            first = images[0]
            drawn = isinstance(first, np.ndarray)
            stream.height, stream.width = first.shape[:2] if drawn else (first.height, first.width)
            stream.pix_fmt = pix_fmt
            context = stream.codec_context
            context.time_base = 1 / rate if path.suffix == ".avi" else base  # AVI has no other
            if aspect:
                context.sample_aspect_ratio = aspect
            if rotation is not None:
                stream.set_display_rotation(*rotation)
            for name, value in (tags or {}).items():
                setattr(context, name, value)
            tracks = [container.add_stream(name, rate=48_000) for name in sound]
            for track in tracks:
                track.codec_context.layout = "stereo"
            for number, (image, time) in enumerate(zip(images, times, strict=True)):
                frame = image if isinstance(image, av.VideoFrame) else None
                if frame is None:
                    alpha = image.shape[2] == 4
                    frame = av.VideoFrame.from_ndarray(image, format="rgba" if alpha else "rgb24")
                    frame = frame.reformat(format=pix_fmt, dst_colorspace="ITU601", dst_color_range="MPEG")
                frame.pts, frame.time_base = round((time + delay) / context.time_base), context.time_base
                container.mux(stream.encode(frame))
                for track in tracks:
                    container.mux(_sound(track, number))
            for one in (stream, *tracks):
                container.mux(one.encode(None))
        return images

    return make


@pytest.fixture(scope="session")
def clips(make, tmp_path_factory):
    """Clips of 24 frames with sound, by extension."""
    folder = tmp_path_factory.mktemp("clips")
    kinds = {
        ".mp4": ("libx264", "aac"),
        ".mov": ("libx264", "pcm_s16le"),
        ".mkv": ("libx264", "flac"),
        ".webm": ("libvpx-vp9", "libopus"),
        ".avi": ("ffv1", "pcm_s16le"),
        ".ts": ("libx264", "aac"),
    }
    for suffix, (codec, sound) in kinds.items():
        faststart = {"movflags": "+faststart"} if suffix == ".mp4" else {}
        make(folder / f"a{suffix}", codec, sound=(sound,), container_options=faststart)
    return {suffix: folder / f"a{suffix}" for suffix in kinds}
