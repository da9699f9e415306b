"""The arguments of scripts that take no config: commands, options, and errors in one line."""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from nst.errors import InputError, unknown
from nst.files import user_path


def as_called(text: str) -> str:
    """Return text with commands as the user calls them: `python scripts/run.py` in place of `nst run`."""
    folder = Path(sys.argv[0]).parent
    if folder.absolute().name != "scripts":
        return text
    scripts = "|".join(path.stem for path in folder.glob("*.py"))
    return re.sub(rf"\bnst ({scripts})\b", r"python scripts/\1.py", text)


class Parser(argparse.ArgumentParser):
    """An argparse parser of a script, or of one command of it, that calls a function with the options.

    A wrong argument raises InputError instead of printing a usage text. An argument of `type=Path` may begin with `~`.
    """

    _commands = None

    def __init__(self, function: Callable[..., object] | None = None, **settings: Any):
        # The description is a script's docstring, which lists one command a line: argparse would rewrap it.
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **settings)
        self.register("type", Path, user_path)
        self.set_defaults(function=function)

    def add_command(self, name: str, function: Callable[..., object], text: str) -> "Parser":
        """Add a command, described by `text`, and return its parser."""
        self._commands = self._commands or self.add_subparsers(required=True, metavar="COMMAND")
        return self._commands.add_parser(name, function=function, help=text, description=text)

    def run(self, arguments: Sequence[str]) -> None:
        """Parse the arguments and call the function of the script, or of the command that they begin with.

        Raises:
          InputError: The command is missing or unknown, or an argument is wrong.
        """
        commands = self._commands.choices if self._commands else {}
        if commands and not arguments:
            self.error(f"no command: choose from {', '.join(commands)}")
        if commands and arguments[0] not in (*commands, "-h", "--help"):
            self.error(str(unknown("command", arguments[0], commands)))
        options = vars(self.parse_args(list(arguments)))
        options.pop("function")(**options)

    def format_help(self) -> str:
        """Return the help, with commands as the user calls them."""
        return as_called(super().format_help())

    def error(self, message: str) -> NoReturn:
        """Raise InputError."""
        raise InputError(f"{message}: see {self.prog} --help")
