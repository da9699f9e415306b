"""Data sets of pictures: list those that are here, prepare one, or add a folder of yours as one.

python scripts/data.py list
python scripts/data.py prepare nst_photos nst_paintings
python scripts/data.py add NAME FOLDER

prepare also takes names of tensorflow-datasets. In a config a set stands in place of a picture: tfds:nst_photos/train
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from nst import cli, data
from nst.errors import InputError


def main(arguments: Sequence[str]) -> None:
    match list(arguments):
        case ["list"]:
            Console().print(_table())
        case ["prepare", *names] if names:
            for name in names:
                print(data.prepare(name))
        case ["add", name, folder]:
            print(data.add(name, Path(folder)))
        case _:
            raise InputError(
                f"{' '.join(arguments) or 'no command'}: give list, prepare NAME or add NAME FOLDER"
            )


def _table() -> Table:
    table = Table("set", "pictures")
    table.add_column("where", overflow="fold")
    for name, count, where in data.available():
        table.add_row(name, str(count), str(where))
    return table


if __name__ == "__main__":
    cli.main(main, usage=__doc__ or "")
