"""Reading of images, from a path or the name of a sample to an upright sRGB array."""

import warnings
from collections.abc import Collection
from pathlib import Path

import numpy as np

from nst import inputs
from nst.images import samples, sets
from nst.images.alpha import with_alpha
from nst.images.decode import decode
from nst.images.decoded import Decoded
from nst.images.formats import SUPPORTED
from nst.images.profiles import ImageWarning, to_srgb

#: The largest image that is read by default, in pixels of 12 bytes: large photographs have 100 million.
MAX_PIXELS = 200_000_000

_EXTENSIONS = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif", ".heic", ".heif"}
_KIND = inputs.Kind("image", _EXTENSIONS, SUPPORTED, samples.NAMES, samples.locate)

#: For each EXIF orientation: whether to transpose, then the steps along height and width (TIFF 6.0, page 36).
_ORIENTATIONS = {
    1: (False, 1, 1),
    2: (False, 1, -1),
    3: (False, -1, -1),
    4: (False, -1, 1),
    5: (True, 1, 1),
    6: (True, 1, -1),
    7: (True, -1, -1),
    8: (True, -1, 1),
}


def read(name: str | Path, *, max_pixels: int = MAX_PIXELS, alpha: str = "flatten") -> np.ndarray:
    """Read an image as float32 `[h, w, 3]`, RGB, sRGB-encoded, in [0, 1]; `[h, w, 4]` if it has alpha, which is kept.

    The image is turned upright by its EXIF orientation, converted to sRGB by its ICC profile (images without one
    are taken as sRGB), and, where it is transparent, composed on white, in sRGB values as browsers do, or filled with
    the colors around. Of an animation the first frame is read, with an `ImageWarning`.

    Args:
      name: The name of a sample, a path (`./coffee` or a `Path` if it is also the name of a sample), or
        an image of a data set, `tfds:NAME/SPLIT#2`.
      max_pixels: The largest image to decode, height × width.
      alpha: `flatten`, or `keep` for an image with its alpha channel, where it has one, as the last one.

    Raises:
      InputError: There is no such image, it can't be read completely, or alpha is kept and 0 everywhere.

    Example:
      >>> nst.images.read("coffee").shape
      (400, 600, 3)
    """
    path = _find(name)
    return with_alpha(str(path), upright_srgb(decode(path, max_pixels), str(path)), alpha)


def upright_srgb(decoded: Decoded, name: str) -> np.ndarray:
    """Return a decoded image as float32, upright, in sRGB, `[h, w, 4]` if it has alpha; `name` is for messages."""
    if decoded.several:
        warnings.warn(f"{name} has several frames or pages: the first is read", ImageWarning, stacklevel=3)
    image = to_srgb(decoded.color, decoded.space, decoded.profile, name)
    if decoded.alpha is not None:
        image = np.concatenate([image, decoded.alpha[..., None]], axis=-1)
    return np.ascontiguousarray(_upright(image, decoded.orientation))


def each(name: str) -> list[str]:
    """Return the config values of single images: those in a data set or a folder, or the name of one image.

    Raises:
      InputError: As in `list_images`.
    """
    if sets.is_named(name):
        return sets.members(name)
    return [*map(str, list_images(name))] if inputs.is_folder(name, _KIND) else [name]


def list_images(path: str | Path, words: Collection[str] = ()) -> list[Path]:
    """Return the paths of the images in a folder (sorted by name, without subfolders) or a data set, or of one image.

    Raises:
      InputError: There is no such file, folder, sample or data set, or the folder has no image.
    """
    if sets.is_named(path):
        return [sets.locate(member) for member in sets.members(str(path))]
    return inputs.find_all(path, _KIND._replace(words=words))


def _find(name: str | Path) -> Path:
    return sets.locate(str(name)) if sets.is_named(name) else inputs.find(name, _KIND)


def _upright(image: np.ndarray, orientation: int) -> np.ndarray:
    transpose, rows, columns = _ORIENTATIONS[orientation]
    return (image.swapaxes(0, 1) if transpose else image)[::rows, ::columns]
