"""The commands of `scripts/bench.py`: measure this project beside other programs, on one machine, in one run."""

from collections.abc import Sequence

from benchmarks import audio, lbfgs, losses, pastiche, quality, sizes, step, sweep, wasserstein
from nst.arguments import Parser


def parser() -> Parser:
    """Return the parser of all commands; the parsed `command` is a function of the other options."""
    result = Parser(prog="scripts/bench.py", description="Measure nst beside other programs.")
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    for module in (step, lbfgs, losses, pastiche, sweep, audio, quality, sizes, wasserstein):
        module.add_to(commands)
    return result


def run(arguments: Sequence[str]) -> None:
    """Run the command of `arguments` (without the program's name); raise InputError if there is no such command."""
    options = vars(parser().parse_args(list(arguments)))
    command = options.pop("command")
    command(**options)
