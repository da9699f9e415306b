"""Draw all paintings to a folder: `python -m nst.images.paintings FOLDER`, about 20 seconds each."""

import argparse
from pathlib import Path

from nst.images.paintings import PAINTINGS, save

parser = argparse.ArgumentParser(prog="python -m nst.images.paintings", description=__doc__)
parser.add_argument("folder", type=Path, help="where the pictures go; those there are replaced")
folder = parser.parse_args().folder
for name in PAINTINGS:
    print(save(name, folder))
