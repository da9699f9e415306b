"""Neural style transfer for research, in JAX."""

from nst import features, images
from nst.stylize import stylize

__all__ = ["features", "images", "stylize"]
