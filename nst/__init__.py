"""Neural style transfer for research, in JAX."""

import os

# This is read once, when jaxlib is imported. Up to jax 0.10, XLA logs kilobytes about tuning preferences for each
# program that it loads from the compilation cache on a processor with AVX-512. Its real errors are raised too.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from nst import audio, features, images
from nst.transfer.audio import stylize_audio
from nst.transfer.image import stylize

__all__ = ["audio", "features", "images", "stylize", "stylize_audio"]
