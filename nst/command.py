"""The command `nst`, with a command for each of `scripts/run.py`, `scripts/sweep.py`, …: `nst run`, `nst sweep`, …"""

import importlib
import sys
from importlib.metadata import version
from typing import NoReturn

from nst.errors import unknown

COMMANDS = {
    "run": "stylize an image or audio",
    "sweep": "run a config once for each set of overrides",
    "report": "show runs or a sweep as one HTML file",
    "live": "show runs and sweeps while they go",
    "evaluate": "measure style and content of results",
    "weights": "list, fetch, check and convert weights",
    "mask": "propose regions of an image, by features of VGG-19",
    "samples": "list samples of images, audio and video",
    "data": "make and list data sets",
}


def main(name: str | None = None) -> NoReturn:
    """Run a command with the arguments of the process.

    Args:
      name: The command; by default the first argument.
    """
    if name is None:
        name = _chosen()
    from nst import cli  # not for --help and --version: JAX takes a second to import

    command = importlib.import_module(f"nst.commands.{name}")
    if hasattr(command, "parser"):
        cli.main(command.parser.run)
    cli.main(command.main, usage=command.__doc__)


def _chosen() -> str:
    """Take the name of the command out of the arguments; print help or the version, and exit, if it is asked for."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help", "help"):
        lines = [f"  nst {command:9} {what}" for command, what in COMMANDS.items()]
        print("\n".join(["Neural style transfer.", "", *lines, "", "nst COMMAND --help says more."]))
        sys.exit(0)
    if name == "--version":
        print(version("nst"))
        sys.exit(0)
    if name not in COMMANDS:
        print(f"error: {unknown('command', name, COMMANDS)}", file=sys.stderr)
        sys.exit(2)
    return name
