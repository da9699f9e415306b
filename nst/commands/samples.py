"""Sample images, audio and video: list them, or add the file of an image downloaded by other means.

nst samples list
nst samples add FILE
"""

from rich.console import Console
from rich.table import Table

from nst.arguments import Parser
from nst.audio import samples as audio_samples
from nst.images import samples
from nst.video import samples as video_samples


def add(file: str) -> None:
    print(samples.add(file))


def show() -> None:
    table = Table("name", "what", "credit")
    table.add_column("where", overflow="fold")
    for name, sample in samples.SAMPLES.items():
        path = sample.find(sample)
        table.add_row(
            name, sample.what, sample.credit, str(path) if path.is_file() else "fetched on first use"
        )
    for module in (audio_samples, video_samples):
        for name, sample in module.SAMPLES.items():
            path = module.place(name)
            table.add_row(
                name, sample.what, sample.credit, str(path) if path.is_file() else "made on first use"
            )
    Console().print(table)


parser = Parser(prog="nst samples", description=__doc__)
parser.add_command("list", show, "list the samples, their credits, and where they are")
parser.add_command("add", add, "add the file of an image").add_argument("file", metavar="FILE")
