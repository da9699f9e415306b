"""Images: read, write, resize, and the initial image of a run."""

from nst.images.alpha import ALPHA, flatten, product, split
from nst.images.arrays import ImageLike, as_image, check_array, eight_bits, warn_if_constant
from nst.images.initial import STARTS, initial
from nst.images.masks import as_mask, check_aspect, color_name, is_gray, labels
from nst.images.metadata import read_metadata
from nst.images.profiles import ImageWarning
from nst.images.read import MAX_PIXELS, each, list_images, read
from nst.images.resize import cover, fit, fit_size, resize, resize_mask
from nst.images.write import check_output, write

__all__ = [
    "ALPHA",
    "MAX_PIXELS",
    "STARTS",
    "ImageLike",
    "ImageWarning",
    "as_image",
    "as_mask",
    "check_array",
    "check_aspect",
    "check_output",
    "color_name",
    "cover",
    "each",
    "eight_bits",
    "fit",
    "fit_size",
    "flatten",
    "initial",
    "is_gray",
    "labels",
    "list_images",
    "product",
    "read",
    "read_metadata",
    "resize",
    "resize_mask",
    "split",
    "warn_if_constant",
    "write",
]
