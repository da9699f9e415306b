"""Make the animation in README of a run of video: content and result, one above the other.

python tools/animation.py RUN FILE
    RUN is the directory of a finished run; FILE is the animated WebP to write.
"""

import sys
from pathlib import Path

import numpy as np
import PIL.Image

from nst import video

_WIDTH = 320


def main(run: Path, animation: Path) -> None:
    """Write the animation, with the times of the result."""
    pairs = zip(*(video.read(run / f"{name}.mp4") for name in ("content", "video")), strict=True)
    frames, milliseconds = [], []
    for content, result in pairs:
        frame = PIL.Image.fromarray(np.concatenate([content.image, result.image]))
        frames.append(frame.resize((_WIDTH, round(frame.height * _WIDTH / frame.width))))
        milliseconds.append(round(1000 * result.duration) if result.duration else 40)
    first, *rest = frames
    first.save(
        animation, save_all=True, append_images=rest, duration=milliseconds, loop=0, quality=70, method=6
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
