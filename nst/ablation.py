"""What ablations have in common: the default over photographs and paintings, so that their answers have spreads."""

from ml_collections import ConfigDict

from nst.config import base
from nst.errors import unknown


def ablation(variant: str, file: str) -> ConfigDict:
    """The default on five photographs and three paintings; `quick` on two and two, 60 steps at 128 pixels alone.

    Args:
      variant: Empty, or `quick`.
      file: The config's, for the message.

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
