"""Data sets of images: list the available ones, prepare one, or make one from a folder of images.

python scripts/data.py list
python scripts/data.py prepare nst_photos nst_paintings   # or a name of tensorflow-datasets
python scripts/data.py add NAME FOLDER

In a config, a data set stands in place of an image: tfds:nst_photos/train
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from nst import cli, data
from nst.errors import InputError


def main(arguments: Sequence[str]) -> None:
    match list(arguments):
        case ["list"]:
            table = Table("set", "images", Column("path", overflow="fold"))
            for row in data.available():
                table.add_row(*map(str, row))
            Console().print(table)
        case ["prepare", *names] if names:
            for name in names:
                print(data.prepare(name))
        case ["add", name, folder]:
            print(data.add(name, Path(folder)))
        case _:
            raise InputError(f"{' '.join(arguments)!r}: give list, prepare NAME or add NAME FOLDER")


if __name__ == "__main__":
    cli.main(main, usage=__doc__ or "")
