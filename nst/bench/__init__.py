"""What `scripts/bench.py` measures: this project beside its peers, on one machine, in one run."""

from collections.abc import Sequence

from nst.arguments import Parser
from nst.bench import audio, lbfgs, losses, pastiche, quality, sizes, step, sweep, wasserstein


def run(arguments: Sequence[str]) -> None:
    """Do what the arguments (without the program's name) ask for; InputError if that is not known."""
    parser = Parser(prog="scripts/bench.py", description="Measure nst beside its peers.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (step, lbfgs, losses, pastiche, sweep, audio, quality, sizes, wasserstein):
        module.add_to(commands)
    options = vars(parser.parse_args(list(arguments)))
    command = options.pop("command")
    command(**options)
