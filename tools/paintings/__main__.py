"""Draw all paintings to a folder: `python -m tools.paintings FOLDER`. Each takes about 20 seconds."""

import argparse
from pathlib import Path

from tools.paintings import PAINTINGS, save

parser = argparse.ArgumentParser(prog="python -m tools.paintings", description=__doc__)
parser.add_argument("folder", type=Path, help="folder for the paintings; existing files are replaced")
folder = parser.parse_args().folder
for name in PAINTINGS:
    print(save(name, folder))
