"""Data sets of images: list the available ones, prepare one, or make one from a folder of images.

nst data list
nst data prepare nst_photos nst_paintings   # or a name of tensorflow-datasets
nst data add NAME FOLDER

In a config, a data set stands in place of an image: tfds:nst_photos/train
"""

from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from nst import data
from nst.arguments import Parser


def show() -> None:
    table = Table("set", "images", Column("path", overflow="fold"))
    for row in data.available():
        table.add_row(*map(str, row))
    Console().print(table)


def prepare(names: list[str]) -> None:
    for name in names:
        print(data.prepare(name))


def add(name: str, folder: Path) -> None:
    print(data.add(name, folder))


parser = Parser(prog="nst data", description=__doc__)
parser.add_command("list", show, "list the data sets that are available")
command = parser.add_command("prepare", prepare, "make or fetch data sets")
command.add_argument("names", metavar="NAME", nargs="+")
command = parser.add_command("add", add, "make a data set of the images in a folder")
command.add_argument("name", metavar="NAME")
command.add_argument("folder", metavar="FOLDER", type=Path)
