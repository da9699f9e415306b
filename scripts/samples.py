"""Sample images and audio: list them, or add the file of an image downloaded by other means.

python scripts/samples.py list
python scripts/samples.py add FILE
"""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from nst import cli
from nst.audio import samples as audio_samples
from nst.errors import InputError
from nst.images import samples


def main(arguments: Sequence[str]) -> None:
    match list(arguments):
        case ["list"]:
            Console().print(_table())
        case ["add", file]:
            print(samples.add(file))
        case _:
            raise InputError(f"{' '.join(arguments) or 'no command'}: give list, or add FILE")


def _table() -> Table:
    table = Table("name", "what", "credit")
    table.add_column("where", overflow="fold")
    for name, sample in samples.SAMPLES.items():
        path = sample.find(sample)
        table.add_row(
            name, sample.what, sample.credit, str(path) if path.is_file() else "fetched on first use"
        )
    for name, sample in audio_samples.SAMPLES.items():
        path = audio_samples.place(name)
        table.add_row(name, sample.what, sample.credit, str(path) if path.is_file() else "made on first use")
    return table


if __name__ == "__main__":
    cli.main(main, usage=__doc__ or "")
