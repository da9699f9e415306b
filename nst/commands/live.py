"""Show runs and sweeps while they go, on a page of this machine.

nst live DIR [--port 8600] [--host 127.0.0.1] [--debug]
"""

from pathlib import Path

from nst import live
from nst.arguments import Parser


def show(folder: Path, host: str, port: int) -> None:
    live.serve(folder, host=host, port=port)


parser = Parser(show, prog="nst live", description=__doc__)
parser.add_argument("folder", metavar="DIR", type=Path, help="directory of a sweep, a run or several runs")
parser.add_argument("--port", type=int, default=8600, help="port to listen on, 8600 by default")
parser.add_argument(
    "--host",
    default="127.0.0.1",
    help="address to listen on; 127.0.0.1, the default, is reached from this machine only",
)
