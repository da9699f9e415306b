"""The argument parser of scripts that have commands of their own."""

import argparse
from typing import NoReturn

from nst.errors import InputError


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises InputError for a wrong argument instead of printing a usage text."""

    def error(self, message: str) -> NoReturn:
        """Raise InputError."""
        raise InputError(f"{message}: see {self.prog} --help")
