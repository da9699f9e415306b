"""Neural style transfer for research, in JAX."""

import os

# Read once, when jaxlib is imported. XLA up to that of jax 0.10 prints kilobytes for each program that it loads from
# the compilation cache of a processor with AVX-512, over a tuning preference; its real errors are raised as well.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from nst import audio, features, images, sounds
from nst.stylize import stylize

__all__ = ["audio", "features", "images", "sounds", "stylize"]
