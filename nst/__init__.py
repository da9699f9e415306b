"""Neural style transfer for research, in JAX."""

import gc
import os

# Read once, when jaxlib is imported. XLA up to that of jax 0.10 prints kilobytes for each program that it loads from
# the compilation cache of a processor with AVX-512, over a tuning preference; its real errors are raised as well.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# What is imported stays: walking it again and again, in search of garbage, takes a tenth of a second of an import.
_collecting = gc.isenabled()
gc.disable()
try:
    from nst import audio, features, images, sounds
    from nst.stylize import stylize
finally:
    if _collecting:
        gc.enable()

__all__ = ["audio", "features", "images", "sounds", "stylize"]
