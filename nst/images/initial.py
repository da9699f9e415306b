"""The image that the optimization starts from."""

import numpy as np
from jaxtyping import Float

from nst.images.arrays import ImageLike, as_image
from nst.images.read import MAX_PIXELS, list_images, read
from nst.images.resize import cover, resize
from nst.types import Array, Image

#: Initial images that are no file.
STARTS = ("content", "style", "noise", "gray")


def initial(
    kind: ImageLike,
    content: Image,
    style: Float[Array, "style_h style_w c"],
    *,
    seed: int,
    max_pixels: int = MAX_PIXELS,
    alpha: str = "flatten",
) -> np.ndarray:
    """Return the initial image, float32 `[h, w, 3]` in the size of `content`; values may lie outside [0, 1].

    Args:
      kind: `content`; `style`, cropped to the aspect of the content; `noise`, 0.5 + 0.1·N(0, 1); `gray`, the mean color
        of VGG's training images + 0.001·N(0, 1) / 255 (ProGamerGov, neural-style-pt); or an image as
        `as_image` takes it, which is resized (a file called noise is `./noise`).
      content: `[h, w, 3]`.
      style: `[h', w', 3]`.
      seed: Seed of the noise (NumPy's PCG64).
      max_pixels: As in `read`.
      alpha: As in `read`; where it is kept, transparent pixels of an image begin with the colors around them.

    Raises:
      InputError: `kind` is none of the above, or its image can't be read.
    """
    height, width = content.shape[:2]
    if not isinstance(kind, str):
        return resize(as_image("init", kind, alpha)[..., :3], height, width)
    match kind:
        case "content":
            return np.asarray(content, np.float32)
        case "style":
            return cover(style, height, width)
        case "noise":
            return 0.5 + 0.1 * _normal(content.shape, seed)
        case "gray":
            mean = np.array([123.68, 116.779, 103.939], np.float32)  # RGB
            return (mean + 0.001 * _normal(content.shape, seed)) / 255
        case _:
            image = read(list_images(kind, STARTS)[0], max_pixels=max_pixels, alpha=alpha)
            return resize(image[..., :3], height, width)


def _normal(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(shape, np.float32)
