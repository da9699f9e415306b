"""A style for each region, and a face that stays as it is (Gatys et al., Controlling Perceptual Factors, CVPR 2017).

    python scripts/run.py --config configs/regions.py
    python scripts/run.py --config configs/regions.py --config.images.content=PATH --config.images.content_mask=PATH
        --config.images.style=PATH,PATH --config.images.regions=red,blue --config.images.keep=white

The spacesuit gets the first style, what is behind it the second one, and the face is that of the photograph. The mask
has the shape of the photograph and a flat color for each region; `nst mask IMAGE` proposes one. 512 pixels, under five
minutes on two CPU cores.
"""

from pathlib import Path

from ml_collections import ConfigDict

from nst.config.file import load_file


def get_config() -> ConfigDict:
    """Return `configs/wasserstein.py` with two styles and a face that is kept."""
    config = load_file(Path(__file__).with_name("wasserstein.py")).get_config()
    config.images.content = "astronaut"
    config.images.style = "panes,strokes"
    config.images.content_mask = str(Path(__file__).parent / "masks" / "astronaut.png")
    config.images.regions = ("red", "blue")
    config.images.keep = "white"
    return config
