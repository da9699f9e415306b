"""The base config of ablations: several photographs and paintings, so that each figure has a spread."""

from ml_collections import ConfigDict

from nst.config import base
from nst.errors import unknown


def ablation(variant: str, file: str) -> ConfigDict:
    """Return the default config on five photographs and three paintings.

    Args:
      variant: Empty, or `quick`: two photographs, two paintings, 60 steps at 128 pixels.
      file: The config file, for the error message.

    Raises:
      InputError: The variant is unknown.
    """
    config = base()
    config.images.content = "tfds:nst_photos/train"
    config.images.style = "tfds:nst_paintings/train"
    if variant == "quick":
        config.images.content += "[1:3]"  # chelsea, coffee
        config.images.style += "[1:]"  # panes, strokes
        config.images.size = 128
        config.optimizer.steps = 60
    elif variant:
        raise unknown(f"variant of {file}", variant, ["quick"])
    return config
