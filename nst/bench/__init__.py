"""The commands of `scripts/bench.py`: measure this project beside other programs, on one machine, in one run."""

from collections.abc import Sequence

from nst.arguments import Parser
from nst.bench import audio, lbfgs, losses, pastiche, quality, sizes, step, sweep, wasserstein


def run(arguments: Sequence[str]) -> None:
    """Run the command of `arguments` (without the program's name); raise InputError if there is no such command."""
    parser = Parser(prog="scripts/bench.py", description="Measure nst beside other programs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (step, lbfgs, losses, pastiche, sweep, audio, quality, sizes, wasserstein):
        module.add_to(commands)
    options = vars(parser.parse_args(list(arguments)))
    command = options.pop("command")
    command(**options)
