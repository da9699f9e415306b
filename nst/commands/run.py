"""Turn a photograph and a painting into a stylized image.

nst run --config configs/gatys.py[:paper]
    --config.images.content=PATH --config.images.style=PATH   paths, folders, or names of samples
    --config.FIELD=VALUE                                      any field of docs/config.md or docs/audio.md
    --workdir DIR   --resume   --output FILE   --max_pixels N   --debug
    --plan                  say which sizes, how much memory and how many seconds a run takes here; nothing is written
    --force                 start even if memory is far too small
"""

from nst import cli

__all__ = ["main"]

main = cli.run
